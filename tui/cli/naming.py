"""Verbs on names of images: ``tag``, ``untag``, ``rmi``, ``exists``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.errors import DeckError, NotFound
from tui.cli import output, report
from tui.cli.call import call, confirm
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.engine import Engine
    from core.verbs.storage import Removal
    from tui.cli.options import Settings


@click.command(cls=Verb)
@click.argument("name")
@click.argument("reference")
def tag(name: str, reference: str) -> int:
    """Give the image NAME one more REFERENCE; one that another image had moves to it."""
    settings = current()

    async def work(engine: Engine) -> None:
        image = await engine.tag(name, reference)
        if not output.write_json(settings, "images", [image]):
            output.write_names([output.short_digest(settings, image.digest)])

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("references", nargs=-1, required=True, metavar="REFERENCE…")
def untag(references: tuple[str, ...]) -> int:
    """Take references away; the images stay. `distrodeck undo` brings a reference back."""
    settings = current()

    async def work(engine: Engine) -> int:
        async def one(name: str) -> Removal:
            return await engine.untag(name)

        return await _each(settings, references, one)

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.option("-f", "--force", is_flag=True, help="With all its references.")
@click.option("--no-prune", is_flag=True, help="Keep parents that have no name.")
@click.option("--now", is_flag=True, help="For good: give the space back, no undo.")
def rmi(names: tuple[str, ...], *, force: bool, no_prune: bool, now: bool) -> int:
    """Remove images; one of several references is only untagged.

    What is removed stays for a day, and `distrodeck undo` brings it back; its space is given back
    then, by `distrodeck prune`, or at once with --now.
    """
    settings = current()

    async def work(engine: Engine) -> int:
        async def one(name: str) -> Removal:
            if now:
                confirm(settings, f"Remove {name} for good?")
            return await engine.remove_image(name, force=force, prune=not no_prune, now=now)

        return await _each(settings, names, one)

    return call(settings, work)


async def _each(
    settings: Settings,
    names: tuple[str, ...],
    remove: Callable[[str], Awaitable[Removal]],
) -> int:
    """Do it to one name after the other; the first error's exit code is the verb's."""
    code = report.OK
    removals: list[Removal] = []
    for name in dict.fromkeys(names):
        try:
            removals.append(await remove(name))
        except DeckError as error:
            report.tell_error(error, as_json=settings.format != "table", debug=settings.debug)
            code = code or error.exit_code
    if removals and not output.write_json(settings, "removals", removals):
        for removal in removals:
            output.write_names([f"untagged: {one}" for one in removal.untagged])
            output.write_names([f"deleted: {one}" for one in removal.deleted])
    return code


@click.command(cls=Verb)
@click.argument("name")
def exists(name: str) -> int:
    """End with 0 if a distro or image of that NAME is here, with 1 if not; nothing is written."""
    settings = current()

    async def work(engine: Engine) -> int:
        for look in (engine.distro, engine.image):
            try:
                await look(name)
            except NotFound:
                continue
            return report.OK
        return report.FAILURE

    return call(settings, work)
