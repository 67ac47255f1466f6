"""The console script ``distrodeck``: read the command line, run a verb, end with its code.

Exit codes are listed in ``docs/`` and in :mod:`core.errors`; 2 is a command line that cannot
be understood, 130 ctrl+C, 141 a reader that went away.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from core.errors import DeckError
from core.version import VERSION
from tui.cli import report
from tui.cli.options import Settings
from tui.cli.verbs import Verbs, on_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMPLETE = "_DISTRODECK_COMPLETE"
"""Set by click's completion scripts; the answer then goes to the shell and not to a person."""


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(VERSION, message="distrodeck %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> int:
    """Pull Linux distro images and live in them.

    Without a verb: the console, full screen. Flags may stand before or after the verb.
    """
    if ctx.invoked_subcommand is not None:
        return report.OK
    if not on_terminal():
        click.echo(ctx.get_help(), err=True)
        return report.USAGE
    return _console(Settings.of(ctx))


def _console(settings: Settings) -> int:
    from core.connect import open_engine
    from core.paths import find_paths
    from tui.app import run_console

    opening = partial(open_engine, root=settings.root, embedded=settings.embedded)
    return run_console(opening, state=find_paths(settings.root).state)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; every way it can end is an exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = report.wants_json(words)
    _open_standard_files()
    if _COMPLETE in os.environ:
        cli.main(words, prog_name="distrodeck")
    try:
        code = _run(words, as_json=as_json)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return report.PIPE_CLOSED
    except OSError as error:
        _discard_output()
        report.tell_error(_explained(error), as_json=as_json)
        return report.FAILURE
    return code


def _run(words: list[str], *, as_json: bool) -> int:
    debug = "--debug" in words  # click empties the list
    try:
        # Not `cli.main`, which has its own idea of how a broken pipe ends.
        with cli.make_context("distrodeck", words) as ctx:
            code = cli.invoke(ctx)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        _tell_usage(error, as_json=as_json)
        return report.USAGE
    except DeckError as error:
        report.tell_error(error, as_json=as_json, debug=debug)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return report.INTERRUPTED
    return code if isinstance(code, int) else report.OK


def _explained(error: OSError) -> DeckError:
    """What the system refused to this process itself, such as writing its output."""
    what = str(error.filename or "standard output")
    return DeckError(what, (error.strerror or str(error)).lower())


def _tell_usage(error: click.UsageError, *, as_json: bool) -> None:
    path = error.ctx.command_path if error.ctx else "distrodeck"
    hint = f"{path} --help"
    if as_json:
        report.tell_json("usage", error.format_message(), hint)
        return
    report.note(f"{path}: {error.format_message()}")
    report.note(f"  try: {hint}")


def _open_standard_files() -> None:
    """Give a closed descriptor 0, 1 or 2 something harmless, before a socket takes its number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Keep the interpreter from flushing into a pipe that nobody reads, and complaining."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
