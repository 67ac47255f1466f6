"""Watch a job to its end, tell how far it is, and let ctrl+C cancel it."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from core.background import background
from core.domain import Job
from core.errors import DeckError
from tui.cli import report
from tui.cli.progress import Silent, reporter_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.domain import JobKind
    from core.engine import Engine
    from tui.cli.options import Settings
    from tui.cli.progress import Reporter

_CANCEL = 5.0
"""Seconds that stopping the job may take when the time for it is over."""

_REDRAW = 0.1
"""Seconds between redraws; a stalled transfer must not keep showing its old rate."""


async def follow(
    engine: Engine,
    job: Job,
    settings: Settings,
    *,
    warn: bool = True,
    reporter: Reporter | None = None,
) -> Job:
    """The job as it ended, shown by ``reporter``, by default the one that is asked for.

    ``warn``: its warnings are told.

    The first ctrl+C asks the job to stop and waits for what it kept; the second leaves at once.
    Cancelled (``--timeout``), it stops the job too. The job outlives this process if that is
    ended in any other way.

    Raises:
        DeckError: the job's own error, :class:`core.errors.Cancelled` after ctrl+C.
    """
    reporter = reporter or reporter_for(settings)
    loop = asyncio.get_running_loop()
    stopping = False
    async with asyncio.TaskGroup() as group:

        def interrupt() -> None:
            nonlocal stopping
            stopping = True
            loop.remove_signal_handler(signal.SIGINT)
            reporter.stopping()
            group.create_task(engine.cancel(job.id))

        loop.add_signal_handler(signal.SIGINT, interrupt)
        redraw = group.create_task(_redraw(reporter))
        try:
            async with engine.watch(job.id) as states:
                async for state in states:
                    reporter.show(state)
            ended = await engine.result(job.id)
        except asyncio.CancelledError:
            if not stopping:
                await _cancel(engine, job)
            raise
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            redraw.cancel()
            reporter.close()
    if warn and settings.progress != "json":
        _tell_warnings(ended)
    return ended


def _tell_warnings(job: Job) -> None:
    if job.served_by:
        report.note(f"{job.title}: served by the mirror {job.served_by}")
    for warning in job.warnings:
        report.note(f"warning: {warning}")


@asynccontextmanager
async def sending(
    content: AsyncIterator[bytes], kind: JobKind, settings: Settings
) -> AsyncIterator[AsyncIterator[bytes]]:
    """``content``, and how much of it went to the engine is shown: its job is known only then."""
    reporter = reporter_for(settings) if settings.progress != "json" else Silent()
    job = Job(id="", kind=kind, title="standard input", state="running", phase="fetch")

    async def counted() -> AsyncIterator[bytes]:
        nonlocal job
        async for piece in content:
            yield piece
            job = replace(job, done=job.done + len(piece))
            reporter.show(job)

    async with background() as tasks:
        tasks.start(_redraw(reporter))
        try:
            yield counted()
        finally:
            reporter.close()


async def _cancel(engine: Engine, job: Job) -> None:
    with suppress(DeckError, TimeoutError):
        async with asyncio.timeout(_CANCEL):
            await engine.cancel(job.id)


async def _redraw(reporter: Reporter) -> None:
    while True:
        await asyncio.sleep(_REDRAW)
        reporter.draw()
