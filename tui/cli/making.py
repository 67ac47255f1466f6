"""``create``, ``clone`` and ``rename``: distros from images and from each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.verbs.changes import CreateSpec
from tui.cli import output
from tui.cli.call import call
from tui.cli.follow import follow
from tui.cli.options import Verb, current
from tui.cli.pull import POLICIES

if TYPE_CHECKING:
    from core.domain import Job
    from core.engine import Engine
    from tui.cli.options import Settings


@click.command(cls=Verb)
@click.argument("name")
@click.argument("image")
@click.option(
    "--pull",
    type=click.Choice(list(POLICIES)),
    default="missing",
    show_default=True,
    help="Whether to ask the registry.",
)
@click.option("--platform", default="", metavar="OS/ARCH", help="Not this host's but another.")
def create(name: str, image: str, *, pull: str, platform: str) -> int:
    """Make a distro NAME from IMAGE, which is pulled if it is not in the store.

    IMAGE is a reference, a digest or its beginning, or the name of a distro whose image to take.
    """
    settings = current()
    spec = CreateSpec(
        name=name,
        image=_absolute(image),
        pull=POLICIES[pull],
        platform=platform,
        plain_http=settings.plain_http,
    )

    async def work(engine: Engine) -> None:
        await _write_made(engine, await engine.create(spec), settings)

    return call(settings, work)


def _absolute(image: str) -> str:
    if image.startswith(("/", "./", "../", "~/")):
        return str(Path(image).expanduser().absolute())
    return image


@click.command(cls=Verb)
@click.argument("source")
@click.argument("new")
@click.option(
    "-p/-P", "--pause/--no-pause", default=True, help="Whether what runs in it waits. [pause]"
)
def clone(source: str, new: str, *, pause: bool) -> int:
    """Make a distro NEW that is like the distro SOURCE, changes and all."""
    settings = current()

    async def work(engine: Engine) -> None:
        await _write_made(engine, await engine.clone(source, new, pause=pause), settings)

    return call(settings, work)


async def _write_made(engine: Engine, job: Job, settings: Settings) -> None:
    ended = await follow(engine, job, settings)
    if settings.format == "table":
        output.write_names([ended.result])
    else:
        output.write_json(settings, "distros", [await engine.distro(ended.result)])


@click.command(cls=Verb)
@click.argument("name")
@click.argument("new")
def rename(name: str, new: str) -> int:
    """Call the distro NAME from now on NEW; what runs in it goes on."""
    settings = current()

    async def work(engine: Engine) -> None:
        distro = await engine.rename(name, new)
        if not output.write_json(settings, "distros", [distro]):
            output.write_names([distro.name])

    return call(settings, work)
