"""Looking back with the keyboard: a cursor among lines that stand still, and what it marks.

While a pane is in copy mode its program's output is parsed as ever; what is shown is the moment
at which copy mode began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.terminal import motions
from core.terminal.lines import Position
from core.terminal.links import link_before
from core.terminal.lookback import Lookback, first_row, logical_line
from core.terminal.prompts import output_before, prompt_above, prompt_below
from core.terminal.search import matches_in
from core.terminal.selection import Selection

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from core.terminal.lookback import Lines
    from core.terminal.search import Direction, Match
    from core.terminal.selection import Shape
    from core.terminal.terminal import Terminal

_COUNT_LIMIT = 9999
_VERTICAL = frozenset(
    {"down", "up", "half_page_down", "half_page_up", "page_down", "page_up"}
    | {"window_top", "window_middle", "window_bottom"}
)
"""Commands after which the cursor returns to its column where a line is long enough."""
_SHAPES: dict[str, Shape] = {
    "mark_characters": "characters",
    "mark_lines": "lines",
    "mark_block": "block",
}


def scrolled(mode: CopyMode) -> str:
    """``scroll 1,240/10,000``: how many lines back the window is, of how many."""
    return f"scroll {mode.back:,}/{mode.depth:,}"


def _oldest(lines: Lines, _at: Position) -> Position:
    return Position(lines.first_line, 0)


def _newest(lines: Lines, _at: Position) -> Position:
    return Position(lines.end_line - 1, 0)


_MOTIONS: dict[str, Callable[[Lines, Position], Position | None]] = {
    "left": motions.left,
    "right": motions.right,
    "next_word": motions.next_word,
    "previous_word": motions.previous_word,
    "word_end": motions.word_end,
    "line_start": motions.line_start,
    "text_start": motions.text_start,
    "line_end": motions.line_end,
    "oldest": _oldest,
    "newest": _newest,
    "previous_prompt": prompt_above,
    "next_prompt": prompt_below,
    "previous_link": link_before,
}


class CopyMode:
    """The state of copy mode in a window of some height."""

    def __init__(self, terminal: Terminal, top: int, height: int) -> None:
        self.lines = Lookback(terminal)
        """What is looked at."""
        self.top = top
        """Number of the line in the window's first row."""
        self.height = max(height, 1)
        cursor = terminal.cursor
        self.cursor = Position(terminal.screen_line + cursor.y, cursor.x)
        self.selection: Selection | None = None
        self.pattern: re.Pattern[str] | None = None
        """What was searched for; its matches are drawn."""
        self.direction: Direction = 1
        self.count = ""
        """Digits typed before a command."""
        self._column = self.cursor.column
        self._matches: tuple[object, dict[int, list[Match]]] = (None, {})
        self._scroll_to(top)
        self.go(self.cursor if self._is_seen(self.cursor) else Position(self._bottom, 0))

    @property
    def depth(self) -> int:
        """Lines above the screen."""
        return self.lines.screen_line - self.lines.first_line

    @property
    def back(self) -> int:
        """Lines of which the window is above the screen."""
        return max(0, self.lines.screen_line - self.top)

    @property
    def _bottom(self) -> int:
        return min(self.top + self.height, self.lines.end_line) - 1

    def _is_seen(self, place: Position) -> bool:
        return self.top <= place.line <= self._bottom

    def text(self) -> str:
        """What is marked."""
        return self.selection.text(self.lines) if self.selection else ""

    def select(self, selection: Selection | None) -> None:
        """Mark something else, or nothing; the cursor goes to its end."""
        self.selection = None
        if selection:
            self.go(selection.head)
        self.selection = selection

    def go(self, place: Position) -> None:
        """Put the cursor on a cell, with the end of what is being marked; show it."""
        self.cursor = motions.settle(self.lines, place)
        self._column = self.cursor.column
        self._follow()

    def _follow(self) -> None:
        if self.selection:
            self.selection = Selection(self.selection.anchor, self.cursor, self.selection.shape)
        if self.cursor.line < self.top:
            self._scroll_to(self.cursor.line)
        elif self.cursor.line > self._bottom:
            self._scroll_to(self.cursor.line - self.height + 1)

    def _scroll_to(self, top: int) -> None:
        last = max(self.lines.first_line, self.lines.end_line - self.height)
        self.top = min(max(top, self.lines.first_line), last)

    def scroll(self, lines: int) -> bool:
        """Move the window up (positive) or down, the cursor staying in it; whether it moved."""
        before = self.top
        self._scroll_to(self.top - lines)
        if not self._is_seen(self.cursor):
            row = min(max(self.cursor.line, self.top), self._bottom)
            self.cursor = motions.settle(self.lines, Position(row, self._column))
        return self.top != before

    def resize(self, rows: int, columns: int) -> None:
        """The terminal has another size: lines flow, cursor and marks stay on their text."""
        points = [self.cursor, Position(self.top, 0)]
        if self.selection:
            points += [self.selection.anchor, self.selection.head]
        self.cursor, top, *ends = self.lines.resize(rows, columns, points)
        if self.selection:
            self.selection = Selection(ends[0], ends[1], self.selection.shape)
        self._matches = (None, {})
        self._scroll_to(top.line)
        self.go(self.cursor)

    def set_height(self, height: int) -> None:
        """The window has another height."""
        self.height = max(height, 1)
        self._scroll_to(self.top)
        self._follow()

    # commands

    def type_digit(self, key: str) -> bool:
        """Take a digit of a count; False for another key, and for a zero that begins none."""
        if len(key) != 1 or not key.isdigit() or (key == "0" and not self.count):
            return False
        self.count = str(min(int(self.count + key), _COUNT_LIMIT))
        return True

    def carry_out(self, command: str) -> bool:
        """Do what a key means; False where there is nothing to do it on."""
        times, self.count = int(self.count or 1), ""
        if command in _SHAPES:
            self._mark(_SHAPES[command])
            return True
        if command in _VERTICAL:
            self._move_vertically(command, times)
            return True
        if command == "mark_output":
            return self._mark_output()
        motion = _MOTIONS[command]
        for _ in range(times):
            place = motion(self.lines, self.cursor)
            if place is None:
                return False
            self.go(place)
        return True

    def _mark(self, shape: Shape) -> None:
        if self.selection and self.selection.shape == shape:
            self.selection = None
        else:
            anchor = self.selection.anchor if self.selection else self.cursor
            self.selection = Selection(anchor, self.cursor, shape)

    def _mark_output(self) -> bool:
        end = Position(self.lines.end_line, 0)
        marked = self.selection
        # Pressed again it is the command before.
        before = marked.ends[0] if marked and marked.shape == "characters" else end
        found = output_before(self.lines, before)
        if found is None:
            return False
        self.selection = None
        self.go(found.head)
        self.go(found.anchor)
        self.selection = Selection(found.head, found.anchor)
        return True

    def _move_vertically(self, command: str, times: int) -> None:
        page = {"half": max(self.height // 2, 1), "page": max(self.height - 2, 1)}
        name = command.partition("_")[0]
        column = self._column
        if name == "window":
            rows = {"window_top": self.top, "window_bottom": self._bottom}
            row = rows.get(command, (self.top + self._bottom) // 2)
        else:
            step = page.get(name, 1) * times * (1 if command.endswith("down") else -1)
            row = self.cursor.line + step
            if name in page:
                self._scroll_to(self.top + step)
        self.cursor = motions.settle(self.lines, Position(row, column))
        self._follow()

    # searching

    def matches_at(self, number: int) -> list[Match]:
        """Matches that are to be drawn in a line of the window."""
        if self.pattern is None:
            return []
        key = (self.pattern, self.top, self.height)
        if self._matches[0] != key:
            self._matches = (key, self._find_in_window(self.pattern))
        return self._matches[1].get(number, [])

    def _find_in_window(self, pattern: re.Pattern[str]) -> dict[int, list[Match]]:
        found: dict[int, list[Match]] = {}
        row = first_row(self.lines, self.top)
        while row < self.top + self.height and (line := logical_line(self.lines, row)):
            for match in matches_in(line, pattern):
                for number in range(match.start.line, match.end.line + 1):
                    found.setdefault(number, []).append(match)
            row = line.end
        return found
