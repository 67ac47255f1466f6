"""The cells of a screen and what draws, erases, shifts and scrolls them.

ECMA-48 and the VT510 reference; erasing takes the background of the pen (xterm's bce). The
method names are pyte's. A cursor column equal to ``columns`` means: the last column was written
and the next character wraps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyte.modes as mo
import pyte.screens
from typing_extensions import override

from core.terminal.attributes import DEFAULT, Attributes, erased
from core.terminal.chars import from_char, to_char
from core.terminal.history import History, Packed, unpack
from core.terminal.lines import EARLY, FULL, Line, Rows
from core.terminal.widths import RUNS, WIDTHS, joins, widened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyte.screens import Char

CLUSTER_LIMIT = 24
"""Code points kept in one cell; more combining characters are dropped."""

GRAPHEMES = 2027 << 5
"""Private mode: a cell holds a grapheme, and its width is the grapheme's."""


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
        self.grid: list[Line] = [Line(columns) for _ in range(lines)]
        self.translation: dict[int, str] | None = None
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

    # drawing

    @override
    def draw(self, data: str) -> None:
        if not data:
            return
        cursor = self.cursor
        x = cursor.x
        end = x + len(data)
        if self.translation is not None:
            data = data.translate(self.translation)
        if end > self.columns or mo.IRM in self.mode or not data.isascii():
            self._draw_general(data)
            return
        line = self.grid[cursor.y]
        if line.wide:
            line.mend(x, end)
        line.characters[x:end] = data
        line.attributes[x:end] = [cursor.pen] * (end - x)
        cursor.x = end
        self.dirty.add(cursor.y)
        self.last_drawn = data

    def _draw_general(self, data: str) -> None:
        """Draw what may wrap, push, be wide or join the cell before."""
        if data.isascii():
            self.last_drawn = data
            self._put(data)
            return
        if GRAPHEMES in self.mode:
            for character in data:
                self._draw_grapheme(character)
            return
        for narrow, wide, other in RUNS.findall(data):
            if narrow:
                self.last_drawn = narrow
                self._put(narrow)
            elif wide:
                self.last_drawn = wide
                self._put_wide(wide)
            else:
                self._draw_one(other, WIDTHS[other])

    def _draw_one(self, character: str, width: int) -> None:
        if not width:
            self._attach(character)
            return
        self.last_drawn = character
        if width == 1:
            self._put(character)
        else:
            self._put_wide(character)

    def _draw_grapheme(self, character: str) -> None:
        width = WIDTHS[character]
        position = self._previous()
        if position is not None:
            line = self.grid[self.cursor.y]
            cell = line.characters[position]
            if width and joins(cell, character):
                self._attach(character)
                return
            if widened(cell, character) and position + 1 == self.cursor.x < self.columns:
                self._attach(character)
                line.mend(self.cursor.x, self.cursor.x + 1)
                line.characters[self.cursor.x] = ""
                line.attributes[self.cursor.x] = line.attributes[position]
                self.cursor.x += 1
                return
        self._draw_one(character, width)

    def _put(self, run: Sequence[str]) -> None:
        """Write characters of one column each."""
        cursor = self.cursor
        columns = self.columns
        offset, count = 0, len(run)
        while offset < count:
            if cursor.x >= columns:
                if mo.DECAWM in self.mode:
                    self._wrap()
                else:
                    # Without wrapping each character overwrites the last column.
                    cursor.x = columns - 1
                    offset = count - 1
            x = cursor.x
            taken = min(columns - x, count - offset)
            end = x + taken
            line = self.grid[cursor.y]
            if mo.IRM in self.mode:
                self._shift_right(line, x, taken)
            if line.wide:
                line.mend(x, end)
            line.characters[x:end] = run[offset : offset + taken]
            line.attributes[x:end] = [cursor.pen] * taken
            cursor.x = end
            self.dirty.add(cursor.y)
            offset += taken

    def _put_wide(self, run: str) -> None:
        """Write characters of two columns each; each wraps as a whole."""
        cursor = self.cursor
        offset, count = 0, len(run)
        if self.columns < 2:
            return
        while offset < count:
            if cursor.x > self.columns - 2:
                if mo.DECAWM not in self.mode:
                    return
                self._wrap_wide()
            x = cursor.x
            taken = min((self.columns - x) // 2, count - offset)
            end = x + 2 * taken
            line = self.grid[cursor.y]
            if mo.IRM in self.mode:
                self._shift_right(line, x, 2 * taken)
            if line.wide:
                line.mend(x, end)
            line.wide = True
            cells = [""] * (2 * taken)
            cells[::2] = run[offset : offset + taken]
            line.characters[x:end] = cells
            line.attributes[x:end] = [cursor.pen] * (2 * taken)
            cursor.x = end
            self.dirty.add(cursor.y)
            offset += taken

    def _wrap_wide(self) -> None:
        """Wrap before a wide character; a last column left over becomes blank."""
        cursor = self.cursor
        if cursor.x == self.columns - 1:
            line = self.grid[cursor.y]
            line.mend(cursor.x, self.columns)
            line.characters[cursor.x] = " "
            line.attributes[cursor.x] = cursor.pen
        self._wrap()

    def _previous(self) -> int | None:
        """Column of the cell before the cursor; None at the left edge."""
        x = min(self.cursor.x, self.columns) - 1
        if x < 0:
            return None
        if x and self.grid[self.cursor.y].characters[x] == "":
            x -= 1
        return x

    def _attach(self, character: str) -> None:
        """Add a character without a width of its own to the cell before the cursor."""
        position = self._previous()
        if position is None:
            return
        line = self.grid[self.cursor.y]
        cell = line.characters[position]
        if cell and len(cell) < CLUSTER_LIMIT:
            line.wide = True
            line.characters[position] = cell + character
            self.dirty.add(self.cursor.y)

    def _wrap(self) -> None:
        self.grid[self.cursor.y].wrapped = FULL if self.cursor.x >= self.columns else EARLY
        self.cursor.x = 0
        self.index()

    def repeat(self, count: int = 1) -> None:
        """REP: draw the last character again; at most a screenful."""
        if self.last_drawn:
            character = self.last_drawn[-1]
            translation, self.translation = self.translation, None
            area = self.columns * self.lines
            if count > area:
                # A full screen either way; only the column it ends in has to be right.
                count = area + (count - area) % self.columns
            self.draw(character * max(count, 1))
            self.translation = translation

    def scrolls_plainly(self) -> bool:
        """Whether each line drawn now just scrolls in below the others."""
        return (
            self.cursor.y == self.lines - 1
            and self.margins is None
            and self.translation is None
            and mo.IRM not in self.mode
            and mo.DECAWM in self.mode
        )

    def append_lines(self, fresh: list[Packed], last: str) -> None:
        """Begin a new line for each of these, scrolled in at the bottom, and an empty one.

        The fast way for logs: what leaves the screen at once never becomes cells. Texts are
        ASCII, ``last`` is the last one; no look has a background where its line ends.
        """
        self.last_drawn = last or self.last_drawn
        fresh.append(Packed(""))
        leaving = min(len(fresh), self.lines)
        if not self.alternate:
            for line in self.grid[:leaving]:
                self.history.push(line)
            self.history.extend(fresh[: -self.lines])
        del self.grid[:leaving]
        self.grid += [unpack(packed, self.columns) for packed in fresh[-self.lines :]]
        self._all_dirty()
        self.cursor.x = 0

    # scrolling

    def _all_dirty(self) -> None:
        if len(self.dirty) < self.lines:
            self.dirty.update(range(self.lines))

    def scroll_up(self, top: int, bottom: int, count: int = 1, *, keep: bool = True) -> None:
        """Move rows ``top`` to ``bottom`` up; what leaves the top of the screen is kept."""
        grid = self.grid
        count = min(count, bottom - top + 1)
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
        look = erased(self.cursor.pen)
        for _ in range(min(count, bottom - top + 1)):
            del grid[bottom]
            grid.insert(top, Line(self.columns, look))
        self.dirty.update(range(top, bottom + 1))

    @override
    def index(self) -> None:
        cursor = self.cursor
        if cursor.x >= self.columns:
            cursor.x = self.columns - 1
        top, bottom = self.region
        if cursor.y == bottom:
            self.scroll_up(top, bottom)
        elif cursor.y < self.lines - 1:
            cursor.y += 1

    @override
    def reverse_index(self) -> None:
        top, bottom = self.region
        if self.cursor.y == top:
            self.scroll_down(top, bottom)
        else:
            self._settle()
            self.cursor.y = max(self.cursor.y - 1, 0)

    @override
    def linefeed(self) -> None:
        self.index()
        if mo.LNM in self.mode:
            self.cursor.x = 0

    # editing

    def _shift_right(self, line: Line, x: int, count: int) -> None:
        """Insert blanks at ``x``; what passes the last column is lost."""
        columns = self.columns
        count = min(count, columns - x)
        if line.wide:
            line.mend(x, x)
            line.mend(columns - count, columns - count)
        del line.characters[columns - count :]
        del line.attributes[columns - count :]
        line.characters[x:x] = [" "] * count
        line.attributes[x:x] = [erased(self.cursor.pen)] * count
        line.wrapped = 0

    def _settle(self) -> None:
        """The cursor no longer waits to wrap."""
        if self.cursor.x >= self.columns:
            self.cursor.x = self.columns - 1

    def _edge(self) -> tuple[int, Line]:
        """The settled cursor's column, and its line, now dirty."""
        self._settle()
        self.dirty.add(self.cursor.y)
        return self.cursor.x, self.grid[self.cursor.y]
