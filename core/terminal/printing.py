"""Printing: where characters go, when they wrap, push, join the cell before or take two columns.

xterm's wrapping and DEC STD 070; widths and graphemes are those of :mod:`core.terminal.widths`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyte.modes as mo
from typing_extensions import override

from core.terminal.canvas import Canvas, Held
from core.terminal.history import Packed, unpack
from core.terminal.lines import EARLY, FULL
from core.terminal.widths import RUNS, WIDTHS, joins, widened

if TYPE_CHECKING:
    from collections.abc import Sequence

CLUSTER_LIMIT = 24
"""Code points kept in one cell; more combining characters are dropped."""

GRAPHEMES = 2027 << 5
"""Private mode: a cell holds a grapheme, and its width is the grapheme's."""


class Printer(Canvas):
    """A canvas that text is printed on."""

    @override
    def draw(self, data: str) -> None:
        if not data:
            return
        cursor = self.cursor
        x = cursor.x
        end = x + len(data)
        if self.translation is not None:
            self._draw_translated(data)
            return
        if end > self.quick_columns or mo.IRM in self.mode or not data.isascii():
            self._draw_general(data)
            return
        line = self.grid[cursor.y]
        if line.wide:
            line.mend(x, end, self.cursor.pen)
        line.characters[x:end] = data
        line.attributes[x:end] = [cursor.pen] * (end - x)
        cursor.x = end
        self.dirty.add(cursor.y)
        self.last_drawn = data

    def _draw_translated(self, data: str) -> None:
        """Draw with the charset in force; REP repeats what was sent, not what it became."""
        table = self.translation
        if self.shifted:
            self.unshift()
            first, rest = data[0], data[1:]
        else:
            first, rest = data, ""
        translation, self.translation = self.translation, None
        self.draw(first.translate(table or {}))
        self.translation = translation
        self.last_drawn = first
        self.draw(rest)

    def unshift(self) -> None:
        """The one character of a single shift is drawn: back to the set in force."""
        raise NotImplementedError

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
            last = self.columns - (mo.DECAWM not in self.mode or self.columns == 1)
            if widened(cell, character) and position + 1 == self.cursor.x <= last:
                if self.cursor.x == self.columns:
                    self._carry(position)
                    position = 0
                    line = self.grid[self.cursor.y]
                self._attach(character)
                line.mend(self.cursor.x, self.cursor.x + 1, self.cursor.pen)
                line.characters[self.cursor.x] = ""
                line.attributes[self.cursor.x] = line.attributes[position]
                self.cursor.x += 1
                return
        self._draw_one(character, width)

    def _carry(self, position: int) -> None:
        """Take a character that became too wide for the last column to the next row."""
        line = self.grid[self.cursor.y]
        cell = line.characters[position]
        line.fill(position, position + 1, line.attributes[position])
        self.cursor.x = position
        self._wrap()
        self._put([cell])

    def _put(self, run: Sequence[str]) -> None:
        """Write characters of one column each."""
        cursor = self.cursor
        sides = self.sides
        offset, count = 0, len(run)
        while offset < count:
            columns = self.columns if sides is None else self.line_end()
            if cursor.x >= columns or (sides is not None and self.waits_to_wrap()):
                if mo.DECAWM in self.mode:
                    self._wrap()
                    columns = self.line_end()
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
                line.mend(x, end, self.cursor.pen)
            line.characters[x:end] = run[offset : offset + taken]
            line.attributes[x:end] = [cursor.pen] * taken
            if sides is None:
                cursor.x = end
            else:
                self._stop_at(end)
            self.dirty.add(cursor.y)
            offset += taken

    def waits_to_wrap(self) -> bool:
        """Whether the next character wraps."""
        return self.cursor.x >= self.columns or isinstance(self.cursor.x, Held)

    def _stop_at(self, end: int) -> None:
        """Leave the cursor after what was written; past a right margin it waits there."""
        held = self.sides is not None and end == self.line_end() < self.columns
        self.cursor.x = Held(end - 1) if held else end

    def _put_wide(self, run: str) -> None:
        """Write characters of two columns each; each wraps as a whole."""
        cursor = self.cursor
        sides = self.sides
        offset, count = 0, len(run)
        if self.columns < 2:
            return
        while offset < count:
            columns = self.columns if sides is None else self.line_end()
            if cursor.x > columns - 2 or (sides is not None and self.waits_to_wrap()):
                if mo.DECAWM not in self.mode:
                    return
                self._wrap_wide(columns)
                columns = self.line_end()
                if cursor.x > columns - 2:
                    return
            x = cursor.x
            taken = min((columns - x) // 2, count - offset)
            end = x + 2 * taken
            line = self.grid[cursor.y]
            if mo.IRM in self.mode:
                self._shift_right(line, x, 2 * taken)
            if line.wide:
                line.mend(x, end, self.cursor.pen)
            line.wide = True
            cells = [""] * (2 * taken)
            cells[::2] = run[offset : offset + taken]
            line.characters[x:end] = cells
            line.attributes[x:end] = [cursor.pen] * (2 * taken)
            if sides is None:
                cursor.x = end
            else:
                self._stop_at(end)
            self.dirty.add(cursor.y)
            offset += taken

    def _wrap_wide(self, columns: int) -> None:
        """Wrap before a wide character; a last column left over becomes blank."""
        cursor = self.cursor
        if cursor.x == columns - 1 and not self.waits_to_wrap():
            line = self.grid[cursor.y]
            line.mend(cursor.x, columns, self.cursor.pen)
            line.characters[cursor.x] = " "
            line.attributes[cursor.x] = cursor.pen
        self._wrap()

    def _previous(self) -> int | None:
        """Column of the cell before the cursor; None at the left edge."""
        x = self.cursor.x - (0 if isinstance(self.cursor.x, Held) else 1)
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
        if self.sides is None:
            self.grid[self.cursor.y].wrapped = FULL if self.cursor.x >= self.columns else EARLY
            self.cursor.x = 0
            self.index()
            return
        self.index()
        self.cursor.x = self.sides[0]

    def repeat(self, count: int = 1) -> None:
        """REP: draw the last character again; at most a screenful."""
        if self.last_drawn:
            character = self.last_drawn[-1]
            area = self.columns * self.lines
            if count > area:
                # A full screen either way; only the column it ends in has to be right.
                count = area + (count - area) % self.columns
            self.draw(character * max(count, 1))

    def scrolls_plainly(self) -> bool:
        """Whether each line drawn now just scrolls in below the others."""
        return (
            self.cursor.y == self.lines - 1
            and self.margins is None
            and self.sides is None
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
