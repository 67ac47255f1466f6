"""The reader understands what GNU tar and the standard library write, and survives the rest."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import DeckError
from core.layers.attributes import Stamper, Warnings
from core.layers.compression import compression_of, expand
from core.layers.extract import extract
from core.layers.numbers import parse_number
from core.layers.stream import Stream
from core.layers.tar import Archive, Entry
from tests.core.layers.archives import (
    END,
    base256,
    file,
    folder,
    gnu_long,
    hardlink,
    header,
    octal,
    old_sparse,
    pax,
    record,
    symlink,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONG = "long/" * 30 + "name"
UMLAUT = "gr\u00fc\u00dfe"


def read(data: bytes, chunk: int = 4096) -> list[tuple[Entry, bytes]]:
    """All entries with their stored data."""
    stream = Stream(data[start : start + chunk] for start in range(0, len(data), chunk))
    archive = Archive(stream, 1000)
    return [(entry, stream.read(entry.stored, "test")) for entry in archive]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("chunk", [1, 100, 1 << 20])
def test_every_form_of_the_standard_library_is_read(form: int, chunk: int) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name in ("short", LONG, UMLAUT):
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.uid, info.gid, info.mtime = (
                5,
                0o4751,
                1000,
                50,
                1_700_000_000,
            )
            archive.addfile(info, io.BytesIO(b"hello"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "t" * 90
        archive.addfile(link)
    *files, (found_link, _) = read(buffer.getvalue(), chunk)
    assert [entry.name.decode() for entry, _ in files] == ["short", LONG, UMLAUT]
    assert found_link.link == b"t" * 90
    for entry, data in files:
        assert (entry.mode, entry.uid, entry.gid, entry.size) == (0o4751, 1000, 50, 5)
        assert (entry.mtime, data) == (1_700_000_000 * 10**9, b"hello")


def test_numbers_beyond_octal_are_read() -> None:
    (entry, _), (paxed, _) = read(
        header(b"a", uid=base256(2**32 - 2, 8), mtime=base256(-5, 12))
        + pax(record(b"uid", b"4294967294"), record(b"mtime", b"-1.5"))
        + file(b"b")
    )
    assert (entry.uid, entry.mtime) == (2**32 - 2, -5 * 10**9)
    assert (paxed.uid, paxed.mtime) == (2**32 - 2, -(10**9) * 3 // 2)


def test_pax_records_are_for_one_entry_only() -> None:
    (first, _), (second, _) = read(
        pax(record(b"path", b"renamed"), record(b"SCHILY.xattr.user.k", b"\x00v\n"))
        + file(b"a")
        + file(b"b")
    )
    assert (first.name, first.xattrs) == (b"renamed", {b"user.k": b"\x00v\n"})
    assert (second.name, second.xattrs) == (b"b", None)


def test_the_prefix_counts_in_ustar_and_not_in_gnu_headers() -> None:
    (ustar, _), (gnu, _) = read(
        header(b"a", prefix=b"dir") + header(b"a", prefix=b"12345670123", magic=b"ustar  \0")
    )
    assert (ustar.name, gnu.name) == (b"dir/a", b"a")


def test_global_headers_rename_nothing() -> None:
    ((entry, _),) = read(pax(record(b"path", b"x"), kind=b"g") + file(b"a"))
    assert entry.name == b"a"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b"0000644\0", 0o644), (b"   644 \0", 0o644), (b"\0" * 8, 0), (b"        ", 0),
        (b"644\0junk", 0o644), (base256(0, 8), 0), (base256(-1, 8), -1),
        (base256(1 << 60, 12), 1 << 60),
    ],
)  # fmt: skip
def test_numbers_are_read_as_tar_writes_them(field: bytes, value: int) -> None:
    assert parse_number(field, "number") == value


SPARSE_FORMS = [
    "--format=gnu",
    "--format=pax --sparse-version=0.0",
    "--format=pax --sparse-version=0.1",
    "--format=pax --sparse-version=1.0",
]


@pytest.mark.parametrize("form", SPARSE_FORMS)
def test_sparse_files_of_gnu_tar_come_out_with_their_holes(
    make_root: Callable[..., Path], form: str
) -> None:
    root = make_root()
    (root / "in").mkdir()
    with (root / "in" / "sparse").open("wb") as hollow:
        for number in range(30):  # more than fit in one header
            hollow.seek(number << 20)
            hollow.write(b"%d" % number * 2000)
        hollow.truncate(64 << 20)
    (root / "in" / "hole").write_bytes(b"")
    os.truncate(root / "in" / "hole", 1 << 20)
    packed = subprocess.run(
        ["tar", "-c", "--sparse", *form.split(), "-C", root / "in", "."],
        check=True,
        capture_output=True,
    ).stdout
    assert len(packed) < 4 << 20
    unpack(packed, root / "out")
    for name in ("sparse", "hole"):
        assert (root / "out" / name).read_bytes() == (root / "in" / name).read_bytes()
    assert (root / "out" / "sparse").stat().st_blocks * 512 < 2 << 20


def unpack(data: bytes, target: Path) -> list[str]:
    """Extract in this process; the warnings."""
    target.mkdir()
    warnings = Warnings()
    fd = os.open(target, os.O_RDONLY)
    before = os.umask(0)
    try:
        stamper = Stamper(privileged=True, warnings=warnings)
        extract(
            [data], fd, stamper, most_entries=1000, longest_path=4096, most_bytes=1 << 27
        )  # fmt: skip
    finally:
        os.umask(before)
        os.close(fd)
    return warnings.lines()


def test_names_that_are_no_utf8_and_all_modes_survive(make_root: Callable[..., Path]) -> None:
    root = make_root()
    names = [bytes([byte]) * 3 for byte in range(1, 256) if byte not in b"./"]
    warnings = unpack(
        b"".join(file(name, mode=0o7000 | byte) for byte, name in enumerate(names)), root / "out"
    )
    assert warnings == ["no end mark: archive"]
    found = {
        os.fsencode(path.name): path.stat().st_mode & 0o7777 for path in (root / "out").iterdir()
    }
    assert found == {name: 0o7000 | byte for byte, name in enumerate(names)}


def test_compression_is_known_by_its_first_bytes() -> None:
    heads = {
        b"\x1f\x8b\x08\x00\x00\x00": "gzip",
        b"\x28\xb5\x2f\xfd\x00\x00": "zstd",
        b"\x5a\x2a\x4d\x18\x00\x00": "zstd",
        b"\xfd7zXZ\x00": "xz",
        b"BZh91A": "bzip2",
        b"": "none",
        b"etc/pa": "none",
    }
    assert {head: compression_of(head) for head in heads} == heads


MEMBERS = [
    file(b"a", b"1"), file(b"d/b", b"2" * 700), folder(b"d", uid=7), symlink(b"l", b"d"),
    file(b"l/c"), hardlink(b"h", b"a"), hardlink(b"k", b"below"), file(b".wh.x", b""),
    file(b"d/.wh..wh..opq", b""), gnu_long(b"n" * 200) + file(b"m"), header(b"f", b"6"),
    pax(record(b"path", b"p"), record(b"size", b"3")) + file(b"q", b"abc"),
    old_sparse(b"s", 5000, [(0, 3), (4000, 5)], b"abcdefgh"), header(b"x", size=octal(9, 12)),
]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    members=st.lists(st.sampled_from(MEMBERS), min_size=1, max_size=6),
    edits=st.lists(
        st.tuples(st.integers(0, 1 << 14), st.binary(min_size=1, max_size=12)), max_size=4
    ),
    cut=st.integers(0, 1 << 14),
)
def test_damaged_archives_are_read_or_refused_and_nothing_else(
    make_root: Callable[..., Path], members: list[bytes], edits: list[tuple[int, bytes]], cut: int
) -> None:
    data = bytearray(b"".join(members) + END)
    for at, patch in edits:
        at %= len(data)
        data[at : at + len(patch)] = patch
        block = data[at - at % 512 : at - at % 512 + 512]
        if len(block) == 512:  # a wrong checksum would hide everything behind it
            block[148:156] = b" " * 8
            data[at - at % 512 + 148 : at - at % 512 + 156] = b"%06o\0 " % sum(block)
    root = make_root()
    (root / "canary").write_text("untouched")
    with contextlib.suppress(DeckError, OSError):
        unpack(bytes(data[: len(data) - cut % len(data)]), root / "out")
    assert sorted(path.name for path in root.iterdir()) == ["canary", "out"]
    assert (root / "canary").read_text() == "untouched"


@settings(max_examples=300, deadline=None)
@given(
    head=st.sampled_from([b"", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0", b"BZh9"]),
    rest=st.binary(),
)
def test_damaged_compression_is_refused_with_a_type(head: bytes, rest: bytes) -> None:
    with contextlib.suppress(DeckError):
        assert sum(map(len, expand([head, rest]))) >= 0
