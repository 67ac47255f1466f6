"""Verbs on sessions from outside: ``sessions``, ``close``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.errors import NotFound
from tui.cli import output, report
from tui.cli.call import call
from tui.cli.options import Verb, current

if TYPE_CHECKING:
    from core.domain import Session
    from core.engine import Engine
    from tui.cli.options import Settings


@click.command(cls=Verb)
@click.option("-r", "--running", is_flag=True, help="Only live ones.")
def sessions(*, running: bool) -> int:
    """List shells and commands: the live ones and those that ended lately."""
    settings = current()

    async def work(engine: Engine) -> None:
        found = await engine.sessions()
        _write(settings, [one for one in found if not running or one.state == "running"])

    return call(settings, work)


@click.command(cls=Verb)
@click.argument("ids", nargs=-1, required=True, type=int, metavar="ID…")
def close(ids: tuple[int, ...]) -> int:
    """End sessions: SIGHUP first, SIGKILL for what is left after a grace time."""
    settings = current()

    async def work(engine: Engine) -> None:
        known = {session.id for session in await engine.sessions()}
        for number in ids:
            if number not in known:
                hint = "distrodeck sessions shows those there are"
                raise NotFound(f"session {number}", "no such session", hint=hint)
        for number in dict.fromkeys(ids):
            await engine.close(number)

    return call(settings, work)


def _write(settings: Settings, sessions: list[Session]) -> None:
    if output.write_json(settings, "sessions", sessions):
        return
    if settings.quiet:
        output.write_names([str(session.id) for session in sessions])
        return
    output.write_table(
        settings,
        output.Table(
            headings=("ID", "DISTRO", "STATE", "STARTED", "SIZE", "CLIENTS", "TITLE", "COMMAND"),
            right=frozenset({0, 5}),
            rows=tuple(
                (
                    str(session.id),
                    session.distro,
                    session.state
                    if session.exit_code is None
                    else f"{session.state} {session.exit_code}",
                    output.age(session.started),
                    f"{session.columns}x{session.rows}" if session.tty else "pipes",
                    str(session.clients),
                    session.title,
                    " ".join(session.argv),
                )
                for session in sessions
            ),
        ),
    )
    if not sessions:
        report.note("no sessions: distrodeck shell NAME")
