"""Carry one session's bytes between the engine and its pane.

Output goes straight into the pane's emulator and keys straight out: no message queue between.
As the session's controller the console hands in checkpoints of the screen, so that the next
console that attaches need not read the whole log again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from core.errors import DeckError

if TYPE_CHECKING:
    from core.engine import Attachment, Engine, Output
    from widgets.terminal.pane import TerminalPane

RESIZE, RESTORE = 0, 3
"""Kinds of output that are no text, see :attr:`core.engine.Output.stream`."""
CHECKPOINT_BYTES = 256 * 1024
"""Output after which a checkpoint is handed in, however busy the session is."""
CHECKPOINT_QUIET = 2.0
"""Seconds of silence after output, after which one is handed in."""


class ShellLink:
    """One attachment, from attach to the session's end or to :meth:`run` being cancelled."""

    def __init__(self, engine: Engine, session: int, pane: TerminalPane) -> None:
        self.engine = engine
        """Whom to ask for the session; the attachment itself outlives a lost engine."""
        self._session = session
        self._pane = pane
        self._typed = bytearray()
        self._size: tuple[int, int] | None = None
        self._outgoing = asyncio.Event()
        self._fresh = asyncio.Event()
        self._emulator = asyncio.Lock()
        self.offset = 0
        """Position in the session's log up to which the pane shows it."""
        self._since = 0
        self._torn = False
        self.replaying = True
        """False from the first output that is news."""
        self.seen = 0
        """Position up to which somebody saw it: its history, and what came while in front."""
        self._attachment: Attachment | None = None

    @property
    def controller(self) -> bool:
        """False while another console controls the session and this one only looks on."""
        return self._attachment is None or self._attachment.controller

    def type(self, data: bytes) -> None:
        """Send ``data`` in order; never waits, whatever the session reads."""
        self._typed += data
        self._outgoing.set()

    def resize(self, rows: int, columns: int) -> None:
        """Send the newest size."""
        self._size = rows, columns
        self._outgoing.set()

    async def run(self) -> int:
        """Show the session until it ends; its exit code. Cancelling detaches."""
        async with self.engine.attach(self._session) as attachment:
            self._attachment = attachment
            self._pane.restore(attachment.checkpoint, *attachment.checkpoint_size)
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(self._send(attachment))
                keeping = tasks.create_task(self._keep(attachment))
                try:
                    async for output in attachment.output():
                        await self._take(output, attachment)
                except asyncio.CancelledError:
                    await self._hand_in(attachment)
                    raise
                finally:
                    sending.cancel()
                    keeping.cancel()
            return await attachment.exit_code()

    async def _take(self, output: Output, attachment: Attachment) -> None:
        self.replaying = output.replay
        async with self._emulator:
            self._pane.set_answering(attachment.controller and not output.replay)
            self._torn = True
            if output.stream == RESIZE:
                self._pane.replay_resize(*output.size)
            elif output.stream == RESTORE:
                self._pane.restore(output.data, *output.size)
            else:
                await self._pane.offer(output.data)
            self.offset = output.offset
            self._torn = False
            if output.replay:
                self.seen = output.offset
            self._since += len(output.data)
        self._fresh.set()
        if self._since >= CHECKPOINT_BYTES:
            await self._hand_in(attachment)

    async def _send(self, attachment: Attachment) -> None:
        while True:
            await self._outgoing.wait()
            self._outgoing.clear()
            # A session that ended takes no more; its output says so.
            with suppress(DeckError):
                if self._size:
                    size, self._size = self._size, None
                    await attachment.resize(*size)
                if self._typed:
                    data = bytes(self._typed)
                    self._typed.clear()
                    await attachment.write(data)

    async def _keep(self, attachment: Attachment) -> None:
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            try:
                async with asyncio.timeout(CHECKPOINT_QUIET):
                    await self._fresh.wait()
            except TimeoutError:
                await self._hand_in(attachment)

    async def _hand_in(self, attachment: Attachment) -> None:
        if not attachment.controller or not self._since:
            return
        async with self._emulator:
            if self._torn:
                return  # given up inside a piece: the screen belongs to no offset
            self._since = 0
            checkpoint, offset = self._pane.checkpoint(), self.offset
        # Without it the next console reads more of the log, no more.
        with suppress(DeckError):
            await attachment.hand_in(checkpoint, offset)
