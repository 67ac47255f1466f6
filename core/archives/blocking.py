"""Blocking work that ends soon when its caller is cancelled."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from core.errors import Cancelled
from core.layers.worker import explain
from core.pausing import held

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from concurrent.futures import Future

T = TypeVar("T")

_LOOK = 0.5
"""Seconds between two looks whether bytes are still wanted, while none come."""


async def in_steps(work: Callable[[Callable[[], None]], T], *, what: str) -> T:
    """Run ``work(check)`` in a thread; it calls ``check`` between its steps.

    While the job it belongs to is held, ``check`` waits.

    Cancelled, it waits for the thread: nothing is written any more when it is over.

    Raises:
        NoSpace: the disk is full.
        DeckError: another refusal of the system.
    """
    stop, going = threading.Event(), threading.Event()
    going.set()

    def check() -> None:
        while not (going.wait(_LOOK) or stop.is_set()):
            pass
        if stop.is_set():
            raise Cancelled(what, "cancelled")

    async with held(going.clear, going.set):
        future = asyncio.get_running_loop().run_in_executor(None, work, check)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([future])
            future.exception()  # it was told to raise
            raise
        except OSError as error:
            error.filename = error.filename or what  # writing to a descriptor tells no name
            raise explain(error) from error


def pulled(
    content: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop, check: Callable[[], None]
) -> Iterator[bytes]:
    """The chunks of ``content``, which come in ``loop``, for the thread of :func:`in_steps`."""

    async def following() -> bytes:
        async for chunk in content:
            if chunk:
                return chunk
        return b""

    while chunk := _wait(asyncio.run_coroutine_threadsafe(following(), loop), check):
        yield chunk


def _wait(coming: Future[bytes], check: Callable[[], None]) -> bytes:
    try:
        while True:
            with suppress(NotYet):
                return coming.result(_LOOK)
            check()
    finally:
        coming.cancel()
