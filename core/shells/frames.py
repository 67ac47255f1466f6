"""How a holder and its clients speak: ``!BI`` (kind, length) and the payload, on a unix socket.

Kinds 1 to 3 are the records of :mod:`core.terminal.logformat`: the log is sent as it is stored.
A connection is one of two things, by its first frame: a :data:`CALL` makes it a control
connection (requests, replies, events), an :data:`ATTACH` ties it to that session for good.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# from a client
CALL = 16
"""JSON ``{"seq", "verb", …}``."""
ATTACH = 17
"""JSON ``{"session", "viewer"}``."""
INPUT = 18
"""Bytes for the session."""
EOF = 19
"""No more input (sessions without a TTY)."""
SIZE = 20
"""``!HH`` rows, columns."""
SIGNAL = 21
"""``!B`` number, for the foreground process group."""
HAND_IN = 22
"""``!Q`` log offset, then a checkpoint."""

# from the holder
REPLY = 32
"""JSON ``{"seq", "value"}``."""
FAULT = 33
"""JSON ``{"seq", "code", "what", "why", "hint"}``."""
EVENT = 34
"""JSON of a session that changed."""
ATTACHED = 35
"""JSON of the session; :data:`CONTROLLER` and :data:`RESTORE` follow at once."""
RESTORE = 36
"""``!QHH`` log offset, rows, columns, then a checkpoint (empty: a blank screen). Comes again
where a client was so slow that what it had not read is gone."""
LIVE = 37
"""Up to here it was history."""
CONTROLLER = 38
"""``!B`` 1: this client answers the terminal's queries from now on; 0: another does."""
EXIT = 39
"""``!i`` exit code: everything has been sent."""

HEADER = struct.Struct("!BI")
RESTORE_HEAD = struct.Struct("!QHH")
HAND_IN_HEAD = struct.Struct("!Q")
SIZE_BODY = struct.Struct("!HH")
SIGNAL_BODY = struct.Struct("!B")
EXIT_BODY = struct.Struct("!i")

INPUT_LIMIT = 1 << 16
CALL_LIMIT = 1 << 20
CHECKPOINT_LIMIT = 8 << 20
RECORD_LIMIT = 1 << 20

CLIENT_LIMITS = {
    CALL: CALL_LIMIT,
    ATTACH: 1 << 10,
    INPUT: INPUT_LIMIT,
    EOF: 0,
    SIZE: SIZE_BODY.size,
    SIGNAL: SIGNAL_BODY.size,
    HAND_IN: HAND_IN_HEAD.size + CHECKPOINT_LIMIT,
}
"""What a client may send."""
FIXED_SIZES = {EOF: 0, SIZE: SIZE_BODY.size, SIGNAL: SIGNAL_BODY.size}
"""What a client may send, where only one length makes sense."""
HOLDER_LIMITS = {
    1: RECORD_LIMIT,
    2: RECORD_LIMIT,
    3: SIZE_BODY.size,
    REPLY: 16 << 20,
    FAULT: CALL_LIMIT,
    EVENT: CALL_LIMIT,
    ATTACHED: CALL_LIMIT,
    RESTORE: RESTORE_HEAD.size + CHECKPOINT_LIMIT,
    LIVE: 0,
    CONTROLLER: 1,
    EXIT: EXIT_BODY.size,
}
"""What a holder may send."""


class FrameError(Exception):
    """The other side broke the protocol; the connection is of no more use."""


def pack(kind: int, payload: bytes = b"") -> bytes:
    """A frame."""
    return HEADER.pack(kind, len(payload)) + payload


class FrameReader:
    """Cut a stream of bytes into frames."""

    def __init__(self, limits: dict[int, int]) -> None:
        self._limits = limits
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The frames that are whole now.

        Raises:
            FrameError: an unknown kind, or a payload above its limit.
        """
        self._buffer += data
        start = 0
        try:
            while len(self._buffer) - start >= HEADER.size:
                kind, length = HEADER.unpack_from(self._buffer, start)
                limit = self._limits.get(kind)
                if limit is None or length > limit:
                    raise FrameError(f"frame of kind {kind} with {length} bytes")
                end = start + HEADER.size + length
                if len(self._buffer) < end:
                    break
                payload = bytes(memoryview(self._buffer)[start + HEADER.size : end])
                start = end
                yield kind, payload
        finally:
            del self._buffer[:start]
