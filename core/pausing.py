"""Let a job be held without its code knowing of jobs.

A job's code runs with a gate in its context, which the tasks it starts inherit. Wherever bytes
go through, it passes the gate; while that is closed nothing moves, and nothing is lost either.
What works by itself, a process or a thread, is stopped and let go on by :func:`held`. Code that
keeps others waiting meanwhile (it has the store's lock, or has frozen a distro) is :func:`unheld`.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from core.background import background

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator


class Gate:
    """Closed at first; whoever has it opens and closes it."""

    def __init__(self) -> None:
        self._opened, self._closed = asyncio.Event(), asyncio.Event()
        self._closed.set()

    @property
    def is_open(self) -> bool:
        """Whether one may pass."""
        return self._opened.is_set()

    def open(self) -> None:
        """Let all pass."""
        self._closed.clear()
        self._opened.set()

    def close(self) -> None:
        """Let nobody pass."""
        self._opened.clear()
        self._closed.set()

    async def opened(self) -> None:
        """Wait until it is open."""
        await self._opened.wait()

    async def closed(self) -> None:
        """Wait until it is closed."""
        await self._closed.wait()


_gate: ContextVar[Gate | None] = ContextVar("gate", default=None)


def set_gate(gate: Gate) -> None:
    """What :func:`passage` waits for in this task and in those it starts."""
    _gate.set(gate)


async def passage() -> None:
    """Go on at once, or when whoever paused the job lets it go on."""
    gate = _gate.get()
    if gate is not None and not gate.is_open:
        await gate.opened()


@asynccontextmanager
async def held(stop: Callable[[], None], go: Callable[[], None]) -> AsyncIterator[None]:
    """While the block lasts, ``stop`` is called whenever the gate closes and ``go`` when it opens.

    Leaving it while the gate is closed calls neither.
    """
    gate = _gate.get()
    if gate is None:
        yield
        return

    async def follow(gate: Gate) -> None:
        while True:
            await gate.closed()
            stop()
            await gate.opened()
            go()

    async with background() as tasks:
        tasks.start(follow(gate))
        yield


@contextmanager
def unheld() -> Iterator[None]:
    """What the block does, and the tasks it starts, is not held: others wait for it."""
    before = _gate.get()
    _gate.set(None)
    try:
        yield
    finally:
        _gate.set(before)
