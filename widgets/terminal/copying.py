"""Copy mode of a pane: keys and searches in, messages out.

Searching takes turns with everything else of the application: a slice of some milliseconds,
then a rest, until the next match is found or every line was looked at.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from core.terminal.lines import Position
from core.terminal.links import is_safe, link_at
from core.terminal.search import search
from widgets.terminal.copy_keys import COMMANDS
from widgets.terminal.copy_mode import CopyMode

if TYPE_CHECKING:
    import re

    from core.terminal.search import Direction
    from widgets.terminal.pane import TerminalPane

SLICE = 0.004
"""Seconds of searching before others get their turn."""


class Copying:
    """Begins, drives and ends the copy mode of one pane."""

    def __init__(self, pane: TerminalPane) -> None:
        self._pane = pane
        self._before: tuple[Position, int] | None = None

    @property
    def mode(self) -> CopyMode | None:
        """The state while in copy mode."""
        return self._pane.view.copy

    def begin(self) -> CopyMode:
        """Hold still what is seen; the cursor of copy mode begins at the program's."""
        view = self._pane.view
        if view.copy is None:
            view.locate()
            view.copy = CopyMode(self._pane.terminal, view.top, view.height)
            self._tell()
        return view.copy

    def leave(self) -> None:
        """Back to the program's screen as it is now."""
        view = self._pane.view
        if view.copy is not None:
            view.copy = None
            view.selection = None
            view.back = 0
            self._tell()

    def _tell(self) -> None:
        self._pane.post_message(self._pane.Looked(self._pane))
        self._pane.repaint()

    def scroll(self, lines: int) -> None:
        """Look further back (positive) or forward again."""
        if self._pane.view.scroll(lines):
            self._tell()

    def press(self, key: str) -> None:
        """Do what a key means; one that means nothing rings the bell."""
        mode = self.mode
        if mode is not None and mode.type_digit(key):
            return
        command = COMMANDS.get(key)
        if command:
            self.carry_out(command)
        else:
            self._pane.app.bell()

    def carry_out(self, command: str) -> None:
        """Do a command of :data:`widgets.terminal.copy_keys.COPY_KEYS`; the bell: it cannot be."""
        mode = self.begin()
        if command in ("copy", "open_link"):
            self._finish(mode, command)
        elif command == "leave":
            self.leave()
        elif command in ("search_down", "search_up"):
            mode.direction = 1 if command == "search_down" else -1
            self._before = mode.cursor, mode.top
            self._pane.post_message(self._pane.SearchWanted(self._pane))
        elif command in ("search_next", "search_previous"):
            same = command == "search_next"
            self._search_on(mode, mode.direction if same else _other(mode.direction))
        elif not mode.carry_out(command):
            self._pane.app.bell()
        self._tell()

    def _finish(self, mode: CopyMode, command: str) -> None:
        if text := mode.text():
            self.leave()
            self._pane.post_message(self._pane.Copied(self._pane, text))
        elif command == "open_link" and (address := link_at(mode.lines, mode.cursor)):
            self.open(address)
        else:
            self._pane.app.bell()

    def open(self, address: str) -> None:
        """Ask for an address to be opened, if it is one that may be."""
        if is_safe(address):
            self._pane.post_message(self._pane.LinkWanted(self._pane, address))
        else:
            self._pane.app.bell()

    # searching

    def look_for(self, pattern: re.Pattern[str] | None, *, done: bool) -> None:
        """Go to the first match from where the search began; None: back to there.

        Args:
            pattern: What is searched for.
            done: It is typed to its end, so that the next search begins here.
        """
        mode = self.mode
        if mode is None or self._before is None:
            return
        cursor, top = self._before
        mode.pattern = pattern
        mode.top = top
        mode.go(cursor)
        if done:
            self._before = None
        if pattern is None:
            self._pane.workers.cancel_group(self._pane, "search")
            self._tell()
        else:
            self._search_on(mode, mode.direction, quiet=not done)

    def _search_on(self, mode: CopyMode, direction: Direction, *, quiet: bool = False) -> None:
        if mode.pattern is None:
            self._pane.app.bell()
            return
        searching = self._search(mode, mode.pattern, direction, quiet=quiet)
        self._pane.run_worker(searching, group="search", exclusive=True)

    async def _search(
        self, mode: CopyMode, pattern: re.Pattern[str], direction: Direction, *, quiet: bool
    ) -> None:
        lines = mode.lines
        ends = {1: Position(lines.first_line, -1), -1: Position(lines.end_line, 0)}
        for start in (mode.cursor, ends[direction]):
            until = time.monotonic() + SLICE
            for match in search(lines, pattern, start, direction):
                if mode is not self.mode:
                    return
                if match is not None:
                    mode.go(match.start)
                    self._tell()
                    if start is not mode.cursor and start is ends[direction] and not quiet:
                        self._notice("the search went on at the other end")
                    return
                if time.monotonic() > until:
                    await asyncio.sleep(0)
                    until = time.monotonic() + SLICE
        self._tell()
        if not quiet:
            self._notice(f"not found: {pattern.pattern}")

    def _notice(self, text: str) -> None:
        self._pane.post_message(self._pane.Notice(self._pane, text))


def _other(direction: Direction) -> Direction:
    return 1 if direction < 0 else -1
