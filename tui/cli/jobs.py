"""Verbs on long operations: ``jobs``, ``watch``, ``cancel``, ``pause``, ``resume``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli import output, report
from tui.cli.call import call
from tui.cli.options import Verb, current
from tui.cli.progress import reporter_for

if TYPE_CHECKING:
    from core.domain import Job
    from core.engine import Engine
    from tui.cli.options import Settings


@click.command("jobs", cls=Verb)
def list_() -> int:
    """List running jobs and those that ended lately, newest first."""
    settings = current()

    async def work(engine: Engine) -> None:
        found = await engine.jobs()
        _write(settings, found)
        if not found and settings.format == "table" and not settings.quiet:
            report.note("no jobs: none runs, and none ended lately")

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("job")
def cancel(job: str) -> int:
    """Ask a job to stop; bytes already here are kept for the next try."""
    settings = current()

    async def work(engine: Engine) -> None:
        found = [one for one in await engine.jobs() if one.id == job]
        await engine.cancel(job)
        for one in found:
            if not one.active:
                report.note(f"{job} had ended: {one.state}")

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("job")
def pause(job: str) -> int:
    """Hold a job where it is; one that waits in the queue takes its place."""
    settings = current()

    async def work(engine: Engine) -> None:
        _write(settings, [await engine.pause(job)])

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("job")
def resume(job: str) -> int:
    """Let a paused job go on, or wait for its turn."""
    settings = current()

    async def work(engine: Engine) -> None:
        _write(settings, [await engine.resume(job)])

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("job")
def watch(job: str) -> int:
    """Show how far a job is until it ends; ctrl+C leaves it running."""
    settings = current()

    async def work(engine: Engine) -> None:
        reporter = reporter_for(settings)
        try:
            async with engine.watch(job) as states:
                async for state in states:
                    reporter.show(state)
                    reporter.draw()
        finally:
            reporter.close()
        _write(settings, [await engine.result(job)])

    return call(settings, work)


def _write(settings: Settings, jobs: list[Job]) -> None:
    if output.write_json(settings, "jobs", jobs):
        return
    if settings.quiet:
        output.write_names([job.id for job in jobs])
        return
    output.write_table(
        settings,
        output.Table(
            headings=("ID", "KIND", "TITLE", "STATE", "PHASE", "DONE", "OF", "STARTED", "ERROR"),
            right=frozenset({5, 6}),
            spare=(7, 4),
            rows=tuple(
                (
                    job.id,
                    job.kind,
                    job.title,
                    job.state,
                    f"{job.phase} {job.step}/{job.steps}" if job.steps else job.phase,
                    output.size(job.done) if job.total else "",
                    output.size(job.total) if job.total else "",
                    output.age(job.started),
                    job.error.message if job.error else "",
                )
                for job in jobs
            ),
        ),
    )
