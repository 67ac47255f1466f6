"""A recording played in a pane: pause, speed, and any moment of it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message

from core.terminal.asciicast import NotARecording
from widgets.terminal.canvas import TerminalCanvas

if TYPE_CHECKING:
    from core.terminal.player import Player

SLICE = 0.004
"""Seconds of playing before others get their turn."""
STEP = 5.0
"""Seconds of the recording that one press of an arrow key moves."""
TOLD = 0.25
"""Longest time between two messages about the moment while it plays."""
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


class Replay(TerminalCanvas, can_focus=True, inherit_bindings=False):
    """Plays a recording from its beginning. The player's file is the owner's to close."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause", show=False),
        Binding("plus,equals_sign,greater_than_sign", "speed(1)", "Faster", show=False),
        Binding("minus,less_than_sign", "speed(-1)", "Slower", show=False),
        Binding("right,l", f"move({STEP})", "Forward", show=False),
        Binding("left,h", f"move(-{STEP})", "Back", show=False),
        Binding("g,home", "go(0)", "Beginning", show=False),
        Binding("G,end", "go(10)", "End", show=False),
        *(Binding(str(n), f"go({n})", f"{n}/10", show=False) for n in range(10)),
    ]

    @dataclass
    class Moved(Message):
        """Another moment is shown, or another pace was chosen."""

        replay: Replay

    @dataclass
    class Damaged(Message):
        """The recording cannot be played further."""

        error: NotARecording

    def __init__(self, player: Player, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(player.terminal, id=id)
        self.player = player
        """What is played."""
        self.paused = False
        """Whether it stands still."""
        self.speed = 1.0
        """How many times as fast as it was recorded."""
        self._wanted: float | None = None
        self._changed = asyncio.Event()
        self._told = 0.0

    def on_mount(self) -> None:
        """Begin."""
        self.view.focused = True
        self._play()

    @work
    async def _play(self) -> None:
        try:
            while True:
                await self._seek()
                if self.paused or self.player.ended:
                    self.paused = True
                    self._tell()
                    await self._changed.wait()
                else:
                    await self._run()
                self._changed.clear()
        except NotARecording as error:
            self.post_message(self.Damaged(error))

    async def _seek(self) -> None:
        """Show the moment that was asked for, if there is one."""
        while (moment := self._wanted) is not None:
            self._wanted = None
            if moment < self.player.time:
                self.player.go_back(moment)
                self.view.replace(self.player.terminal)
            while self._wanted is None:
                if self.player.play(moment, SLICE):
                    break
                await asyncio.sleep(0)
            self.repaint()
            self._tell()

    async def _run(self) -> None:
        """Play at the chosen pace until something is changed, or to the end."""
        began, start, speed = time.monotonic(), self.player.time, self.speed
        while not self._changed.is_set() and not self.player.ended:
            due = start + (time.monotonic() - began) * speed
            whole = self.player.play(due, SLICE)
            self.repaint(held=self.player.terminal.modes.synchronized)
            if time.monotonic() - self._told >= TOLD:
                self._tell()
            rest = TOLD
            if not whole:
                # More than can be shown at this pace: it takes the time it takes.
                began, start, rest = time.monotonic(), self.player.time, 0.0
            elif self.player.wait is not None:
                rest = min(TOLD, self.player.wait / speed)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(rest, 0.001)):
                    await self._changed.wait()

    def _tell(self) -> None:
        self._told = time.monotonic()
        self.post_message(self.Moved(self))

    def _change(self) -> None:
        self._changed.set()
        self._tell()

    def action_pause(self) -> None:
        """Stand still, or go on; at the end, begin again."""
        if self.paused and self.player.ended:
            self._wanted = 0.0
        self.paused = not self.paused
        self._change()

    def action_speed(self, step: int) -> None:
        """The next faster or slower pace."""
        index = SPEEDS.index(self.speed) + step
        self.speed = SPEEDS[min(max(index, 0), len(SPEEDS) - 1)]
        self._change()

    def action_move(self, seconds: float) -> None:
        """Some seconds of the recording forward, or back."""
        now = self.player.time if self._wanted is None else self._wanted
        self._wanted = max(0.0, now + seconds)
        self._change()

    def action_go(self, tenths: int) -> None:
        """To so many tenths of the whole, as far as its length is known."""
        if self.player.duration is not None:
            self._wanted = self.player.duration * tenths / 10
            self._change()
