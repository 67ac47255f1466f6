"""``run``: a command in a distro, its streams and exit code as if it ran here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.domain import ShellSpec
from tui.cli.options import CommandVerb, current
from tui.cli.pump import pump
from tui.cli.sandbox import call_command, parse_bind, parse_env, sandbox_options

if TYPE_CHECKING:
    from core.engine import Engine


@click.command(cls=CommandVerb, options_metavar="[OPTIONS]")
@click.argument("distro")
@click.argument("argv", nargs=-1, required=True, metavar="[--] CMD…", type=click.UNPROCESSED)
@sandbox_options
def run(
    distro: str,
    argv: tuple[str, ...],
    *,
    workdir: str,
    binds: tuple[str, ...],
    env: tuple[str, ...],
    user: str,
) -> int:
    """Run CMD in DISTRO.

    Standard input, output and error are the command's own, byte for byte, and so is the exit
    code (128 + signal if a signal ended it). 125: it could not be started; 126: it is not
    executable; 127: there is no such command. `exec` is the same verb.
    """
    spec = ShellSpec(
        distro=distro,
        argv=argv,
        workdir=workdir,
        binds=tuple(parse_bind(text) for text in binds),
        env=tuple(filter(None, map(parse_env, env))),
        user=user,
        tty=False,
        bound=True,
    )

    async def work(engine: Engine) -> int:
        session = await engine.open(spec)
        ended = False
        try:
            async with engine.attach(session.id) as attachment:
                code = await pump(attachment, lambda: engine.close(session.id))
                ended = True
        finally:
            if not ended:
                await engine.close(session.id)
        return code

    return call_command(current(), work)
