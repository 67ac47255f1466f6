"""What ``run`` and ``shell`` share: flags that shape a session, and how an error ends them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

import click

from core.domain import Mount
from core.errors import Cancelled, CommandNotExecutable, CommandNotFound, DeckError, TimedOut
from tui.cli import report
from tui.cli.call import call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.engine import Engine
    from tui.cli.options import Settings

Command = TypeVar("Command", bound="Callable[..., object]")

_OWN_CODE = (CommandNotFound, CommandNotExecutable, TimedOut, Cancelled)
"""Errors that keep their exit code; any other of the engine's is 125."""


def sandbox_options(command: Command) -> Command:
    """Add ``--workdir``, ``--bind``, ``--env`` and ``--user``."""
    for option in (
        click.option("-u", "--user", default="", metavar="USER[:GROUP]", help="Who to be."),
        click.option(
            "-e",
            "--env",
            multiple=True,
            metavar="K[=V]",
            help="Set a variable, or pass on this shell's; repeatable.",
        ),
        click.option(
            "-b",
            "--bind",
            "binds",
            multiple=True,
            metavar="HOST:GUEST[:ro]",
            help="Show a folder or file of this host; repeatable.",
        ),
        click.option("-w", "--workdir", default="", metavar="DIR", help="Where to start."),
    ):
        command = option(command)
    return command


def parse_bind(text: str) -> Mount:
    """``HOST:GUEST[:ro|:rw]``; a relative HOST is taken from the working directory.

    Raises:
        click.BadParameter: a part is missing or the target is not absolute.
    """
    source, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    if not source or not target.startswith("/") or mode not in ("", "ro", "rw"):
        raise click.BadParameter(f"{text!r} is not HOST:GUEST[:ro]", param_hint="--bind")
    absolute = os.path.abspath(os.path.expanduser(source))  # noqa: PTH100, PTH111
    return Mount(source=absolute, target=target, read_only=mode == "ro")


def parse_env(text: str) -> tuple[str, str] | None:
    """``K=V``, or ``K`` for the value it has here; None: it has none.

    Raises:
        click.BadParameter: there is no name.
    """
    name, equals, value = text.partition("=")
    if not name:
        raise click.BadParameter(f"{text!r} has no name", param_hint="--env")
    if not equals:
        return (name, os.environ[name]) if name in os.environ else None
    return name, value


def call_command(settings: Settings, work: Callable[[Engine], Awaitable[int]]) -> int:
    """Do ``work``, whose exit code is a command's own; the engine's errors are 125."""
    try:
        return call(settings, work)
    except DeckError as error:
        report.tell_error(error, as_json=settings.format != "table", debug=settings.debug)
        return error.exit_code if isinstance(error, _OWN_CODE) else report.NOT_STARTED
