"""What of a terminal is seen: its screen, or lines further back, as strips.

Strips are kept by the text of their line, so that a scroll or a program's full redraw builds
(and sends to the outer terminal) only what really changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.strip import Strip

from core.terminal.lines import Position
from core.terminal.selection import Selection
from widgets.terminal.drawing import cell_span, draw_badge, draw_line, draw_note, draw_restyled

if TYPE_CHECKING:
    from core.terminal.attributes import Attributes
    from core.terminal.lines import Line
    from core.terminal.lookback import Lines
    from core.terminal.terminal import Terminal
    from widgets.terminal.copy_mode import CopyMode
    from widgets.terminal.palette import Palette

    _Kept = tuple[list[str], list[Attributes], Strip]
    """Characters and looks of a line, and how it was drawn."""


class ScreenView:
    """A window of ``height`` x ``width`` cells on a terminal and its history."""

    def __init__(self, terminal: Terminal, palette: Palette) -> None:
        self.terminal = terminal
        self.palette = palette
        self.width = 0
        self.height = 0
        self.back = 0
        """Lines the view is scrolled back; 0 follows the program."""
        self.focused = False
        self.copy: CopyMode | None = None
        """What is shown instead of the terminal while somebody looks back with the keyboard."""
        self._selection: Selection | None = None
        self.note = ""
        """A line of the console's own below the last output (how the session ended)."""
        self._strips: dict[str, _Kept] = {}
        self._rows: dict[int, _Kept] = {}
        self._told: dict[int, Strip] = {}
        self._overlay: tuple[Strip, tuple[int, bool, bool, bool], Strip] | None = None
        self._top = 0
        self._cell: tuple[int, int] | None = None
        self._underlined = False
        self._note_row = -1

    def replace(self, terminal: Terminal) -> None:
        """Look at another terminal (a restored one)."""
        self.terminal = terminal
        self.back = 0
        self.copy = None
        self.selection = None
        self.forget()

    def repaint_with(self, palette: Palette) -> None:
        """Use other colours from now on."""
        self.palette = palette
        self.forget()

    def resize(self, width: int, height: int) -> None:
        """The window became larger or smaller; the terminal keeps its own size."""
        if (width, height) != (self.width, self.height):
            self.width, self.height = width, height
            self.forget()

    def forget(self) -> None:
        """Build every strip anew."""
        self._strips.clear()
        self._rows.clear()
        self._told.clear()
        self._overlay = None

    # positions

    @property
    def top(self) -> int:
        """Number of the line in the first row of the window."""
        return self._top

    @property
    def lines(self) -> Lines:
        """What is shown: the terminal, or in copy mode what it was."""
        return self.copy.lines if self.copy else self.terminal

    @property
    def selection(self) -> Selection | None:
        """What is marked."""
        return self.copy.selection if self.copy else self._selection

    @selection.setter
    def selection(self, selection: Selection | None) -> None:
        if self.copy:
            self.copy.select(selection)
        else:
            self._selection = selection

    def drop_selection(self) -> None:
        """Unmark what is marked of the terminal; copy mode keeps its own."""
        self._selection = None

    @property
    def depth(self) -> int:
        """Lines there are above the screen."""
        return self.terminal.screen_line - self.terminal.first_line

    def scroll(self, lines: int) -> bool:
        """Go back (positive) or forward; whether the view moved."""
        if self.copy:
            return self.copy.scroll(lines)
        back = min(max(0, self.back + lines), self.depth)
        moved = back != self.back
        self.back = back
        return moved

    def resize_terminal(self, rows: int, columns: int) -> None:
        """Give the terminal its new size; what is marked or looked at stays on its text."""
        marked = self._selection
        top = Position(self._top, 0)
        points = [top, marked.anchor, marked.head] if marked else [top]
        top, *ends = self.terminal.resize(rows, columns, points)
        if marked:
            self._selection = Selection(ends[0], ends[1], marked.shape)
        if self.copy:
            self.copy.resize(rows, columns)
        if self.back:
            self.back = min(max(0, self.terminal.screen_line - top.line), self.depth)

    def locate(self) -> None:
        """Find the rows to show and the cursor's cell among them.

        A window lower than the screen shows the part with the cursor.
        """
        if self.copy:
            self._locate_copy(self.copy)
            return
        terminal = self.terminal
        cursor = terminal.cursor
        hidden = max(0, terminal.rows - self.height)
        above = min(hidden, max(0, cursor.y - self.height + 1))
        self._top = max(terminal.first_line, terminal.screen_line + above - self.back)
        y = cursor.y + terminal.screen_line - self._top
        seen = cursor.visible and not self.note and 0 <= y < self.height and cursor.x < self.width
        self._cell = (y, cursor.x) if seen else None
        self._underlined = cursor.shape == "underline"
        self._note_row = -1
        if self.note:
            free = terminal.line(cursor.y).text.strip() == ""
            self._note_row = min(max(0, y + (not free)), self.height - 1)

    def _locate_copy(self, copy: CopyMode) -> None:
        if copy.height != self.height:
            copy.set_height(self.height)
        self._top = copy.top
        self._cell = (copy.cursor.line - copy.top, min(copy.cursor.column, self.width - 1))
        self._underlined = False
        self._note_row = -1

    @property
    def cursor_cell(self) -> tuple[int, int] | None:
        """Row and column of the window under the visible cursor."""
        return self._cell

    # drawing

    def changed_rows(self) -> list[int]:
        """Rows of the window that look different from what was last reported here.

        Takes the terminal's dirty rows; the caller has the rows drawn.
        """
        dirty = self.terminal.take_dirty()
        if self.back:
            # Somebody reads further up: the lines stay where they are.
            self.back = min(max(0, self.back + dirty.scrolled), self.depth)
        before = self._top - self.terminal.screen_line, self._cell
        self.locate()
        offset = self.terminal.screen_line - self._top
        still = not (dirty.everything or dirty.scrolled) and before[0] == -offset
        if self.back or self.copy or self.note or not still:
            candidates = set(range(self.height))
        else:
            candidates = {row + offset for row in dirty.rows}
            candidates.update(cell[0] for cell in (before[1], self._cell) if cell)
        changed = [
            y
            for y in sorted(candidates)
            if 0 <= y < self.height and self._strip(y) is not self._told.get(y)
        ]
        self._told.update((y, self._strip(y)) for y in changed)
        return changed

    def draw(self, y: int) -> Strip:
        """Row ``y`` of the window as it is now."""
        strip = self._strip(y)
        # Textual asks for all rows between two regions it refreshes and may show none of them:
        # a row is not up to date because it was drawn, and what was told of it holds no more.
        if self._told.get(y) is not strip:
            self._told.pop(y, None)
        return strip

    def _strip(self, y: int) -> Strip:
        if y == self._note_row:
            return draw_note(self.note, self.width, self.palette)
        number = self._top + y
        line = self.lines.line_at(number)
        if line is None or not self.width:
            return Strip.blank(self.width, self.palette.base)
        strip = self._line_strip(y, line)
        if self.back and y == 0 and not self.copy:
            return draw_badge(strip, f" {self.back:,}/{self.depth:,} ", self.palette)
        for match in self.copy.matches_at(number) if self.copy else ():
            found = Selection(match.start, match.end).span(number, line)
            strip = draw_restyled(line, strip, found or (0, 0), self.palette.found)
        selection = self.selection
        if selection and (span := selection.span(number, line)):
            strip = draw_restyled(line, strip, span, self.palette.inverse)
        if self._cell and self._cell[0] == y:
            strip = self._with_cursor(line, strip, self._cell[1])
        return strip

    def _line_strip(self, y: int, line: Line) -> Strip:
        kept = self._rows.get(y)
        if kept and kept[1] == line.attributes and kept[0] == line.characters:
            return kept[2]
        text = line.text
        # Lines that scrolled have their strip under another row.
        found = None if line.wide else self._strips.get(text)
        if found and found[1] == line.attributes:
            self._rows[y] = found
            return found[2]
        strip = draw_line(line, self.width, self.palette)
        made = (line.characters[:], line.attributes[:], strip)
        self._rows[y] = made
        if not line.wide:
            if len(self._strips) > 4 * self.height + 64:
                self._strips.clear()
            self._strips[text] = made
        return strip

    def _with_cursor(self, line: Line, strip: Strip, x: int) -> Strip:
        look = (x, self.focused, self._underlined, self.copy is None)
        overlay = self._overlay
        if overlay and overlay[0] is strip and overlay[1] == look:
            return overlay[2]
        style = self.palette.underlined if self._underlined else self.palette.inverse
        if self.copy:
            style = self.palette.pointed
        if not self.focused:
            style = self.palette.shaded
        drawn = draw_restyled(line, strip, cell_span(line, x), style)
        self._overlay = (strip, look, drawn)
        return drawn
