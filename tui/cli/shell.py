"""``shell`` and ``attach``: a session in this terminal, as a plain terminal client."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

import click

from core.domain import ShellSpec
from tui.cli import report
from tui.cli.call import call
from tui.cli.choosing import choose_session
from tui.cli.client import visit
from tui.cli.options import CommandVerb, Verb, current
from tui.cli.outer import require_terminal, window_size
from tui.cli.prefix import NAME
from tui.cli.sandbox import call_command, parse_bind, parse_env, sandbox_options

if TYPE_CHECKING:
    from core.domain import Session
    from core.engine import Engine
    from tui.cli.options import Settings


@click.command(cls=CommandVerb)
@click.argument("distro")
@click.argument("argv", nargs=-1, metavar="[[--] CMD…]", type=click.UNPROCESSED)
@sandbox_options
def shell(
    distro: str,
    argv: tuple[str, ...],
    *,
    workdir: str,
    binds: tuple[str, ...],
    env: tuple[str, ...],
    user: str,
) -> int:
    """Open a shell (or CMD) in DISTRO, in this terminal.

    Every key goes to the shell but one: ctrl+] and then d leaves it running, and
    `distrodeck attach` or the console finds it again. The exit code is the shell's own.
    """
    settings = current()
    parsed = (
        tuple(parse_bind(text) for text in binds),
        tuple(filter(None, map(parse_env, env))),
    )

    async def work(engine: Engine) -> int:
        require_terminal(f"distrodeck run {distro} -- CMD")
        rows, columns = window_size()
        spec = ShellSpec(
            distro=distro,
            argv=argv,
            workdir=workdir,
            binds=parsed[0],
            env=parsed[1],
            user=user,
            rows=rows,
            columns=columns,
        )
        # While the engine opens it: the emulator takes longer to load than most shells to start.
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(import_module, "tui.cli.painter"))
            opening = group.create_task(engine.open(spec))
        return await _visit(engine, opening.result(), settings, fresh=True)

    return call_command(settings, work)


@click.command(cls=Verb)
@click.argument("session", metavar="ID")
@click.option("-r", "--read-only", is_flag=True, help="Only watch.")
def attach(session: str, *, read_only: bool) -> int:
    """Go back into a session, with its screen as it was left.

    ID is a number from `distrodeck sessions`, or the name of a distro with one live session.
    Ctrl+] and then d leaves it running.
    """
    settings = current()

    async def work(engine: Engine) -> int:
        require_terminal("distrodeck sessions")
        found = choose_session(await engine.sessions(), session)
        return await _visit(engine, found, settings, read_only=read_only)

    return call(settings, work)


async def _visit(
    engine: Engine,
    session: Session,
    settings: Settings,
    *,
    fresh: bool = False,
    read_only: bool = False,
) -> int:
    if not settings.quiet:
        report.note(f"session {session.id} in {session.distro}; {NAME} d leaves it running")
    async with engine.attach(session.id, viewer=read_only) as attachment:
        left = await visit(attachment, fresh=fresh)
    if left.exit_code is not None:
        return left.exit_code
    if left.signal:
        return 128 + left.signal
    if not settings.quiet:
        report.note("")
        report.note(f"left session {session.id}; back with: distrodeck attach {session.id}")
    return report.OK
