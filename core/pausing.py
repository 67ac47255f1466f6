"""Let a job be held without its code knowing of jobs.

A job's code runs with a gate in its context, which the tasks it starts inherit. Wherever bytes
go through, it passes the gate; while that is closed nothing moves, and nothing is lost either.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

_gate: ContextVar[asyncio.Event | None] = ContextVar("gate", default=None)


def set_gate(gate: asyncio.Event) -> None:
    """What :func:`passage` waits for in this task and in those it starts."""
    _gate.set(gate)


async def passage() -> None:
    """Go on at once, or when whoever paused the job lets it go on."""
    gate = _gate.get()
    if gate is not None and not gate.is_set():
        await gate.wait()
