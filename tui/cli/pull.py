"""``pull``: fetch an image or a root file system and install it as a distro."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.domain import Credentials, PullSpec
from core.errors import NotFound, Refused
from tui.cli import output
from tui.cli.call import call
from tui.cli.follow import follow
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.domain import PullPolicy
    from core.engine import Engine
    from tui.cli.options import Settings


@click.command(cls=Verb)
@click.argument("source")
@click.option("-n", "--name", default="", help="What to call the distro.")
@click.option("--platform", default="", metavar="OS/ARCH", help="Not this host's but another.")
@click.option("--creds", default="", metavar="USER[:PASS]", help="Log in to the registry.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--checksum", default="", metavar="sha256:HEX", help="What a tarball must have.")
@click.option("--image-only", is_flag=True, help="Install nothing, keep the image.")
@click.option(
    "--policy",
    type=click.Choice(["always", "if_not_present", "never"]),
    default="always",
    show_default=True,
    help="Whether to ask the registry for an image that is already here.",
)
def pull(
    source: str,
    *,
    name: str,
    platform: str,
    creds: str,
    password_stdin: bool,
    checksum: str,
    image_only: bool,
    policy: PullPolicy,
) -> int:
    """Fetch SOURCE and install it as a distro.

    SOURCE is a name from the catalog (`distrodeck ls --available`), an image reference such as
    `alpine` or `localhost:5000/lib/dev:1`, or a URL or path of a root file system as a tarball.
    The name of what was made is written to standard output. Ctrl+C cancels; what has arrived is
    kept and the next pull goes on from there.
    """
    settings = current()
    spec = PullSpec(
        name=name,
        source=_absolute(source),
        platform=platform,
        credentials=_credentials(creds, from_stdin=password_stdin),
        plain_http=settings.plain_http,
        checksum=checksum,
        image_only=image_only,
        policy=policy,
    )

    async def work(engine: Engine) -> None:
        job = await follow(engine, await engine.pull(spec), settings)
        await _write_result(engine, job.result, settings, image_only=image_only)

    return call(settings, work)


def _absolute(source: str) -> str:
    """A path made absolute, for the engine runs in another folder; else ``source`` as it is."""
    path = Path(source)
    if source.startswith(("/", "./", "../", "~/")) or ("." in path.name and path.is_file()):
        return str(path.expanduser().absolute())
    return source


def _credentials(creds: str, *, from_stdin: bool) -> Credentials | None:
    if not creds:
        if from_stdin:
            raise click.UsageError("--password-stdin needs --creds USER")
        return None
    username, colon, password = creds.partition(":")
    if from_stdin:
        return Credentials(username=username, password=sys.stdin.readline().rstrip("\r\n"))
    if not colon:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise Refused(
                "nobody to ask for the password",
                "standard input is not a terminal",
                hint="add --password-stdin",
            )
        password = click.prompt(f"Password of {username}", hide_input=True, err=True)
    return Credentials(username=username, password=password)


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
