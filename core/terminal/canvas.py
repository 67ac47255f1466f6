"""The cells of a screen, its margins, and what shifts and scrolls them.

ECMA-48 and the VT510 reference; erasing takes the background of the pen (xterm's bce). The
method names are pyte's. A cursor column equal to ``columns`` means: the last column was written
and the next character wraps. At a right margin inside the screen a :class:`Held` column says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyte.modes as mo
import pyte.screens
from typing_extensions import override

from core.terminal.attributes import DEFAULT, Attributes, erased
from core.terminal.chars import from_char, to_char
from core.terminal.history import History
from core.terminal.lines import Line, Rows

if TYPE_CHECKING:
    from pyte.screens import Char


class Held(int):
    """The column of a right margin that was just written: the next character wraps.

    Arithmetic gives a plain column again, so whatever moves the cursor ends the waiting.
    """


class Cursor(pyte.screens.Cursor):
    """Where the next character goes and what it will look like."""

    __slots__ = ("pen",)

    def __init__(self, x: int, y: int, pen: Attributes = DEFAULT) -> None:
        self.x = x
        self.y = y
        self.pen = pen
        self.hidden = False

    @property
    def attrs(self) -> Char:
        """The pen as pyte shows it."""
        return to_char(" ", self.pen)

    @attrs.setter
    def attrs(self, char: Char) -> None:
        self.pen = from_char(char)


class Canvas(pyte.screens.Screen):
    """Rows of cells, a cursor, margins and the history above them."""

    cursor: Cursor

    def __init__(self, columns: int, lines: int, scrollback: int = 0) -> None:
        self.columns = columns
        self.lines = lines
        self.dirty: set[int] = set()
        self.history = History(scrollback)
        self.alternate = False
        self.sides: tuple[int, int] | None = None
        """First and last column between the side margins; None: the whole width."""
        self.quick_columns = columns
        """Up to here text is printed without looking at margins; zero where they are set."""
        self.iso_protection = False
        """SPA was used: every erasing leaves protected cells alone."""
        self.grid: list[Line] = [Line(columns) for _ in range(lines)]
        self.translation: dict[int, str] | None = None
        self.shifted = 0
        """The set a single shift chose: ``translation`` holds for one character."""
        self.last_drawn = ""
        self.reset()

    def show(self, grid: list[Line]) -> None:
        """Make these the rows on the screen."""
        self.grid = grid
        self.buffer = Rows(grid)  # type: ignore[assignment]
        self.dirty.update(range(self.lines))

    @property
    @override
    def display(self) -> list[str]:
        return ["".join(line.characters) for line in self.grid]

    @property
    def region(self) -> tuple[int, int]:
        """First and last row that scroll."""
        return self.margins or (0, self.lines - 1)

    @property
    def side_region(self) -> tuple[int, int]:
        """First and last column between the side margins."""
        return self.sides or (0, self.columns - 1)

    def set_sides(self, sides: tuple[int, int] | None) -> None:
        """Put the side margins at these columns, or take them away."""
        self.sides = None if sides == (0, self.columns - 1) else sides
        self.quick_columns = 0 if self.sides else self.columns
        if isinstance(self.cursor.x, Held):
            self.cursor.x = int(self.cursor.x)

    def line_end(self) -> int:
        """The column where text wraps, seen from the cursor."""
        if self.sides is None or self.cursor.x > self.sides[1]:
            return self.columns
        return self.sides[1] + 1

    def between_sides(self) -> bool:
        """Whether the cursor is between the side margins."""
        left, right = self.side_region
        return left <= min(self.cursor.x, self.columns - 1) <= right

    # scrolling

    def _all_dirty(self) -> None:
        if len(self.dirty) < self.lines:
            self.dirty.update(range(self.lines))

    def scroll_up(self, top: int, bottom: int, count: int = 1, *, keep: bool = True) -> None:
        """Move rows ``top`` to ``bottom`` up; what leaves the top of the screen is kept."""
        grid = self.grid
        count = min(count, bottom - top + 1)
        if self.sides:
            self._scroll_columns(top, bottom, count)
            return
        look = erased(self.cursor.pen)
        for _ in range(count):
            line = grid.pop(top)
            if keep and top == 0 and not self.alternate:
                self.history.push(line)
            grid.insert(bottom, Line(self.columns, look))
        if top == 0 and bottom == self.lines - 1:
            self._all_dirty()
        else:
            self.dirty.update(range(top, bottom + 1))

    def scroll_down(self, top: int, bottom: int, count: int = 1) -> None:
        """Move rows ``top`` to ``bottom`` down; what leaves at the bottom is lost."""
        grid = self.grid
        count = min(count, bottom - top + 1)
        if self.sides:
            self._scroll_columns(top, bottom, -count)
            return
        look = erased(self.cursor.pen)
        for _ in range(count):
            del grid[bottom]
            grid.insert(top, Line(self.columns, look))
        self.dirty.update(range(top, bottom + 1))

    def _scroll_columns(self, top: int, bottom: int, count: int) -> None:
        """Move what is between the side margins up by ``count`` rows; down if negative."""
        left, right = self.side_region
        end = right + 1
        rows = self.grid[top : bottom + 1]
        for line in rows:
            line.mend(left, left, self.cursor.pen)
            line.mend(end, end, self.cursor.pen)
        cells = [(line.characters[left:end], line.attributes[left:end]) for line in rows]
        wide = any(line.wide for line in rows)
        look = erased(self.cursor.pen)
        blank = [" "] * (end - left), [look] * (end - left)
        for number, line in enumerate(rows):
            source = number + count
            taken = cells[source] if 0 <= source < len(rows) else blank
            line.characters[left:end], line.attributes[left:end] = taken
            line.wide = wide
            line.wrapped = 0
        self.dirty.update(range(top, bottom + 1))

    @override
    def index(self) -> None:
        cursor = self.cursor
        if cursor.x >= self.columns or self.sides is not None:
            self._settle()
        top, bottom = self.margins or (0, self.lines - 1)
        if cursor.y == bottom:
            if self.sides is None or self.between_sides():
                self.scroll_up(top, bottom)
        elif cursor.y < self.lines - 1:
            cursor.y += 1

    @override
    def reverse_index(self) -> None:
        top, bottom = self.region
        if self.cursor.y == top:
            if self.between_sides():
                self.scroll_down(top, bottom)
        else:
            self._settle()
            self.cursor.y = max(self.cursor.y - 1, 0)

    @override
    def linefeed(self) -> None:
        self.index()
        if mo.LNM in self.mode:
            self.carriage_return()

    # editing

    def _shift_right(self, line: Line, x: int, count: int) -> None:
        """Insert blanks at ``x``; what passes the last column, or the margin, is lost."""
        end = self.line_end()
        count = min(count, end - x)
        if line.wide:
            line.mend(x, x, self.cursor.pen)
            line.mend(end - count, end - count, self.cursor.pen)
            line.mend(end, end, self.cursor.pen)
        del line.characters[end - count : end]
        del line.attributes[end - count : end]
        line.characters[x:x] = [" "] * count
        line.attributes[x:x] = [erased(self.cursor.pen)] * count
        line.wrapped = 0

    def _shift_left(self, line: Line, x: int, count: int) -> None:
        """Take cells at ``x`` away; blanks come in at the last column, or the margin."""
        end = self.line_end()
        taken = min(count, end - x)
        if line.wide:
            line.mend(x, x + taken, self.cursor.pen)
            line.mend(end, end, self.cursor.pen)
        del line.characters[x : x + taken]
        del line.attributes[x : x + taken]
        line.characters[end - taken : end - taken] = [" "] * taken
        line.attributes[end - taken : end - taken] = [erased(self.cursor.pen)] * taken
        line.wrapped = 0

    def _settle(self) -> None:
        """The cursor no longer waits to wrap."""
        cursor = self.cursor
        if cursor.x >= self.columns:
            cursor.x = self.columns - 1
        elif self.sides is not None:
            cursor.x = int(cursor.x)

    def _edge(self) -> tuple[int, Line]:
        """The settled cursor's column, and its line, now dirty."""
        self._settle()
        self.dirty.add(self.cursor.y)
        return self.cursor.x, self.grid[self.cursor.y]
