"""When to paint: at once after a rest, then at most so many times a second."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SYNCHRONIZED_LIMIT = 0.15
"""Seconds a program may hold its frame back (mode 2026) before it is shown as it is."""


def frame_time(environ: Mapping[str, str]) -> float:
    """Seconds from one painting to the next: 60 a second, 20 over SSH."""
    return 1 / 20 if environ.get("SSH_CONNECTION") else 1 / 60


class PaintClock:
    """Calls ``paint`` for any number of requests, no oftener than the frame time.

    A painting that took long makes the next one wait twice as long, so that a program that
    repaints everything in true colour cannot take the whole event loop.
    """

    def __init__(self, paint: Callable[[], None], frame: float) -> None:
        self._paint = paint
        self._frame = frame
        self._next = 0.0
        self._held_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def request(self, *, held: bool = False) -> None:
        """Something changed; ``held`` while the program asks to wait for the rest of a frame."""
        now = time.monotonic()
        due = self._next
        if held:
            if self._held_since is None:
                self._held_since = now
            due = max(due, self._held_since + SYNCHRONIZED_LIMIT)
        else:
            self._held_since = None
        self.cancel()
        if due <= now:
            self._run()
        else:
            self._timer = asyncio.get_running_loop().call_later(due - now, self._run)

    def cancel(self) -> None:
        """Forget a request that has not been served."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        self._timer = None
        self._held_since = None
        start = time.monotonic()
        self._paint()
        end = time.monotonic()
        self._next = max(start + self._frame, end + 2 * (end - start))
