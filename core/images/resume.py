"""Carry a transfer on over broken connections."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.errors import Unreachable
from core.images.failures import Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from core.images.transport import Patience
    from core.store.ingest import Ingest

_MOST_ATTEMPTS = 40
_WORTH = 64 << 10
"""Bytes that must come between two cuts for the second not to count as one more failure."""


async def carry_on(step: Callable[[], Awaitable[None]], ingest: Ingest, patience: Patience) -> None:
    """Call ``step`` until it returns: each call transfers what ``ingest`` does not have yet.

    Raises:
        Unreachable: the last of too many in a row, or one that waiting would not change.
    """
    attempt = 0
    for _ in range(_MOST_ATTEMPTS - 1):
        before = ingest.offset
        try:
            await step()
        except Unreachable as error:
            # a server that answered before may be starting again
            if isinstance(error, Final) and not ingest.offset:
                raise
            attempt = 1 if ingest.offset - before >= _WORTH else attempt + 1
            pause = patience.pause(attempt, error)
            if pause is None:
                raise
        else:
            return
        await asyncio.sleep(pause)
    await step()


async def skipping(skip: int, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """``chunks`` without their first ``skip`` bytes."""
    async for chunk in chunks:
        if skip < len(chunk):
            yield chunk[skip:]
        skip = max(skip - len(chunk), 0)


def kept_text(offset: int, size: int, name: str) -> str:
    """What a retry starts from, for :attr:`core.errors.DeckError.kept`; empty if nothing."""
    if not 0 < offset <= size:
        return ""
    scale, unit = (1e6, "MB") if size >= 10e6 else (1e3, "kB")
    return f"{offset / scale:.0f} of {size / scale:.0f} {unit} of {name}"
