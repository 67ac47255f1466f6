"""Join the person's terminal to a session, until it ends or the person leaves it.

Live output passes through byte for byte, and the terminal itself answers what a program asks.
History is painted (:mod:`tui.cli.painter`), so that nothing is answered twice.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import DeckError
from tui.cli.answers import without_answers
from tui.cli.display import Display
from tui.cli.outer import INPUT, raw_mode, window_size
from tui.cli.prefix import Prefix
from tui.cli.pump import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.engine import Attachment

_TYPED_AHEAD = 256
"""Pieces of input held for a session that does not read; the prefix works meanwhile."""

_SEND_SECONDS = 1.0
"""How long what was typed before leaving may take to arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How a visit to a session ended."""

    exit_code: int | None = None
    """The command's own; None: it runs on."""
    signal: int = 0
    """The signal that ended this client; the session runs on."""


async def visit(attachment: Attachment, *, fresh: bool) -> Left:
    """Give the terminal to the session, and take it back.

    Args:
        attachment: The hold on it; what a mere viewer types is ignored by the engine.
        fresh: It was opened just now, so that its screen begins where the cursor stands and
            does not take the whole window.
    """
    display = Display(attachment, fresh=fresh)
    loop = asyncio.get_running_loop()
    left: asyncio.Future[Left] = loop.create_future()

    def leave(how: Left) -> None:
        if not left.done():
            left.set_result(how)

    with raw_mode():
        try:
            async with asyncio.TaskGroup() as group:
                working = [
                    group.create_task(_type(attachment, display, leave)),
                    group.create_task(_show(attachment, display, leave)),
                    group.create_task(_follow_size(attachment)),
                ]
                for number in (signal.SIGHUP, signal.SIGTERM):
                    loop.add_signal_handler(number, leave, Left(signal=number))
                try:
                    return await left
                finally:
                    for number in (signal.SIGHUP, signal.SIGTERM):
                        loop.remove_signal_handler(number)
                    for task in working:
                        task.cancel()
        finally:
            await display.close()


async def _follow_size(attachment: Attachment) -> None:
    """Keep the session as large as the window."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()
    loop.add_signal_handler(signal.SIGWINCH, changed.set)
    try:
        while True:
            changed.clear()
            await attachment.resize(*window_size())
            await changed.wait()
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)


async def _show(attachment: Attachment, display: Display, leave: Callable[[Left], None]) -> None:
    async for piece in attachment.output():
        await display.show(piece)
    display.paint()
    leave(Left(exit_code=await attachment.exit_code()))


async def _type(attachment: Attachment, display: Display, leave: Callable[[Left], None]) -> None:
    """Send what is typed, but for the prefix."""
    prefix = Prefix()
    pending: asyncio.Queue[bytes] = asyncio.Queue(_TYPED_AHEAD)
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(_send(attachment, pending))
        while data := await read(INPUT):
            typed = prefix.feed(data if attachment.controller else without_answers(data))
            if typed.bell:
                display.ring()
            if typed.data:
                await pending.put(typed.data)
            if typed.detach:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_SEND_SECONDS):
                        await pending.join()
                leave(Left())
                break
        else:
            leave(Left(signal=signal.SIGHUP))
        sending.cancel()


async def _send(attachment: Attachment, pending: asyncio.Queue[bytes]) -> None:
    try:
        while True:
            await attachment.write(await pending.get())
            pending.task_done()
    except DeckError:
        return  # it ended; the output says so
