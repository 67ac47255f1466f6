"""Where the stored pieces of a sparse file belong.

GNU tar manual, "Storing Sparse Files": the old GNU header, and pax versions 0.0, 0.1 and 1.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Corrupt, Hostile
from core.layers.numbers import parse_number
from core.layers.pax import parse_decimal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.layers.stream import Stream

Region = tuple[int, int]
"""Offset in the file and number of bytes."""

_BLOCK = 512
_MOST_REGIONS = 1 << 18


def _check(numbers: list[int], size: int, stored: int, what: str) -> list[Region]:
    if len(numbers) % 2:
        raise Corrupt(what, "bad sparse map")
    regions = list(zip(numbers[::2], numbers[1::2], strict=True))
    end = 0
    for offset, length in regions:
        if offset < end:
            raise Hostile(what, "sparse regions overlap")
        end = offset + length
    if end > size or sum(length for _, length in regions) != stored:
        raise Hostile(what, "the sparse map does not fit the file")
    return regions


def old_map(block: bytes, stream: Stream, stored: int, what: str) -> tuple[int, list[Region]]:
    """Size and map of an old GNU sparse header, whose extension blocks are read too.

    Raises:
        Corrupt: a number is not one, or the archive ends.
        Hostile: the regions overlap, leave the file or are too many.
    """
    numbers: list[int] = []
    slots, more = block[386:482], block[482]
    while True:
        for at in range(0, len(slots) - 23, 24):
            if slots[at]:
                numbers.append(parse_number(slots[at : at + 12], "sparse map"))
                numbers.append(parse_number(slots[at + 12 : at + 24], "sparse map"))
        if not more:
            break
        if len(numbers) > 2 * _MOST_REGIONS:
            raise Hostile(what, "too many sparse regions")
        extension = stream.read(_BLOCK, what)
        slots, more = extension[:504], extension[504]
    size = parse_number(block[483:495], "size")
    if min(numbers, default=0) < 0 or size < 0:
        raise Hostile(what, "negative size")
    return size, _check(numbers, size, stored, what)


def _lines(stream: Stream, stored: int, what: str) -> Iterator[tuple[int, int]]:
    """Numbers of a 1.0 map with the data bytes that its blocks have used up so far."""
    used, text = 0, b""
    while True:
        while b"\n" not in text:
            if used + _BLOCK > stored or len(text) > _BLOCK:
                raise Corrupt(what, "bad sparse map")
            text += stream.read(_BLOCK, what)
            used += _BLOCK
        line, _, text = text.partition(b"\n")
        yield parse_decimal(line, what), used


def pax_map(
    records: dict[bytes, bytes], stream: Stream, stored: int, what: str
) -> tuple[int, int, list[Region]] | None:
    """Size, data bytes left in the archive, and map; None if the records describe no sparse file.

    Raises:
        Corrupt: the map cannot be read.
        Hostile: the regions overlap, leave the file or are too many.
    """
    if records.get(b"GNU.sparse.major") == b"1":
        size = parse_decimal(records.get(b"GNU.sparse.realsize", b""), what)
        lines = _lines(stream, stored, what)
        count, used = next(lines)
        if count > _MOST_REGIONS:
            raise Hostile(what, "too many sparse regions")
        numbers = []
        for _ in range(2 * count):
            number, used = next(lines)
            numbers.append(number)
        return size, stored - used, _check(numbers, size, stored - used, what)
    if b"GNU.sparse.map" not in records:
        return None
    size = parse_decimal(records.get(b"GNU.sparse.size", b""), what)
    fields = records[b"GNU.sparse.map"].split(b",") if records[b"GNU.sparse.map"] else []
    numbers = [parse_decimal(field, what) for field in fields]
    return size, stored, _check(numbers, size, stored, what)
