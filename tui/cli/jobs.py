"""Verbs on long operations: ``jobs``, ``cancel``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli import output
from tui.cli.call import call
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.domain import Job
    from core.engine import Engine
    from tui.cli.options import Settings


@click.command("jobs", cls=Verb)
def list_() -> int:
    """List running jobs and those that ended lately, newest first."""
    settings = current()

    async def work(engine: Engine) -> None:
        _write(settings, await engine.jobs())

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("job")
def cancel(job: str) -> int:
    """Ask a job to stop; bytes already here are kept for the next try."""
    settings = current()

    async def work(engine: Engine) -> None:
        await engine.cancel(job)

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
            rows=tuple(
                (
                    job.id,
                    job.kind,
                    job.title,
                    job.state,
                    job.phase,
                    output.size(job.done),
                    output.size(job.total),
                    output.age(job.started),
                    job.error.message if job.error else "",
                )
                for job in jobs
            ),
        ),
    )
