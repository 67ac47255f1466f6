"""Run the asynchronous part of a verb against the engine."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import click

from core.errors import Refused, TimedOut, deck_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from core.engine import Engine
    from tui.cli.options import Settings


class OpenEngine(Protocol):
    """The seam to :mod:`core.connect`; tests put another engine here."""

    def __call__(
        self, *, root: Path | None = None, embedded: bool = False
    ) -> AbstractAsyncContextManager[Engine]:
        """Connect; leaving the context disconnects."""
        ...


def call(settings: Settings, work: Callable[[Engine], Awaitable[int | None]]) -> int:
    """Open the engine, do ``work``, give its exit code (None is 0).

    Raises:
        TimedOut: ``--timeout`` passed first; the work was cancelled.
        DeckError: the work's own error, also out of a task group.
    """
    try:
        return asyncio.run(_call(settings, work)) or 0
    except BaseExceptionGroup as group:
        raise deck_error(group) or group from group


async def _call(settings: Settings, work: Callable[[Engine], Awaitable[int | None]]) -> int | None:
    from core.connect import open_engine

    deadline = asyncio.timeout(settings.timeout)
    try:
        async with deadline, open_engine(root=settings.root, embedded=settings.embedded) as engine:
            return await work(engine)
    except TimeoutError:
        if not deadline.expired():
            raise
        verb = click.get_current_context().info_name or "command"
        why = f"not done after {settings.timeout:g} s"
        raise TimedOut(verb, why, hint="allow more with --timeout") from None


def confirm(settings: Settings, question: str) -> None:
    """Ask on the terminal unless ``--yes`` was given.

    Raises:
        Refused: the answer is no, or there is no terminal to ask on.
    """
    if settings.yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused("nobody to ask", "standard input is not a terminal", hint="add --yes")
    with _interruptible():
        yes = click.confirm(question, default=False, err=True)
    if not yes:
        raise Refused("not confirmed", "nothing was done")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let ctrl+C end a question; asyncio's handler only marks a task that is not waiting."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
