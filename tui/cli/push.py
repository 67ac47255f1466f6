"""``push``: bring an image to a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.verbs.registries import PushSpec
from tui.cli import output
from tui.cli.call import call
from tui.cli.credentials import access_of, access_options
from tui.cli.follow import follow
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.engine import Engine


@click.command(cls=Verb)
@click.argument("name")
@click.argument("reference", default="")
@click.option("--all-platforms", is_flag=True, help="All of them that are in the store.")
@access_options
def push(
    name: str,
    reference: str,
    *,
    all_platforms: bool,
    creds: str,
    password_stdin: bool,
    login: str,
    authfile: str,
) -> int:
    """Bring the image NAME to a registry, under REFERENCE or its own name.

    What the registry has is not sent again. `repository@digest` of what is there now is written
    to standard output. Ctrl+C cancels.
    """
    settings = current()
    access = access_of(creds, login, authfile, password_stdin=password_stdin)
    spec = PushSpec(
        name=name,
        reference=reference,
        all_platforms=all_platforms,
        credentials=access.credentials,
        login=access.login,
        auth_file=access.auth_file,
        plain_http=settings.plain_http,
    )

    async def work(engine: Engine) -> None:
        job = await follow(engine, await engine.push(spec), settings)
        repository, _, digest = job.result.partition("@")
        item = {"repo_digest": job.result, "repository": repository, "digest": digest}
        if not output.write_json(settings, "pushed", [item]):
            output.write_names([job.result])

    return call(settings, work)
