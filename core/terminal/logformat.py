"""The log of a session's output, as the holder writes it and the emulator replays it.

A log is a sequence of records, each ``!BI`` (kind, length of the payload) and the payload.
Only the standard library is used: the holder loads this module.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTPUT = 1
"""Bytes the program wrote to its PTY, or to its standard output if it has none."""
STDERR = 2
"""Bytes the program wrote to its standard error; never from a PTY."""
RESIZE = 3
"""The PTY's new size: ``!HH`` rows, columns."""
INPUT_MARK = 4
"""Reserved: where input was sent."""

_HEADER = struct.Struct("!BI")
_SIZE = struct.Struct("!HH")

HEADER_SIZE = _HEADER.size


class Record(NamedTuple):
    """One record of a log."""

    kind: int
    payload: bytes

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a :data:`RESIZE` record; ``(0, 0)`` if it is malformed."""
        if len(self.payload) != _SIZE.size:
            return 0, 0
        rows, columns = _SIZE.unpack(self.payload)
        return rows, columns


def pack_record(kind: int, payload: bytes) -> bytes:
    """The record as it stands in the log."""
    return _HEADER.pack(kind, len(payload)) + payload


def pack_resize(rows: int, columns: int) -> bytes:
    """A :data:`RESIZE` record."""
    return pack_record(RESIZE, _SIZE.pack(rows, columns))


def unpack_records(data: bytes) -> Iterator[Record]:
    """The records of a log from its beginning; a torn last one is left out.

    A kind this version does not know is yielded as it is: the reader skips it.
    """
    view = memoryview(data)
    offset = 0
    while offset + HEADER_SIZE <= len(view):
        kind, length = _HEADER.unpack_from(view, offset)
        end = offset + HEADER_SIZE + length
        if end > len(view):
            return
        yield Record(kind, bytes(view[offset + HEADER_SIZE : end]))
        offset = end


def whole_length(data: bytes) -> int:
    """How many bytes of ``data`` are whole records; what follows is torn."""
    offset = 0
    while offset + HEADER_SIZE <= len(data):
        _kind, length = _HEADER.unpack_from(data, offset)
        if offset + HEADER_SIZE + length > len(data):
            break
        offset += HEADER_SIZE + length
    return offset
