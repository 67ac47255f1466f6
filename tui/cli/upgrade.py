"""``upgrade``: move distros to the images that their sources have now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.errors import DeckError
from core.verbs.changes import UpgradeSpec
from tui.cli import output, report
from tui.cli.call import call
from tui.cli.distros import write_distros
from tui.cli.follow import follow
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.domain import Distro
    from core.engine import Engine
    from tui.cli.options import Settings


@click.command(cls=Verb)
@click.argument("names", nargs=-1, metavar="DISTRO…")
@click.option("--all", "everything", is_flag=True, help="All that came from somewhere.")
@click.option("--check", is_flag=True, help="Only ask, and show those that are outdated.")
@click.option("--reset/--keep", default=False, help="Drop what was written in it. [keep]")
@click.option("-f", "--force", is_flag=True, help="Also if shells run in it: they end.")
def upgrade(
    names: tuple[str, ...], *, everything: bool, check: bool, reset: bool, force: bool
) -> int:
    """Pull the source of DISTRO again and move the distro to what came.

    What was written in it lies on the new image as it lay on the old one: files of yours hide
    newer ones of the image. How it was before is kept as a snapshot; `rollback` goes back there.
    """
    settings = current()
    if everything == bool(names) and not check:
        raise click.UsageError("name distros, or say --all")

    async def work(engine: Engine) -> int:
        wanted = list(dict.fromkeys(names))
        if check:
            return await _check(engine, wanted, settings)
        if everything:
            wanted = [one.name for one in await engine.distros() if one.image_digest]
        code = report.OK
        done: list[Distro] = []
        for name in wanted:
            try:
                before = await engine.distro(name)
                spec = UpgradeSpec(
                    distro=name, reset=reset, force=force, plain_http=settings.plain_http
                )
                await follow(engine, await engine.upgrade(spec), settings)
                after = await engine.distro(name)
            except DeckError as error:
                report.tell_error(error, as_json=settings.format != "table", debug=settings.debug)
                code = code or error.exit_code
            else:
                if before.image_digest != after.image_digest:
                    done.append(after)
                else:
                    report.note(f"{name}: is up to date")
        if not output.write_json(settings, "distros", done):
            output.write_names([distro.name for distro in done])
        return code

    return call(settings, work)


async def _check(engine: Engine, names: list[str], settings: Settings) -> int:
    for name in names or [""]:
        await follow(engine, await engine.check(name), settings)
    found = [one for one in await engine.distros() if one.outdated]
    found = [one for one in found if not names or one.name in names]
    if found or settings.format != "table":
        write_distros(settings, found)
    else:
        report.note("nothing is outdated")
    return report.OK
