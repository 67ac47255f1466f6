"""``undo``: bring back what was removed a short while ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli import output, report
from tui.cli.call import call
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.engine import Engine
    from core.verbs.storage import Trashed
    from tui.cli.options import Settings


@click.command(cls=Verb)
@click.argument("name", required=False, default="")
@click.option("-l", "--list", "listed", is_flag=True, help="Only show what can come back.")
@click.option("-n", "--name", "rename", default="", help="What to call a distro that comes back.")
def undo(name: str, *, listed: bool, rename: str) -> int:
    """Bring back what was removed last, or the distro, image or reference NAME (an id will do).

    What is removed can come back for a day, or until `distrodeck prune`.
    """
    settings = current()

    async def work(engine: Engine) -> None:
        if listed:
            _write_trash(settings, await engine.trash())
            return
        undone = await engine.undo(name, rename=rename)
        if not output.write_json(settings, "trash", [undone]):
            output.write_names([undone.name])

    return call(settings, work)


def _write_trash(settings: Settings, entries: list[Trashed]) -> None:
    if output.write_json(settings, "trash", entries):
        return
    if settings.quiet:
        output.write_names([entry.id for entry in entries])
        return
    output.write_table(
        settings,
        output.Table(
            headings=("ID", "WHAT", "NAME", "REMOVED", "LEFT", "SIZE"),
            right=frozenset({5}),
            rows=tuple(
                (
                    entry.id,
                    entry.what,
                    entry.name,
                    output.age(entry.removed),
                    output.left(entry.until),
                    output.size(entry.size),
                )
                for entry in entries
            ),
        ),
    )
    if not entries:
        report.note("nothing was removed lately")
