"""A corpus of hostile and broken archives, each with its verdict.

Whatever the verdict: nothing is written outside the target, and a refused one leaves no target.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from typing import TYPE_CHECKING

import pytest
from backports import zstd

from core.errors import Corrupt, DeckError, Hostile, Unsupported
from core.limits import Limits
from tests.core.layers.archives import (
    BLOCK,
    END,
    base256,
    device,
    file,
    folder,
    gnu_long,
    hardlink,
    header,
    octal,
    old_sparse,
    pad,
    pax,
    record,
    sign_checksum,
    symlink,
)  # fmt: skip
from tests.core.layers.drive import unpack_blob

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL = Limits(entries=50, path_length=300, ratio=10, total_bytes=1 << 30)
GOOD = file(b"good") + END
SPARSE_1_0 = [record(b"GNU.sparse.major", b"1"), record(b"GNU.sparse.minor", b"0")]

REFUSED: dict[str, tuple[bytes, type[DeckError]]] = {
    # paths
    "name goes up": (file(b"../out"), Hostile),
    "name goes up in the middle": (file(b"a/../../out"), Hostile),
    "name goes up at the end": (folder(b"a/.."), Hostile),
    "absolute name goes up": (file(b"/../out"), Hostile),
    "only dots": (folder(b".."), Hostile),
    "empty name": (file(b""), Hostile),
    "pax path goes up": (pax(record(b"path", b"../out")) + file(b"in"), Hostile),
    "pax path with NUL": (pax(record(b"path", b"in\0/../../out")) + file(b"in"), Hostile),
    "pax link with NUL": (pax(record(b"linkpath", b"a\0b")) + symlink(b"l", b"x"), Hostile),
    "long name goes up": (gnu_long(b"x/" * 60 + b"../../../out") + file(b"in"), Hostile),
    "long path": (gnu_long(b"d/" * 200) + folder(b"in"), Hostile),
    "long component": (gnu_long(b"n" * 256) + file(b"in"), Hostile),
    "root is a file": (file(b"./"), Hostile),
    "root is a file by another name": (file(b"/"), Hostile),
    "root is a link": (symlink(b".", b"/etc"), Hostile),
    "root is a hard link": (hardlink(b".", b"a"), Hostile),
    "path through a file": (file(b"a") + file(b"a/b"), Hostile),
    "path through a device": (header(b"a", b"6") + file(b"a/b"), Hostile),
    "links in circles": (symlink(b"a", b"b") + symlink(b"b", b"a") + file(b"a/x"), Hostile),
    "link to itself": (symlink(b"a", b"a") + file(b"a/x"), Hostile),
    "links of thousands of steps": (
        b"".join(
            gnu_long(b"./" * 2000 + to, b"K") + symlink(name, b"x")
            for name, to in ((b"a", b"b"), (b"b", b"c"), (b"c", b"d"), (b"d", b"e"))
        )
        + file(b"a/x"),
        Hostile,
    ),
    "link to an empty name": (symlink(b"a", b""), Hostile),
    # hard links
    "hard link goes up": (hardlink(b"a", b"../../../../etc/passwd"), Hostile),
    "hard link to the root": (hardlink(b"a", b"/"), Hostile),
    "hard link to an empty name": (hardlink(b"a", b""), Hostile),
    "hard link to a folder": (folder(b"d") + hardlink(b"a", b"d"), Hostile),
    "hard link to itself": (file(b"a") + hardlink(b"a", b"a"), Hostile),
    "hard link over its own folder": (file(b"d/a") + hardlink(b"d", b"d/a"), Hostile),
    "hard link to what is deleted": (file(b".wh.a", b"") + hardlink(b"b", b"a"), Hostile),
    "hard link through circles": (symlink(b"a", b"a") + hardlink(b"b", b"a/x"), Hostile),
    "path through a hard link": (hardlink(b"a", b"below") + file(b"a/b"), Hostile),
    "hard link to nothing at all": (hardlink(b"a", b"nowhere/b"), Corrupt),
    # whiteouts
    "whiteout of nothing": (file(b".wh.", b""), Hostile),
    "whiteout of the folder": (file(b"d/.wh..", b""), Hostile),
    "whiteout of the folder above": (file(b"d/.wh...", b""), Hostile),
    "whiteout with a way up": (file(b".wh.../x", b""), Hostile),
    "whiteout as a folder": (file(b".wh.d/x", b""), Hostile),
    # numbers
    "negative size": (header(b"a", size=base256(-1, 12)), Hostile),
    "huge size": (header(b"a", size=base256(1 << 90, 12)), Hostile),
    "size beyond the limit": (header(b"a", size=base256(1 << 40, 12)), Hostile),
    "size that is no number": (header(b"a", size=b"12x4"), Corrupt),
    "size with a sign": (header(b"a", size=b"-0000000001"), Corrupt),
    "size with an underscore": (header(b"a", size=b"1_0"), Corrupt),
    "size with an 8": (header(b"a", size=b"00000000008"), Corrupt),
    "negative owner": (header(b"a", uid=base256(-2, 8)), Hostile),
    "owner -1": (header(b"a", uid=base256(2**32 - 1, 8)), Hostile),
    "group beyond 32 bits": (pax(record(b"gid", b"4294967295")) + file(b"a"), Hostile),
    "pax size that is no number": (pax(record(b"size", b"-5")) + file(b"a"), Hostile),
    "pax size with blanks": (pax(record(b"size", b" 5")) + file(b"a"), Hostile),
    "pax size of many digits": (pax(record(b"size", b"9" * 5000)) + file(b"a"), Hostile),
    "pax size beyond the data": (pax(record(b"size", b"4096")) + file(b"a"), Corrupt),
    "pax time that is none": (pax(record(b"mtime", b"1e9")) + file(b"a"), Corrupt),
    "device of impossible numbers": (device(b"a", number=(0o7777777, 0o7777777)), Hostile),
    # structure
    "bad checksum": (header(b"a", checksum=b"000000\0 ") + END, Corrupt),
    "not a tar": (b"#!/bin/sh\n" * 100, Corrupt),
    "unknown type": (header(b"a", b"Q"), Unsupported),
    "truncated header": (file(b"a") + b"x" * 100, Corrupt),
    "truncated data": (header(b"a", size=5000) + b"x" * 1000, Corrupt),
    "truncated padding": (header(b"a", size=5) + b"hello", Corrupt),
    "truncated pax": (pax(record(b"path", b"b")), Corrupt),
    "truncated pax data": (header(b"p", b"x", size=5000) + bytes(512), Corrupt),
    "nothing after a long name": (gnu_long(b"n" * 120) + END, Corrupt),
    "something after the end": (GOOD + b"more", Corrupt),
    "an archive after the end": (GOOD + bytes(BLOCK) + GOOD, Corrupt),
    "pax of many bytes": (header(b"p", b"x", size=2 << 20), Hostile),
    "long name of many bytes": (header(b"p", b"L", size=1 << 32), Hostile),
    "pax with a negative size": (header(b"p", b"x", size=base256(-512, 12)), Hostile),
    "pax record too long": (header(b"p", b"x", size=9) + pad(b"99 path=a") + file(b"a"), Corrupt),
    "pax record of no length": (
        header(b"p", b"x", size=8) + pad(b"0 path=a") + file(b"a"), Corrupt,
    ),
    "pax record without =": (header(b"p", b"x", size=7) + pad(b"7 path\n") + file(b"a"), Corrupt),
    "too many entries": (b"".join(file(b"%d" % n) for n in range(60)), Hostile),
    "too many pax headers": (pax(record(b"comment", b"x")) * 60 + file(b"a"), Hostile),
    # sparse
    "sparse regions overlap": (old_sparse(b"a", 100, [(0, 8), (4, 8)], b"x" * 16), Hostile),
    "sparse region beyond the end": (old_sparse(b"a", 10, [(5, 8)], b"x" * 8), Hostile),
    "sparse map of other size": (old_sparse(b"a", 100, [(0, 8)], b"x" * 16), Hostile),
    "sparse bomb": (old_sparse(b"a", 1 << 35, [], b""), Hostile),
    "sparse map cut": (old_sparse(b"a", 10, [(0, 1)], b"")[:-12] + b"\x01" + bytes(11), Corrupt),
    "sparse 1.0 without a map": (
        pax(*SPARSE_1_0, record(b"GNU.sparse.realsize", b"5")) + file(b"a", b"x"), Corrupt,
    ),
    "sparse 1.0 map of many": (
        pax(*SPARSE_1_0, record(b"GNU.sparse.realsize", b"5"))
        + file(b"a", b"99999999999\n".ljust(512, b"\0")), Hostile,
    ),
    "sparse 1.0 map of no end": (
        pax(*SPARSE_1_0, record(b"GNU.sparse.realsize", b"5")) + file(b"a", b"1" * 2048), Corrupt,
    ),
    "sparse 0.1 map of odd length": (
        pax(record(b"GNU.sparse.map", b"0,1,2"), record(b"GNU.sparse.size", b"5")) + file(b"a"),
        Corrupt,
    ),
    "sparse 0.1 map negative": (
        pax(record(b"GNU.sparse.map", b"-1,1"), record(b"GNU.sparse.size", b"5")) + file(b"a"),
        Hostile,
    ),
    # compression
    "gzip truncated": (gzip.compress(GOOD)[:-9], Corrupt),
    "gzip without its sum": (gzip.compress(GOOD)[:-4], Corrupt),
    "gzip with a wrong sum": (gzip.compress(GOOD)[:-8] + bytes(8), Corrupt),
    "gzip with garbage behind": (gzip.compress(GOOD) + b"garbage", Corrupt),
    "gzip damaged": (gzip.compress(GOOD)[:30] + b"\xff" * 30, Corrupt),
    "gzip in gzip": (gzip.compress(gzip.compress(GOOD)), Corrupt),
    "zstd truncated": (zstd.compress(GOOD)[:-3], Corrupt),
    "zstd with garbage behind": (zstd.compress(GOOD) + b"garbage", Corrupt),
    "xz truncated": (lzma.compress(GOOD)[:-3], Corrupt),
    "xz with garbage behind": (lzma.compress(GOOD) + b"garbage", Corrupt),
    "bzip2 truncated": (bz2.compress(GOOD)[:-3], Corrupt),
    "bzip2 with garbage behind": (bz2.compress(GOOD) + b"garbage", Corrupt),
}  # fmt: skip

FOUND_ON_SETTLING = {"hard link to nothing at all", "path through a hard link"}


@pytest.mark.parametrize("name", REFUSED)
async def test_it_is_refused_and_leaves_nothing(name: str, make_root: Callable[..., Path]) -> None:
    data, verdict = REFUSED[name]
    root = make_root()
    (root / "blob").write_bytes(data)
    (root / "canary").write_text("untouched")
    with pytest.raises(DeckError) as caught:
        await unpack_blob(root / "blob", root / "layer", [], limits=SMALL)
    assert type(caught.value) is verdict, repr(caught.value)
    assert caught.value.why
    # A layer that is only found bad when it is settled is removed by who asked for that.
    assert {path.name for path in root.iterdir()} - {"layer"} == {"blob", "canary"}
    assert (root / "layer").exists() is (name in FOUND_ON_SETTLING)
    assert (root / "canary").read_text() == "untouched"


ACCEPTED: dict[str, tuple[bytes, dict[str, bytes | str]]] = {
    "absolute names": (file(b"/etc/a", b"1"), {"etc/a": b"1"}),
    "doubled slashes and dots": (file(b".//a/.//b", b"1"), {"a/b": b"1"}),
    "a link out is only a link": (symlink(b"l", b"../../../etc"), {"l": "../../../etc"}),
    "a path through a link out stays in": (
        symlink(b"l", b"../../../etc") + file(b"l/passwd", b"mine"), {"etc/passwd": b"mine"},
    ),
    "a path through an absolute link stays in": (
        symlink(b"l", b"/etc") + file(b"l/passwd", b"mine"), {"etc/passwd": b"mine"},
    ),
    "a hard link to a link out is the link": (
        symlink(b"l", b"/etc/passwd") + hardlink(b"h", b"l"), {"h": "/etc/passwd"},
    ),
    "a file over a folder": (file(b"d/a", b"1") + file(b"d", b"2"), {"d": b"2"}),
    "a folder over a file": (file(b"d", b"1") + folder(b"d") + file(b"d/a", b"2"), {"d/a": b"2"}),
    "a link over a folder, then through it": (
        file(b"d/a", b"1") + symlink(b"d", b"e") + file(b"d/b", b"2"), {"d": "e", "e/b": b"2"},
    ),
    "a file over a link does not follow it": (
        file(b"t", b"1") + symlink(b"l", b"t") + file(b"l", b"2"), {"t": b"1", "l": b"2"},
    ),
    "a file over a hard link leaves the other": (
        file(b"a", b"1") + hardlink(b"b", b"a") + file(b"b", b"2"), {"a": b"1", "b": b"2"},
    ),
    "one name many times": (b"".join(file(b"a", b"%d" % n) for n in range(40)), {"a": b"39"}),
    "newline in a name": (file(b"a\nb", b"1"), {"a\nb": b"1"}),
    "escape sequence in a name": (file(b"\x1b[2J", b"1"), {"\x1b[2J": b"1"}),
    "no end mark": (file(b"a", b"1"), {"a": b"1"}),
    "one block as end mark": (file(b"a", b"1") + bytes(BLOCK), {"a": b"1"}),
    "many blocks as end mark": (file(b"a", b"1") + bytes(100 * BLOCK), {"a": b"1"}),
    "sizes of links mean nothing": (
        file(b"a", b"1") + header(b"l", b"2", link=b"a", size=4096) + file(b"b", b"2"),
        {"l": "a", "b": b"2"},
    ),
    "a signed checksum": (sign_checksum(header(b"\xe9")), {"\udce9": b""}),
    "a folder from before ustar": (
        header(b"d/", b"\0", magic=bytes(8)) + file(b"d/a", b"1"), {"d/a": b"1"},
    ),
    "labels of the host left out": (
        pax(record(b"SCHILY.xattr.security.selinux", b"x"), record(b"SCHILY.xattr.trusted.x", b"y"))
        + file(b"a", b"1"), {"a": b"1"},
    ),
    "bookkeeping of aufs left out": (file(b".wh..wh.plnk/1", b"") + file(b"a", b"1"), {"a": b"1"}),
    "two gzip members": (
        gzip.compress(file(b"a", b"1")) + gzip.compress(file(b"b", b"2") + END),
        {"a": b"1", "b": b"2"},
    ),
    "zeros after gzip": (gzip.compress(file(b"a", b"1")) + bytes(1000), {"a": b"1"}),
    "two zstd frames and a skippable one": (
        b"\x50\x2a\x4d\x18\x04\0\0\0skip" + zstd.compress(file(b"a", b"1"))
        + zstd.compress(file(b"b", b"2") + END) + b"\x5f\x2a\x4d\x18\x04\0\0\0skip",
        {"a": b"1", "b": b"2"},
    ),
    "two xz streams": (lzma.compress(file(b"a", b"1")) + lzma.compress(END), {"a": b"1"}),
    "bzip2": (bz2.compress(file(b"a", b"1") + END), {"a": b"1"}),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
async def test_it_is_odd_but_stays_inside(name: str, make_root: Callable[..., Path]) -> None:
    data, wanted = ACCEPTED[name]
    root = make_root()
    (root / "blob").write_bytes(data)
    await unpack_blob(root / "blob", root / "layer", [], limits=SMALL)
    found: dict[str, bytes | str] = {}
    for path in wanted:
        place = root / "layer" / path
        found[path] = str(place.readlink()) if place.is_symlink() else place.read_bytes()
    assert found == wanted
    assert {path.name for path in root.iterdir()} == {"blob", "layer"}


async def test_a_compression_bomb_is_stopped(make_root: Callable[..., Path]) -> None:
    root = make_root()
    # Three GiB of nothing in a file, in 12 KiB.
    frame = zstd.compress(bytes(64 << 20), level=1)
    start = zstd.compress(header(b"bomb", size=octal(3 << 30, 12)))
    (root / "blob").write_bytes(start + frame * 48)
    with pytest.raises(Hostile, match="expands more than 10 times"):
        await unpack_blob(root / "blob", root / "layer", [], limits=Limits(ratio=10))
    assert not (root / "layer").exists()


async def test_overlay_attributes_of_an_archive_are_dropped(
    make_root: Callable[..., Path],
) -> None:
    root = make_root()
    marks = [
        record(b"SCHILY.xattr." + space + b".overlay." + key, b"y")
        for space in (b"user", b"trusted")
        for key in (b"opaque", b"redirect", b"metacopy", b"whiteout", b"origin")
    ]
    (root / "blob").write_bytes(pax(*marks) + folder(b"d") + pax(*marks) + file(b"d/f"))
    await unpack_blob(root / "blob", root / "layer", [])
    assert os.listxattr(root / "layer" / "d") == []
    assert os.listxattr(root / "layer" / "d" / "f") == []


async def test_warnings_do_not_grow_with_the_archive(make_root: Callable[..., Path]) -> None:
    root = make_root()
    records = [record(b"SCHILY.xattr.security.%d" % n, b"x") for n in range(5000)]
    (root / "blob").write_bytes(pax(*records) + file(b"a") + END)
    done = await unpack_blob(root / "blob", root / "layer", [])
    assert len(done.warnings) == 33
    assert done.warnings[-1] == "more left out: a and 4967 more"


async def test_a_device_that_would_be_a_whiteout_is_left_out(
    make_root: Callable[..., Path],
) -> None:
    root = make_root()
    (root / "blob").write_bytes(folder(b"d") + device(b"d/a", number=(0, 0)) + END)
    done = await unpack_blob(root / "blob", root / "layer", [])
    assert done.warnings == ("device 0:0, to overlayfs a deletion, left out: d/a",)
