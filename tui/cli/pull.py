"""``pull``: fetch an image or a root file system and install it as a distro."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.domain import PullSpec
from core.errors import NotFound
from tui.cli import output
from tui.cli.call import call
from tui.cli.credentials import access_of, access_options
from tui.cli.follow import follow
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.domain import PullPolicy
    from core.engine import Engine
    from tui.cli.options import Settings


POLICIES: dict[str, PullPolicy] = {
    "always": "always",
    "missing": "if_not_present",
    "if_not_present": "if_not_present",
    "never": "never",
}


@click.command(cls=Verb)
@click.argument("source")
@click.option("-n", "--name", default="", help="What to call the distro.")
@click.option("--platform", default="", metavar="OS/ARCH", help="Not this host's but another.")
@access_options
@click.option("--checksum", default="", metavar="sha256:HEX", help="What a tarball must have.")
@click.option("--image-only", is_flag=True, help="Install nothing, keep the image.")
@click.option("-a", "--all-tags", is_flag=True, help="Images of every tag; install nothing.")
@click.option(
    "--policy",
    type=click.Choice([*POLICIES]),
    default="always",
    show_default=True,
    metavar="always|missing|never",
    help="Whether to ask the registry for an image that is already here.",
)
def pull(
    source: str,
    *,
    name: str,
    platform: str,
    creds: str,
    password_stdin: bool,
    login: str,
    authfile: str,
    checksum: str,
    image_only: bool,
    all_tags: bool,
    policy: str,
) -> int:
    """Fetch SOURCE and install it as a distro.

    SOURCE is a name from the catalog (`distrodeck ls --available`), an image reference such as
    `alpine` or `localhost:5000/lib/dev:1`, or a URL or path of a root file system as a tarball.
    The name of what was made is written to standard output. Ctrl+C cancels; what has arrived is
    kept and the next pull goes on from there.
    """
    settings = current()
    access = access_of(creds, login, authfile, password_stdin=password_stdin)
    spec = PullSpec(
        name=name,
        source=_absolute(source),
        platform=platform,
        credentials=access.credentials,
        login=access.login,
        auth_file=access.auth_file,
        plain_http=settings.plain_http,
        checksum=checksum,
        image_only=image_only,
        all_tags=all_tags,
        policy=POLICIES[policy],
    )

    async def work(engine: Engine) -> None:
        job = await follow(engine, await engine.pull(spec), settings)
        if all_tags:
            await _write_tags(engine, job.result, settings)
        else:
            await _write_result(engine, job.result, settings, image_only=image_only)

    return call(settings, work)


def _absolute(source: str) -> str:
    """A path made absolute, for the engine runs in another folder; else ``source`` as it is."""
    path = Path(source)
    if source.startswith(("/", "./", "../", "~/")) or ("." in path.name and path.is_file()):
        return str(path.expanduser().absolute())
    return source


async def _write_tags(engine: Engine, repository: str, settings: Settings) -> None:
    """The references that a pull of all tags brought."""
    images = [
        image
        for image in await engine.images()
        if any(name.startswith(f"{repository}:") for name in image.references)
    ]
    if not output.write_json(settings, "images", images):
        names = {name for image in images for name in image.references}
        output.write_names(sorted(name for name in names if name.startswith(f"{repository}:")))


async def _write_result(
    engine: Engine, result: str, settings: Settings, *, image_only: bool
) -> None:
    if settings.format == "table":
        output.write_names([result])
    elif image_only:
        output.write_json(settings, "images", [await engine.image(result)])
    else:
        try:
            output.write_json(settings, "distros", [await engine.distro(result)])
        except NotFound:
            output.write_json(settings, "images", [await engine.image(result)])
