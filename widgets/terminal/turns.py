"""Turns: many shells write at once, one event loop parses for them all.

A shell in the background parses one short slice in a turn of the loop and then waits for the
others of its kind; the shell that has the keys does not wait for them. After a key the others
keep still for a moment, so that its echo is on the screen before they go on.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

SLICE = 0.003
"""Seconds of parsing before the loop is given back."""

_SMALLEST = 512
_LARGEST = 64 * 1024

HUSH = 0.025
"""Seconds the background keeps still for the echo of a key."""


class _Background:
    """What the background shells of one event loop share."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.still_until = 0.0


_backgrounds: WeakKeyDictionary[asyncio.AbstractEventLoop, _Background] = WeakKeyDictionary()


def _background() -> _Background:
    return _backgrounds.setdefault(asyncio.get_running_loop(), _Background())


def hush() -> None:
    """A key was pressed: the background keeps still for :data:`HUSH`. Call it on the loop."""
    _background().still_until = time.monotonic() + HUSH


class Turns:
    """Feeds one parser in slices that take about :data:`SLICE` each."""

    def __init__(self, feed: Callable[[bytes], None]) -> None:
        self._feed = feed
        self._size = 4096
        self._used = 0.0

    async def parse(self, data: bytes, urgent: Callable[[], bool]) -> None:
        """Feed all of ``data``; returns when it is parsed. Calls must not overlap.

        Cancelled, it still feeds the rest before it lets go: the parser has had all of ``data``
        or none of it.
        """
        position = 0
        try:
            while position < len(data):
                piece = data[position : position + self._size]
                if urgent():
                    position += len(piece)
                    await self._slice_at_once(piece)
                else:
                    background = _background()
                    async with background.turn:
                        if (still := background.still_until - time.monotonic()) > 0:
                            await asyncio.sleep(still)
                        position += len(piece)
                        await self._slice_in_turn(piece)
        except asyncio.CancelledError:
            if position:
                self._feed(data[position:])
            raise

    async def _slice_at_once(self, piece: bytes) -> None:
        self._parse_slice(piece)
        if self._used >= SLICE:
            self._used = 0.0
            await asyncio.sleep(0)

    async def _slice_in_turn(self, piece: bytes) -> None:
        self._parse_slice(piece)
        self._used = 0.0
        await asyncio.sleep(0)

    def _parse_slice(self, piece: bytes) -> None:
        start = time.perf_counter()
        self._feed(piece)
        spent = max(time.perf_counter() - start, 1e-6)
        self._used += spent
        fitting = int(len(piece) * SLICE / spent)
        # A short piece says little about the speed of a long one.
        self._size = max(_SMALLEST, min(fitting, 2 * self._size, _LARGEST))
