"""``snapshot`` and ``rollback``: a distro's changes as they were once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.verbs.changes import RollbackSpec, SnapshotSpec
from tui.cli import output, report
from tui.cli.call import call, confirm
from tui.cli.follow import follow
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.engine import Engine
    from core.verbs.changes import Snapshot
    from tui.cli.options import Settings


@click.command(cls=Verb)
@click.argument("distro", required=False, default="")
@click.argument("name", required=False, default="")
@click.option("-m", "--message", default="", help="Say what it is.")
@click.option("-l", "--list", "listed", is_flag=True, help="Show those of DISTRO, or all.")
@click.option("--remove", "removed", is_flag=True, help="Delete the snapshot NAME.")
@click.option(
    "-p/-P", "--pause/--no-pause", default=True, help="Whether what runs in it waits. [pause]"
)
def snapshot(
    distro: str, name: str, *, message: str, listed: bool, removed: bool, pause: bool
) -> int:
    """Keep what was written in DISTRO as it is now, under NAME or the time.

    `distrodeck rollback DISTRO NAME` goes back to it.
    """
    settings = current()
    if listed and removed:
        raise click.UsageError("--list and --remove are two things")
    if not listed and not distro:
        raise click.UsageError("Missing argument 'DISTRO'; `distrodeck snapshots` lists them.")
    if removed and not name:
        raise click.UsageError("--remove needs the NAME of a snapshot")

    async def work(engine: Engine) -> None:
        if listed:
            found = await engine.snapshots(distro)
            _write_snapshots(settings, [one for one in found if name in ("", one.name, one.id)])
            return
        if removed:
            confirm(settings, f"Delete the snapshot {name} of {distro}?")
            await engine.remove_snapshot(distro, name)
            if not output.write_json(settings, "removed", [{"name": name}]):
                output.write_names([name])
            return
        spec = SnapshotSpec(distro=distro, name=name, comment=message, pause=pause)
        job = await follow(engine, await engine.snapshot(spec), settings)
        made = [one for one in await engine.snapshots(distro) if one.name == job.result]
        if not output.write_json(settings, "snapshots", made):
            output.write_names([job.result])

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("distro", default="")
def snapshots(distro: str) -> int:
    """List the snapshots of DISTRO, or of all distros, newest first."""
    settings = current()

    async def work(engine: Engine) -> None:
        _write_snapshots(settings, await engine.snapshots(distro))

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("distro")
@click.argument("name", metavar="SNAPSHOT")
@click.option("-f", "--force", is_flag=True, help="Also if shells run in it: they end.")
@click.option("--discard", is_flag=True, help="Keep no snapshot of what is there now.")
def rollback(distro: str, name: str, *, force: bool, discard: bool) -> int:
    """Make DISTRO what it was at SNAPSHOT, which stays.

    What is there now becomes a snapshot, whose name is written to standard output.
    """
    settings = current()
    spec = RollbackSpec(distro=distro, snapshot=name, force=force, discard=discard)

    async def work(engine: Engine) -> None:
        if discard:
            confirm(settings, f"Throw away what was written in {distro} since?")
        job = await follow(engine, await engine.rollback(spec), settings)
        kept = [one for one in await engine.snapshots(distro) if one.name == job.result]
        if not output.write_json(settings, "snapshots", kept):
            output.write_names([one.name for one in kept])

    return call(settings, work)


def _write_snapshots(settings: Settings, found: list[Snapshot]) -> None:
    if output.write_json(settings, "snapshots", found):
        return
    if settings.quiet:
        output.write_names([one.name for one in found])
        return
    output.write_table(
        settings,
        output.Table(
            headings=("DISTRO", "NAME", "CREATED", "SIZE", "IMAGE", "COMMENT"),
            right=frozenset({3}),
            rows=tuple(
                (
                    one.distro,
                    one.name,
                    output.age(one.created),
                    output.size(one.size),
                    output.short_digest(settings, one.image_digest),
                    one.comment,
                )
                for one in found
            ),
        ),
    )
    if not found:
        report.note("no snapshots yet: distrodeck snapshot DISTRO")
