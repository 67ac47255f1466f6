"""Lines of a terminal by number: as they are now, or held still while output goes on.

A line that wrapped and those it goes on in are one *logical* line: what a program wrote between
two line ends. Searching, copying and finding addresses work on these.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.terminal.history import pack, unpack
from core.terminal.lines import EARLY, Line, Position
from core.terminal.reflow import rewrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.terminal.marks import Mark
    from core.terminal.terminal import Terminal

LOGICAL_LIMIT = 2048
"""Rows taken together at most; a longer logical line is several."""


class Lines(Protocol):
    """Numbered lines; a terminal is this, too."""

    @property
    def first_line(self) -> int:
        """Number of the oldest line there is."""
        ...

    @property
    def end_line(self) -> int:
        """Number after the last line."""
        ...

    def line_at(self, number: int) -> Line | None:
        """The line of that number; None if there is none."""
        ...

    def marks_at(self, number: int) -> tuple[Mark, ...]:
        """What a shell says begins in that line."""
        ...


class Lookback:
    """What a terminal shows and showed at one moment.

    Lines at rest are shared with the terminal's history, so this costs little; they stay here
    when the terminal forgets them.
    """

    def __init__(self, terminal: Terminal) -> None:
        screen = terminal.screen
        history = [] if screen.alternate else list(screen.history)
        self.first_line = terminal.first_line
        """Number of the oldest line."""
        self.screen_line = terminal.screen_line
        """Number of the first row that was on the screen."""
        self.rows = terminal.rows
        """Height of the screen."""
        self._columns = terminal.columns
        self._lines = history + [pack(line) for line in screen.grid]

    @property
    def end_line(self) -> int:
        """Number after the last line."""
        return self.first_line + len(self._lines)

    def line_at(self, number: int) -> Line | None:
        """A copy of the line; None if there is none of that number."""
        if not self.first_line <= number < self.end_line:
            return None
        return unpack(self._lines[number - self.first_line], self._columns)

    def marks_at(self, number: int) -> tuple[Mark, ...]:
        """What a shell says begins in that line."""
        if not self.first_line <= number < self.end_line:
            return ()
        return self._lines[number - self.first_line].marks

    def resize(self, rows: int, columns: int, points: Sequence[Position]) -> list[Position]:
        """Let the lines flow as they would in a terminal of that size; where ``points`` are now."""
        self.rows = rows
        if columns != self._columns:
            start = self.first_line
            held = [Position(line - start, column) for line, column in points]
            top = Position(self.screen_line - start, 0)
            flowing, (top, *held) = rewrap(self._lines, [top, *held], self._columns, columns)
            self._lines, self._columns = flowing, columns
            self.screen_line = top.line + start
            points = [Position(line + start, column) for line, column in held]
        self.screen_line = max(self.first_line, min(self.screen_line, self.end_line - rows))
        return list(points)


@dataclass(frozen=True, slots=True)
class LogicalLine:
    """The rows of one logical line as one text, and the way back to their cells."""

    text: str
    """Without the blanks at its end."""
    number: int
    """Of the first row."""
    starts: tuple[int, ...]
    """Where each row begins, counted in cells."""
    cells: tuple[int, ...] | None
    """Where in the text each cell begins, and the end; None if each is one code point."""

    @property
    def end(self) -> int:
        """Number after the last row."""
        return self.number + len(self.starts)

    def position(self, offset: int) -> Position:
        """The cell of a place in the text."""
        cell = offset if self.cells is None else bisect_right(self.cells, offset) - 1
        row = bisect_right(self.starts, cell) - 1
        return Position(self.number + row, cell - self.starts[row])

    def offset(self, position: Position) -> int:
        """The place in the text of a cell; past the end for blanks there."""
        row = min(max(position.line - self.number, 0), len(self.starts) - 1)
        cell = self.starts[row] + position.column
        if self.cells is None:
            return cell
        if cell + 1 >= len(self.cells):
            return len(self.text)
        if self.cells[cell] == self.cells[cell + 1]:
            cell -= 1  # the right half of a wide character
        return self.cells[cell]


def first_row(lines: Lines, number: int) -> int:
    """Number of the row in which the logical line of row ``number`` begins."""
    least = max(lines.first_line, number - LOGICAL_LIMIT + 1)
    while number > least:
        before = lines.line_at(number - 1)
        if before is None or not before.wrapped:
            break
        number -= 1
    return number


def logical_line(lines: Lines, number: int) -> LogicalLine | None:
    """The logical line that begins in row ``number``; None if there is no such row."""
    characters: list[str] = []
    starts: list[int] = []
    wide = False
    row = number
    while (line := lines.line_at(row)) is not None and len(starts) < LOGICAL_LIMIT:
        starts.append(len(characters))
        end = len(line.characters) - (line.wrapped == EARLY)
        characters += line.characters[:end]
        wide = wide or line.wide
        row += 1
        if not line.wrapped:
            break
    if not starts:
        return None
    cells: tuple[int, ...] | None = None
    if wide:
        places = [0]
        for character in characters:
            places.append(places[-1] + len(character))
        cells = tuple(places)
    return LogicalLine("".join(characters).rstrip(" "), number, tuple(starts), cells)
