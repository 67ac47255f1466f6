"""Bytes that come with a call: an archive to load, a context to build from.

They travel as ITEM frames behind the call, on a connection that carries nothing else, so that
the socket itself holds back a client whose bytes are not taken.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from core.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PIECES = 4
"""Pieces that wait to be taken; the client waits with the next."""


class Content:
    """The bytes of one call, between the reader of the connection and the verb."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._whole = False
        self._over = False

    async def put(self, piece: bytes) -> None:
        """Hand a piece on; waits until there is room. After :meth:`close` it is thrown away."""
        while len(self._pieces) >= PIECES and not self._over:
            self._room.clear()
            await self._room.wait()
        if not self._over:
            self._pieces.append(piece)
            self._news.set()

    def end(self) -> None:
        """There is no more."""
        self._whole = True
        self._news.set()

    def close(self) -> None:
        """The client went away, or the verb is over and what still comes has no taker."""
        self._over = True
        self._room.set()
        self._news.set()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The pieces in order. Raises: Cancelled, if the client went away before the end."""
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._room.set()
                yield piece
            if self._whole:
                return
            if self._over:
                raise Cancelled("content", "the client went away before its end")
            self._news.clear()
            await self._news.wait()
