"""Moving the cursor; erasing, inserting and deleting cells and rows; tab stops.

ECMA-48 and the VT510 reference. Numbers come as the program sent them: counted from one, zero
or nothing meaning one. Method names and parameters are pyte's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyte.modes as mo
import pyte.screens
from typing_extensions import override

from core.terminal.attributes import DEFAULT, PROTECTED, Attributes, erased
from core.terminal.canvas import Held
from core.terminal.lines import Line
from core.terminal.modes import PRIVATE
from core.terminal.printing import Printer

if TYPE_CHECKING:
    from collections.abc import Callable

REVERSE_WRAP = 45 << PRIVATE
REVERSE_WRAP_FAR = 1045 << PRIVATE
"""xterm's extended reverse wrapping: to any row above, and from the top to the bottom."""
_REVERSE_WRAPS = frozenset((REVERSE_WRAP, REVERSE_WRAP_FAR))
SIDE_MARGINS = 69 << PRIVATE
"""DECLRMM: the side margins may be set."""


class Editor(Printer):
    """A canvas whose cursor moves and whose cells are erased and shifted."""

    # erasing

    def _erase(self, y: int, start: int, end: int, *, selective: bool = False) -> None:
        line = self.grid[y]
        look = erased(self.cursor.pen)
        if selective or self.iso_protection:
            for x in range(start, end):
                if not line.attributes[x].flags & PROTECTED:
                    line.fill(x, x + 1, look)
        else:
            line.fill(start, end, look)
        if end >= self.columns:
            line.wrapped = 0
        self.dirty.add(y)

    @override
    def erase_characters(self, count: int | None = None) -> None:
        x, _line = self._edge()
        self._erase(self.cursor.y, x, min(x + (count or 1), self.columns))

    @override
    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        if how not in (0, 1, 2):
            return
        x, _line = self._edge()
        start, end = ((x, self.columns), (0, x + 1), (0, self.columns))[how]
        self._erase(self.cursor.y, start, end, selective=private)

    @override
    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        y = self.cursor.y
        private = bool(kwargs.get("private"))
        if how == 0:
            self.erase_in_line(0, private)
            self._erase_rows(y + 1, self.lines, selective=private)
        elif how == 1:
            self._erase_rows(0, y, selective=private)
            self.erase_in_line(1, private)
        elif how == 2:
            self._edge()
            self._erase_rows(0, self.lines, selective=private)
        elif how == 3 and not private:
            self.history.clear()

    def erase_unprotected_in_line(self, how: int = 0) -> None:
        """DECSEL."""
        self.erase_in_line(how, private=True)

    def erase_unprotected_in_display(self, how: int = 0) -> None:
        """DECSED."""
        self.erase_in_display(how, private=True)

    def _erase_rows(self, first: int, end: int, *, selective: bool = False) -> None:
        if selective or self.iso_protection:
            for y in range(first, end):
                self._erase(y, 0, self.columns, selective=selective)
            return
        look = erased(self.cursor.pen)
        self.grid[first:end] = [Line(self.columns, look) for _ in range(first, end)]
        self.dirty.update(range(first, end))

    # protected cells

    def set_protection(self, how: int = 0) -> None:
        """DECSCA: whether what is drawn from now on withstands selective erasing."""
        if how in (0, 1, 2):
            self._protect(on=how == 1)
            self.iso_protection = False

    def start_protected(self) -> None:
        """SPA: likewise, and from now on every erasing is selective (xterm, ISO 6429)."""
        self._protect(on=True)
        self.iso_protection = True

    def end_protected(self) -> None:
        """EPA."""
        self._protect(on=False)

    def _protect(self, *, on: bool) -> None:
        pen = self.cursor.pen
        pen = pen._replace(flags=pen.flags & ~PROTECTED | (PROTECTED if on else 0))
        self.cursor.pen = DEFAULT if pen == DEFAULT else pen

    # inserting and deleting

    @override
    def insert_characters(self, count: int | None = None) -> None:
        x, line = self._edge()
        if self.between_sides():
            self._shift_right(line, x, count or 1)

    @override
    def delete_characters(self, count: int | None = None) -> None:
        x, line = self._edge()
        if self.between_sides():
            self._shift_left(line, x, count or 1)

    @override
    def insert_lines(self, count: int | None = None) -> None:
        top, bottom = self.region
        if top <= self.cursor.y <= bottom and self.between_sides():
            self.scroll_down(self.cursor.y, bottom, count or 1)
            self.cursor.x = self.side_region[0]

    @override
    def delete_lines(self, count: int | None = None) -> None:
        top, bottom = self.region
        if top <= self.cursor.y <= bottom and self.between_sides():
            self.scroll_up(self.cursor.y, bottom, count or 1, keep=False)
            self.cursor.x = self.side_region[0]

    def insert_columns(self, count: int | None = None) -> None:
        """DECIC: blank columns at the cursor, in all rows between the margins."""
        self._each_row(self._shift_right, count or 1)

    def delete_columns(self, count: int | None = None) -> None:
        """DECDC: take columns at the cursor away, in all rows between the margins."""
        self._each_row(self._shift_left, count or 1)

    def _each_row(self, shift: Callable[[Line, int, int], None], count: int) -> None:
        x, _line = self._edge()
        top, bottom = self.region
        if top <= self.cursor.y <= bottom and self.between_sides():
            for line in self.grid[top : bottom + 1]:
                shift(line, x, count)
            self.dirty.update(range(top, bottom + 1))

    def back_index(self) -> None:
        """DECBI: to the left, or at the left margin the text to the right."""
        x, _line = self._edge()
        if x == self.side_region[0]:
            self._each_row(self._shift_right, 1)
        elif x > 0:
            self.cursor.x = x - 1

    def forward_index(self) -> None:
        """DECFI: to the right, or at the right margin the text to the left."""
        x, _line = self._edge()
        left, right = self.side_region
        if x != right:
            self.cursor.x = min(x + 1, self.columns - 1)
            return
        self.cursor.x = left
        self._each_row(self._shift_left, 1)
        self.cursor.x = right

    def pan_up(self, count: int | None = None) -> None:
        """SU: move the text in the margins up."""
        self.scroll_up(*self.region, count or 1)

    def pan_down(self, count: int | None = None) -> None:
        """SD: move the text in the margins down."""
        self.scroll_down(*self.region, count or 1)

    @override
    def alignment_display(self) -> None:
        self.margins = None
        self.set_sides(None)
        self.mode.discard(mo.DECOM)
        self.cursor.x = self.cursor.y = 0
        pen = self.cursor.pen
        look = self.cursor.pen = Attributes(pen.foreground, pen.background)
        for line in self.grid:
            line.characters = ["E"] * self.columns
            line.attributes = [look] * self.columns
            line.wide = False
            line.wrapped = 0
        self._all_dirty()

    # the cursor

    @override
    def carriage_return(self) -> None:
        left = self.sides[0] if self.sides else 0
        self.cursor.x = left if not left or self.cursor.x >= left or mo.DECOM in self.mode else 0

    @override
    def cursor_up(self, count: int | None = None) -> None:
        self._settle()
        cursor, margins = self.cursor, self.margins
        top = margins[0] if margins and cursor.y >= margins[0] else 0
        cursor.y = max(cursor.y - (count or 1), top)

    @override
    def cursor_down(self, count: int | None = None) -> None:
        self._settle()
        cursor, margins = self.cursor, self.margins
        bottom = margins[1] if margins and cursor.y <= margins[1] else self.lines - 1
        cursor.y = min(cursor.y + (count or 1), bottom)

    @override
    def cursor_up1(self, count: int | None = None) -> None:
        self.cursor_up(count)
        self.carriage_return()

    @override
    def cursor_down1(self, count: int | None = None) -> None:
        self.cursor_down(count)
        self.carriage_return()

    @override
    def cursor_forward(self, count: int | None = None) -> None:
        end = self.columns if self.sides is None else self.line_end()
        self.cursor.x = min(self.cursor.x + (count or 1), end - 1)

    @override
    def cursor_back(self, count: int | None = None) -> None:
        if not _REVERSE_WRAPS.isdisjoint(self.mode) and mo.DECAWM in self.mode:
            self._back_wrapping(count or 1)
            return
        cursor = self.cursor
        x = min(cursor.x, self.columns - 1)
        left = self.sides[0] if self.sides and x >= self.sides[0] else 0
        cursor.x = max(x - (count or 1), left)

    def _back_wrapping(self, count: int) -> None:
        """To the left, and from the left margin to the row that wraps into this one."""
        cursor = self.cursor
        if self.waits_to_wrap():
            count -= 1
        self._settle()
        left, right = self.side_region
        left = left if cursor.x >= left else 0
        top, bottom = self.region
        while count > cursor.x - left:
            count -= cursor.x - left + 1
            far = REVERSE_WRAP_FAR in self.mode
            at_top = cursor.y in (top, 0)
            if not far and (at_top or not self.grid[cursor.y - 1].wrapped):
                cursor.x = left
                return
            cursor.y = bottom if at_top else cursor.y - 1
            cursor.x = right
        cursor.x -= count

    @override
    def backspace(self) -> None:
        self.cursor_back()

    def cursor_forward_any(self, count: int | None = None) -> None:
        """HPR: to the right, past the margin too."""
        last = self.side_region[1] if mo.DECOM in self.mode else self.columns - 1
        self.cursor.x = min(self.cursor.x + (count or 1), last)

    def cursor_down_any(self, count: int | None = None) -> None:
        """VPR: down, past the margins too."""
        self._settle()
        limit = self.region[1] if mo.DECOM in self.mode else self.lines - 1
        self.cursor.y = min(self.cursor.y + (count or 1), limit)

    @override
    def cursor_position(self, line: int | None = None, column: int | None = None) -> None:
        cursor = self.cursor
        y, x = (line or 1) - 1, (column or 1) - 1
        if mo.DECOM in self.mode:
            top, bottom = self.region
            left, right = self.side_region
            cursor.y = min(y + top, bottom)
            cursor.x = min(x + left, right)
        else:
            cursor.y = min(y, self.lines - 1)
            cursor.x = min(x, self.columns - 1)

    @override
    def cursor_to_column(self, column: int | None = None) -> None:
        cursor = self.cursor
        if mo.DECOM in self.mode:
            y = cursor.y
            self.cursor_position(None, column)
            cursor.y = y
        else:
            cursor.x = min((column or 1) - 1, self.columns - 1)

    @override
    def cursor_to_line(self, line: int | None = None) -> None:
        self._settle()
        x = self.cursor.x
        self.cursor_position(line)
        self.cursor.x = x

    @override
    def set_margins(self, top: int | None = None, bottom: int | None = None) -> None:
        first = (top or 1) - 1
        last = min(bottom or self.lines, self.lines) - 1
        if first >= last:
            return
        whole = first == 0 and last == self.lines - 1
        self.margins = None if whole else pyte.screens.Margins(first, last)
        self.cursor_position()

    def set_side_margins(self, left: int | None = None, right: int | None = None) -> None:
        """DECSLRM, which needs DECLRMM; without that, and without numbers, it is SCOSC."""
        if SIDE_MARGINS not in self.mode:
            if left is None:
                self.save_cursor()
            return
        first = (left or 1) - 1
        last = min(right or self.columns, self.columns) - 1
        if first < last:
            self.set_sides((first, last))
            self.cursor_position()

    # tab stops

    @override
    def tab(self) -> None:
        cursor = self.cursor
        if cursor.x < self.columns and not isinstance(cursor.x, Held):
            later = [stop for stop in self.tabstops if stop > cursor.x]
            last = self.line_end() - 1
            cursor.x = min(min(later, default=last), last)

    def tab_forward(self, count: int | None = None) -> None:
        """CHT: to the next tab stops."""
        for _ in range(min(count or 1, self.columns)):
            self.tab()

    def tab_back(self, count: int | None = None) -> None:
        """CBT: to the tab stops before."""
        self._settle()
        for _ in range(min(count or 1, self.columns)):
            before = [stop for stop in self.tabstops if stop < self.cursor.x]
            left = self.side_region[0] if mo.DECOM in self.mode else 0
            self.cursor.x = max(max(before, default=0), left)

    @override
    def set_tab_stop(self) -> None:
        self.tabstops.add(min(self.cursor.x, self.columns - 1))

    @override
    def clear_tab_stop(self, how: int = 0) -> None:
        if how == 0:
            self.tabstops.discard(min(self.cursor.x, self.columns - 1))
        elif how == 3:
            self.tabstops.clear()
