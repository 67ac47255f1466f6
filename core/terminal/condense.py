"""Turn a checkpoint and the log after it into a new checkpoint.

The holder runs this as ``python -P -m core.terminal.condense`` when a log is full and nobody
is attached: it writes a request to standard input and reads the checkpoint from standard output.
A request is ``!IHH`` (length of the checkpoint, rows, columns), the checkpoint, then the log;
without a checkpoint the terminal starts empty at that size.
"""

from __future__ import annotations

import struct
import sys

from core.terminal import logformat
from core.terminal.checkpoint import CheckpointError
from core.terminal.terminal import Terminal

_REQUEST = struct.Struct("!IHH")


def pack_request(checkpoint: bytes, rows: int, columns: int, log: bytes) -> bytes:
    """What the program reads."""
    return _REQUEST.pack(len(checkpoint), rows, columns) + checkpoint + log


def condense(checkpoint: bytes, rows: int, columns: int, records: bytes) -> bytes:
    """The checkpoint after the records; nothing in them is answered.

    A checkpoint that is empty or cannot be understood counts as an empty screen of ``rows``
    by ``columns``: the newest output is worth more than none.
    """
    try:
        terminal = Terminal.restore(checkpoint)
    except CheckpointError:
        terminal = Terminal(rows, columns)
    for record in logformat.unpack_records(records):
        if record.kind == logformat.OUTPUT:
            terminal.feed(record.payload)
        elif record.kind == logformat.RESIZE and all(record.size):
            terminal.resize(*record.size)
    return terminal.checkpoint()


def main() -> int:
    """Serve one request; 2 if it is cut short."""
    data = sys.stdin.buffer.read()
    if len(data) < _REQUEST.size:
        return 2
    length, rows, columns = _REQUEST.unpack_from(data)
    start = _REQUEST.size + length
    if len(data) < start:
        return 2
    sys.stdout.buffer.write(condense(data[_REQUEST.size : start], rows, columns, data[start:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
