"""Write what comes in pieces as it comes: values as lines or JSON, and plain bytes.

The same shapes as :mod:`tui.cli.output` writes, without holding all of it.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, TypeVar

from core.errors import Conflict, Refused
from tui.cli.call import call
from tui.cli.output import plain, write_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from core.engine import Engine
    from tui.cli.options import Settings


T = TypeVar("T")


class Writer:
    """Takes values one by one; made by :func:`items`."""

    def __init__(self, settings: Settings) -> None:
        self._format = settings.format
        self._first = True

    def write(self, value: T, line: Callable[[T], str]) -> None:
        """One value; ``line`` gives what a person reads."""
        if self._format == "jsonl":
            write_line(json.dumps(plain(value)))
        elif self._format == "json":
            sys.stdout.write("\n" if self._first else ",\n")
            sys.stdout.write(json.dumps(plain(value)))
        else:
            write_line(line(value))
        self._first = False


@contextmanager
def items(settings: Settings, schema: str) -> Iterator[Writer]:
    """The frame around values; after an error a JSON document stays open, so that none reads it."""
    writer = Writer(settings)
    if settings.format == "json":
        sys.stdout.write(f'{{"schema": "distrodeck.{schema}/1", "items": [')
    yield writer
    if settings.format == "json":
        write_line("\n]}")


def pass_on(
    settings: Settings,
    open_bytes: Callable[[Engine], AbstractAsyncContextManager[AsyncIterator[bytes]]],
    name: str = "-",
    *,
    binary: bool = False,
    force: bool = False,
) -> int:
    """Write bytes to the file ``name``, or to standard output (``-``).

    Raises:
        Conflict: the file is there and ``force`` is not set.
        Refused: ``binary`` data for a terminal.
    """
    if name == "-" and binary and sys.stdout.isatty():
        hint = "name a file, or send it into a pipe"
        raise Refused("archive", "a terminal cannot show it", hint=hint)

    async def work(engine: Engine) -> None:
        async with open_bytes(engine) as pieces:
            first = await anext(pieces, b"")  # before the file is made: there may be an error
            with _target(name, force=force) as file:
                file.write(first)
                async for piece in pieces:
                    file.write(piece)
                file.flush()

    return call(settings, work)


@contextmanager
def _target(name: str, *, force: bool) -> Iterator[IO[bytes]]:
    if name == "-":
        sys.stdout.flush()
        yield sys.stdout.buffer
        return
    try:
        descriptor = os.open(
            name, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL), 0o666
        )
    except FileExistsError:
        raise Conflict(name, "is there already", hint="add --force to replace it") from None
    with open(descriptor, "wb") as file:
        yield file
