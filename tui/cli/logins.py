"""``login``, ``logout``, ``logins``: credentials for registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.domain import Credentials
from core.verbs.registries import LoginSpec
from tui.cli import output, report
from tui.cli.call import call
from tui.cli.credentials import ask_password, ask_user, auth_file
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.engine import Engine
    from core.verbs.registries import Login
    from tui.cli.options import Settings

_AUTHFILE = click.option("--authfile", default="", metavar="PATH", help="Use this file.")


def _refuse_password(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    del ctx, param
    if value is not None:
        raise click.UsageError(
            "a password on the command line is seen by everybody; use --password-stdin, or be asked"
        )


@click.command(cls=Verb)
@click.argument("registry")
@click.option("-u", "--username", default="", help="Who to be; asked for if missing.")
@click.option("-p", "--password", callback=_refuse_password, expose_value=False, hidden=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--name", default="", help="Keep it with the engine, for `--login NAME`.")
@_AUTHFILE
def login(registry: str, *, username: str, password_stdin: bool, name: str, authfile: str) -> int:
    """Log in to REGISTRY (or to a part of it, `host/team`) and keep that.

    It goes where podman, skopeo and buildah look too; with --name only distrodeck has it.
    """
    settings = current()
    username = username or ask_user()
    password = ask_password(username, from_stdin=password_stdin)
    spec = LoginSpec(
        host=registry,
        credentials=Credentials(username=username, password=password),
        name=name,
        plain_http=settings.plain_http,
        auth_file=auth_file(authfile),
    )

    async def work(engine: Engine) -> None:
        made = await engine.login(spec)
        if not made.checked:
            report.note(f"{made.host} lets everybody in: the password was kept, but not tried")
        if not output.write_json(settings, "logins", [made]):
            report.note(f"logged in to {made.host} as {made.username}, kept in {made.kept}")

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("registry", default="")
@click.option("--all", "-a", "everything", is_flag=True, help="Forget every login.")
@click.option("--name", default="", help="Forget a login kept by name.")
@_AUTHFILE
def logout(registry: str, *, everything: bool, name: str, authfile: str) -> int:
    """Forget the login of REGISTRY."""
    settings = current()
    if [bool(registry), everything, bool(name)].count(True) != 1:
        raise click.UsageError("name a registry, or add --name NAME or --all")
    file = auth_file(authfile)

    async def work(engine: Engine) -> None:
        gone = await engine.logout(registry, everything=everything, name=name, auth_file=file)
        if not output.write_json(settings, "logins", gone):
            output.write_names([one.name or one.host for one in gone])

    return call(settings, work)


@click.command(cls=Verb)
@_AUTHFILE
def logins(authfile: str) -> int:
    """List the registries that there are credentials for."""
    settings = current()

    async def work(engine: Engine) -> None:
        _write_logins(settings, await engine.logins(auth_file=auth_file(authfile)))

    return call(settings, work)


def _write_logins(settings: Settings, found: list[Login]) -> None:
    if output.write_json(settings, "logins", found):
        return
    if settings.quiet:
        output.write_names([one.host for one in found])
        return
    output.write_table(
        settings,
        output.Table(
            headings=("REGISTRY", "USER", "NAME", "KEPT IN"),
            rows=tuple((one.host, one.username, one.name, one.kept) for one in found),
        ),
    )
    if not found:
        report.note("no logins yet: distrodeck login REGISTRY")
