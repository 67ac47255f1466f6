"""What the person sees of a session: first its screen as it was left, then its output."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.cli.outer import OUTPUT, Switches
from tui.cli.pump import Writer

if TYPE_CHECKING:
    from core.engine import Attachment, Output
    from core.terminal.terminal import Terminal

_SETTLE = 0.02
"""Seconds without more history after which it is painted; live output paints it at once."""

ANEW = 3
"""Stream number of a checkpoint that takes the place of output this client was too slow for."""

_CLOSE = 1.0
"""Seconds that a terminal which does not take our bytes is waited for at the end."""


class Display:
    """Feeds history to an emulator and paints that; passes live output through."""

    def __init__(self, attachment: Attachment, *, fresh: bool) -> None:
        self._writer = Writer(OUTPUT)
        self._switches = Switches()
        self._whole = not fresh
        self._size = attachment.checkpoint_size
        self._terminal: Terminal | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._painted = False
        self._live = False
        if attachment.checkpoint:
            self._restore(attachment.checkpoint)

    def _restore(self, checkpoint: bytes) -> None:
        from core.terminal.checkpoint import CheckpointError
        from core.terminal.terminal import Terminal

        try:
            self._terminal = Terminal.restore(checkpoint)
        except CheckpointError:  # of another version: the output after it is still worth showing
            self._terminal = Terminal(*self._size, scrollback=0)
        self._paint_soon()

    async def show(self, piece: Output) -> None:
        """Take the next piece of what the session wrote, in order."""
        if piece.replay or not (piece.data or self._live):
            self._remember(piece)
        elif piece.data:
            self.paint()
            self._live = True
            self._terminal = None
            self._switches.see(piece.data)
            await self._writer.write(piece.data)

    def _remember(self, piece: Output) -> None:
        if piece.stream == ANEW:
            self._size = piece.size
            self._restore(piece.data)
            return
        if all(piece.size):
            self._size = piece.size
            if self._terminal:
                self._terminal.resize(*piece.size)
                self._paint_soon()
        if piece.data:
            if self._terminal is None:
                from core.terminal.terminal import Terminal

                self._terminal = Terminal(*self._size, scrollback=0)
            self._terminal.feed(piece.data)
            self._paint_soon()

    def _paint_soon(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_SETTLE, self.paint)

    def paint(self) -> None:
        """Show the history now, if there is any that is not shown."""
        if self._timer is None or self._terminal is None:
            return
        from tui.cli.painter import paint

        self._timer.cancel()
        self._timer = None
        picture = paint(self._terminal, whole=self._whole or self._painted)
        if self._painted:
            picture = self._switches.undo() + picture
        self._painted = True
        self._switches.see(picture)
        self._writer.put(picture)

    def ring(self) -> None:
        """The bell: this key means nothing here."""
        self._writer.put(b"\a")

    async def close(self) -> None:
        """Put the terminal right and wait until it has it all."""
        if self._timer:
            self._timer.cancel()
        self._writer.put(self._switches.undo())
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(_CLOSE):
                await self._writer.flush()
