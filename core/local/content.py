"""Bytes that come with a call, handed to a job: the call lasts until the job has taken them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Taking:
    """The content of one call, as a job takes it."""

    def __init__(self, content: AsyncIterator[bytes]) -> None:
        self._content = content
        self._over = asyncio.Event()
        self._error: Cancelled | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        """The content, for the job to read to its end."""
        try:
            async for piece in self._content:
                yield piece
        except Cancelled as error:
            self._error = error
            raise
        finally:
            self._over.set()

    def over(self) -> None:
        """The job has ended, and takes no more."""
        self._over.set()

    async def taken(self) -> None:
        """Wait until the job needs no more.

        Raises:
            Cancelled: whoever gave the content went away before its end.
        """
        await self._over.wait()
        if self._error:
            raise self._error
