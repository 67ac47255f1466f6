"""``prune``: delete what nothing uses, told first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from core.verbs.storage import PruneSpec
from tui.cli import output, report
from tui.cli.call import call, confirm
from tui.cli.options import Verb, current
from tui.cli.when import parse_until

if TYPE_CHECKING:
    from core.engine import Engine
    from core.verbs.storage import Pruned
    from tui.cli.options import Settings


@click.command(cls=Verb)
@click.option(
    "-a",
    "--all",
    "everything",
    is_flag=True,
    help="Also named images in no use, and build caches.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Only tell what would go.")
@click.option(
    "--filter", "filters", multiple=True, metavar="until=TIME", help="Only what is older."
)
def prune(*, everything: bool, dry_run: bool, filters: tuple[str, ...]) -> int:
    """Delete what nothing uses: the trash, images without a name, layers, blobs, cut downloads.

    What goes is shown first. TIME is an age (30m, 24h, 7d), a date or a time (RFC 3339).
    """
    settings = current()
    spec = PruneSpec(all=everything, dry_run=True, until=parse_until(filters))

    async def work(engine: Engine) -> None:
        plan = await engine.prune(spec)
        if dry_run:
            _write_pruned(settings, plan)
            return
        if not settings.yes and plan.items:
            _tell_plan(settings, plan)
            confirm(settings, f"Delete this ({output.size(plan.size)})?")
        _write_pruned(settings, await engine.prune(replace(spec, dry_run=False)))

    return call(settings, work)


def _tell_plan(settings: Settings, plan: Pruned) -> None:
    for item in plan.items:
        name = output.short_digest(settings, item.name)
        report.note(f"{item.kind:<12}  {name}  {output.size(item.size)}")


def _write_pruned(settings: Settings, pruned: Pruned) -> None:
    more = {"size": pruned.size, "dry_run": pruned.dry_run}
    if output.write_json(settings, "pruned", pruned.items, more):
        return
    if settings.quiet:
        output.write_names([item.name for item in pruned.items])
        return
    if pruned.items:
        output.write_table(
            settings,
            output.Table(
                headings=("KIND", "NAME", "SIZE"),
                right=frozenset({2}),
                rows=tuple(
                    (item.kind, output.short_digest(settings, item.name), output.size(item.size))
                    for item in pruned.items
                ),
            ),
        )
    done = "would be given back" if pruned.dry_run else "given back"
    report.note(f"{output.size(pruned.size)} {done}")
