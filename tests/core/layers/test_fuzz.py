"""Random archives: refused with a reason or read, the same in any pieces, and never outside.

``python -m tests.soak`` runs the full counts.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Corrupt, DeckError, Hostile
from core.layers.attributes import Stamper, Warnings
from core.layers.compression import expand
from core.layers.extract import extract, settle_tree
from core.layers.numbers import parse_number
from core.layers.pax import parse_records
from core.layers.stream import Stream
from core.layers.tar import Archive
from core.layers.worker import explain
from tests.core.layers import archives

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = 10_000 if os.environ.get("DISTRODECK_SOAK") == "1" else 150
FUZZ = settings(
    max_examples=COUNT,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)

PARTS = st.sampled_from(
    [b"a", b"b", b"..", b".", b"", b".wh.a", b".wh..wh..opq", b".wh.", b"\xff", b"n" * 300, b"\n"]
)
NAMES = st.lists(PARTS, max_size=5).map(b"/".join)
NUMBERS = st.one_of(
    st.integers(0, 0o7777777),
    st.binary(min_size=8, max_size=8),
    st.integers(-(1 << 62), 1 << 62).map(lambda number: archives.base256(number, 8)),
)
KEYS = st.one_of(
    st.sampled_from(
        [b"path", b"linkpath", b"size", b"uid", b"gid", b"mtime", b"SCHILY.xattr.user.a",
         b"SCHILY.xattr.user.overlay.opaque", b"GNU.sparse.major", b"GNU.sparse.map",
         b"GNU.sparse.size", b"GNU.sparse.realsize", b"GNU.sparse.name", b"GNU.sparse.offset"]
    ),
    st.binary(min_size=1, max_size=8).filter(lambda key: b"=" not in key),
)  # fmt: skip
VALUES = st.one_of(NAMES, st.binary(max_size=20), st.integers().map(lambda n: b"%d" % n))


@st.composite
def members(draw: st.DrawFn) -> bytes:
    name, kind = draw(NAMES)[:100], draw(st.sampled_from(b"01234567LKSxgVQ\0"))
    if kind in b"xg" and draw(st.booleans()):
        pairs = draw(st.lists(st.tuples(KEYS, VALUES), max_size=4))
        return archives.pax(*(archives.record(*pair) for pair in pairs), kind=bytes([kind]))
    if kind in b"LK":
        return archives.gnu_long(draw(NAMES), bytes([kind]))
    data = draw(st.binary(max_size=40))
    fields = {key: draw(NUMBERS) for key in ("mode", "uid", "gid") if draw(st.booleans())}
    size = len(data) if draw(st.booleans()) else draw(st.integers(0, 9000))
    head = archives.header(
        name, bytes([kind]), size=size, link=draw(NAMES)[:100],
        device=draw(st.sampled_from([None, (0, 0), (1, 3)])), **fields,
    )  # fmt: skip
    return head + archives.pad(data)


@st.composite
def whole_archives(draw: st.DrawFn) -> bytes:
    data = bytearray(b"".join(draw(st.lists(members(), max_size=6))))
    for _ in range(draw(st.integers(0, 2))):
        if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    cut = draw(st.integers(0, len(data))) if draw(st.booleans()) else len(data)
    return bytes(data[:cut]) + draw(st.sampled_from([archives.END, b"", b"x"]))


def read(data: bytes, step: int) -> list[tuple[object, ...]]:
    """Everything the reader says of an archive given in pieces of ``step``, and how it ended."""
    stream = Stream(data[at : at + step] for at in range(0, len(data), step))
    archive, told = Archive(stream, 1000), list[tuple[object, ...]]()
    try:
        for entry in archive:
            told.append((entry.name, entry.kind, entry.mode, entry.uid, entry.size, entry.link))
            assert 0 <= entry.stored <= entry.size or entry.regions is not None
            archive.skip(entry)
    except DeckError as error:
        told.append((type(error), error.message))
    return told


@pytest.mark.soak
@FUZZ
@given(whole_archives())
def test_an_archive_reads_the_same_in_any_pieces(data: bytes) -> None:
    assert read(data, len(data) or 1) == read(data, 1) == read(data, 513)


@pytest.mark.soak
@FUZZ
@given(st.binary(max_size=2048))
def test_bytes_that_are_no_archive_are_refused(data: bytes) -> None:
    if data.strip(b"\0"):
        assert isinstance(read(data, 100)[-1][0], type)


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("field")
    before = os.umask(0)
    (folder / "canary").write_text("untouched")
    (folder / "layers").mkdir()
    yield folder
    os.umask(before)
    assert (folder / "canary").read_text() == "untouched"
    assert {path.name for path in folder.iterdir()} == {"canary", "layers"}


@pytest.mark.soak
@FUZZ
@given(lower=whole_archives(), upper=whole_archives())
def test_nothing_is_written_outside_whatever_the_layers_say(
    field: Path, lower: bytes, upper: bytes
) -> None:
    place = Path(tempfile.mkdtemp(dir=field / "layers"))
    roots: list[int] = []
    refused: list[str] = []
    stamper = Stamper(privileged=True, warnings=Warnings())
    try:
        for number, data in enumerate((lower, upper)):
            (place / str(number)).mkdir()
            roots.append(os.open(place / str(number), os.O_RDONLY))
            try:
                done = extract(
                    [data], roots[-1], stamper,
                    most_entries=100, longest_path=500, most_bytes=1 << 20,
                )  # fmt: skip
                if done.needs_lower:
                    settle_tree(roots[-1], roots[:-1], stamper)
            except DeckError:
                break
            except OSError as error:
                refused.append(explain(error).code)
                break
        assert {path.name for path in place.iterdir()} <= {"0", "1"}
        assert set(refused) <= {"hostile", "corrupt", "host_forbids"}
    finally:
        for root in roots:
            os.close(root)
        shutil.rmtree(place)
    assert list((field / "layers").iterdir()) == []


@pytest.mark.soak
@FUZZ
@given(st.lists(st.tuples(KEYS, st.binary(max_size=300)), max_size=6))
def test_pax_records_arrive_as_they_were_written(pairs: list[tuple[bytes, bytes]]) -> None:
    repeated = {b"GNU.sparse.offset", b"GNU.sparse.numbytes"}
    plain = [pair for pair in pairs if pair[0] not in repeated]
    assert parse_records(b"".join(archives.record(*pair) for pair in plain), "x") == dict(plain)


@pytest.mark.soak
@FUZZ
@given(st.binary(max_size=200))
def test_bytes_that_are_no_records_are_refused(data: bytes) -> None:
    try:
        found = parse_records(data, "x")
    except (Corrupt, Hostile):
        return
    assert all(isinstance(key, bytes) and key for key in found)


@pytest.mark.soak
@FUZZ
@given(st.binary(min_size=8, max_size=12))
def test_a_number_is_one_or_is_refused(data: bytes) -> None:
    try:
        found = parse_number(data, "x")
    except Corrupt:
        return
    assert abs(found) < 1 << (8 * len(data))


@pytest.mark.soak
@FUZZ
@given(
    st.sampled_from([b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0", b"BZh9", b""]),
    st.binary(max_size=300),
)
def test_damaged_compressed_data_ends_with_a_reason(magic: bytes, rest: bytes) -> None:
    try:
        size = sum(len(piece) for piece in expand([magic + rest]))
    except Corrupt:
        return
    assert size <= 1 << 20
