"""Moving the cursor; erasing, inserting and deleting cells and rows; tab stops.

ECMA-48 and the VT510 reference. Numbers come as the program sent them: counted from one, zero
or nothing meaning one. Method names and parameters are pyte's.
"""

from __future__ import annotations

from typing import Any

import pyte.modes as mo
import pyte.screens
from typing_extensions import override

from core.terminal.attributes import Attributes, erased
from core.terminal.canvas import Canvas
from core.terminal.lines import Line


class Editor(Canvas):
    """A canvas whose cursor moves and whose cells are erased and shifted."""

    # erasing

    def _erase(self, y: int, start: int, end: int) -> None:
        line = self.grid[y]
        line.fill(start, end, erased(self.cursor.pen))
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
        self._erase(self.cursor.y, start, end)

    @override
    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        y = self.cursor.y
        if how == 0:
            self.erase_in_line(0)
            self._erase_rows(y + 1, self.lines)
        elif how == 1:
            self._erase_rows(0, y)
            self.erase_in_line(1)
        elif how == 2:
            self._edge()
            self._erase_rows(0, self.lines)
        elif how == 3:
            self.history.clear()

    def _erase_rows(self, first: int, end: int) -> None:
        look = erased(self.cursor.pen)
        self.grid[first:end] = [Line(self.columns, look) for _ in range(first, end)]
        self.dirty.update(range(first, end))

    # inserting and deleting

    @override
    def insert_characters(self, count: int | None = None) -> None:
        x, line = self._edge()
        self._shift_right(line, x, count or 1)

    @override
    def delete_characters(self, count: int | None = None) -> None:
        x, line = self._edge()
        taken = min(count or 1, self.columns - x)
        if line.wide:
            line.mend(x, x + taken)
        del line.characters[x : x + taken]
        del line.attributes[x : x + taken]
        line.characters += [" "] * taken
        line.attributes += [erased(self.cursor.pen)] * taken
        line.wrapped = 0

    @override
    def insert_lines(self, count: int | None = None) -> None:
        top, bottom = self.region
        if top <= self.cursor.y <= bottom:
            self.scroll_down(self.cursor.y, bottom, count or 1)
            self.cursor.x = 0

    @override
    def delete_lines(self, count: int | None = None) -> None:
        top, bottom = self.region
        if top <= self.cursor.y <= bottom:
            self.scroll_up(self.cursor.y, bottom, count or 1, keep=False)
            self.cursor.x = 0

    def pan_up(self, count: int | None = None) -> None:
        """SU: move the text in the margins up."""
        self.scroll_up(*self.region, count or 1)

    def pan_down(self, count: int | None = None) -> None:
        """SD: move the text in the margins down."""
        self.scroll_down(*self.region, count or 1)

    @override
    def alignment_display(self) -> None:
        self.margins = None
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
        self.cursor.x = 0

    @override
    def cursor_up(self, count: int | None = None) -> None:
        self._settle()
        top = self.region[0] if self.cursor.y >= self.region[0] else 0
        self.cursor.y = max(self.cursor.y - (count or 1), top)

    @override
    def cursor_down(self, count: int | None = None) -> None:
        self._settle()
        bottom = self.region[1] if self.cursor.y <= self.region[1] else self.lines - 1
        self.cursor.y = min(self.cursor.y + (count or 1), bottom)

    @override
    def cursor_up1(self, count: int | None = None) -> None:
        self.cursor_up(count)
        self.cursor.x = 0

    @override
    def cursor_down1(self, count: int | None = None) -> None:
        self.cursor_down(count)
        self.cursor.x = 0

    @override
    def cursor_forward(self, count: int | None = None) -> None:
        self.cursor.x = min(self.cursor.x + (count or 1), self.columns - 1)

    @override
    def cursor_back(self, count: int | None = None) -> None:
        self.cursor.x = max(min(self.cursor.x, self.columns - 1) - (count or 1), 0)

    @override
    def backspace(self) -> None:
        self.cursor_back()

    def cursor_down_any(self, count: int | None = None) -> None:
        """VPR: down, past the margins too."""
        self._settle()
        limit = self.region[1] if mo.DECOM in self.mode else self.lines - 1
        self.cursor.y = min(self.cursor.y + (count or 1), limit)

    @override
    def cursor_position(self, line: int | None = None, column: int | None = None) -> None:
        cursor = self.cursor
        y = (line or 1) - 1
        if mo.DECOM in self.mode:
            top, bottom = self.region
            cursor.y = min(y + top, bottom)
        else:
            cursor.y = min(y, self.lines - 1)
        cursor.x = min((column or 1) - 1, self.columns - 1)

    @override
    def cursor_to_column(self, column: int | None = None) -> None:
        self.cursor.x = min((column or 1) - 1, self.columns - 1)

    @override
    def cursor_to_line(self, line: int | None = None) -> None:
        self.cursor_position(line, min(self.cursor.x, self.columns - 1) + 1)

    @override
    def set_margins(self, top: int | None = None, bottom: int | None = None) -> None:
        first = (top or 1) - 1
        last = min(bottom or self.lines, self.lines) - 1
        if first >= last:
            return
        whole = first == 0 and last == self.lines - 1
        self.margins = None if whole else pyte.screens.Margins(first, last)
        self.cursor_position()

    # tab stops

    @override
    def tab(self) -> None:
        if self.cursor.x < self.columns:
            later = [stop for stop in self.tabstops if stop > self.cursor.x]
            self.cursor.x = min(min(later, default=self.columns - 1), self.columns - 1)

    def tab_forward(self, count: int | None = None) -> None:
        """CHT: to the next tab stops."""
        for _ in range(min(count or 1, self.columns)):
            self.tab()

    def tab_back(self, count: int | None = None) -> None:
        """CBT: to the tab stops before."""
        self._settle()
        for _ in range(min(count or 1, self.columns)):
            before = [stop for stop in self.tabstops if stop < self.cursor.x]
            self.cursor.x = max(before, default=0)

    @override
    def set_tab_stop(self) -> None:
        self.tabstops.add(min(self.cursor.x, self.columns - 1))

    @override
    def clear_tab_stop(self, how: int = 0) -> None:
        if how == 0:
            self.tabstops.discard(min(self.cursor.x, self.columns - 1))
        elif how == 3:
            self.tabstops.clear()
