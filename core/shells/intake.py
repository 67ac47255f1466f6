"""What a session's program is sent, at the pace at which it takes it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.shells.loop import Callback, Loop

LIMIT = 64 << 10
"""Bytes that may wait; above it, senders are not read from."""
_WRITE = 64 << 10


class Intake:
    """Writes to a PTY's master or a pipe; owns the descriptor, which is non-blocking."""

    def __init__(self, loop: Loop, fd: int, progressed: Callback) -> None:
        self._loop = loop
        self._fd = fd
        self._progressed = progressed
        self._waiting = bytearray()
        self._ends = False

    @property
    def keeps_up(self) -> bool:
        """Whether more may be sent."""
        return len(self._waiting) < LIMIT

    def write(self, data: bytes) -> None:
        """Pass on, in order. What comes after the end, or to a reader that is gone, is lost."""
        if data and self._fd >= 0 and not self._ends:
            self._waiting += data
            self._flush()

    def end(self) -> None:
        """Close it once everything was taken."""
        self._ends = True
        if self._fd >= 0:
            self._flush()

    def close(self) -> None:
        """Close it now."""
        self._waiting.clear()
        if self._fd >= 0:
            self._loop.watch(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _flush(self) -> None:
        try:
            while self._waiting:
                del self._waiting[: os.write(self._fd, self._waiting[:_WRITE])]
        except BlockingIOError:
            self._loop.watch(self._fd, write=self._flush)
        except OSError:
            # Nobody reads any more.
            self.close()
        else:
            self._loop.watch(self._fd)
            if self._ends:
                self.close()
        self._progressed()
