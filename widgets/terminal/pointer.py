"""The mouse over a terminal pane.

Reported to the program if it asked (modes 9, 1000, 1002, 1003) and Shift is up; otherwise a drag
selects, its end copies, and the wheel moves through the history, or sends arrows to a program on
the alternate screen (mode 1007). Two clicks select a word, three a line, Alt makes a rectangle,
Ctrl opens a link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.terminal.encode_keys import encode_mouse
from core.terminal.lines import Position
from core.terminal.links import link_at
from core.terminal.motions import word_around
from core.terminal.selection import Selection

if TYPE_CHECKING:
    from textual import events
    from textual.timer import Timer

    from core.terminal.encode_keys import MouseKind
    from core.terminal.selection import Shape
    from widgets.terminal.pane import TerminalPane

_HISTORY = {"up": 3, "down": -3}
"""Lines of history that one notch of the wheel moves."""
CLICK_SECONDS = 0.5
"""Longest time between the clicks of a double click."""
DRAG_SECONDS = 0.05
"""Time for each line while a drag is held beyond the edge."""
_JOINING = "-./~%:@+?&=#"
"""Parts of words for a double click, so that paths and addresses come as a whole."""


class Pointer:
    """Turns mouse events of a pane into input for the program, or into a selection."""

    def __init__(self, pane: TerminalPane) -> None:
        self._pane = pane
        self._view = pane.view
        self._held = 0
        self._anchor: tuple[Position, Position] | None = None
        """First and last cell of what the press marked, while a button is held to select."""
        self._shape: Shape = "characters"
        self._clicks = 0
        self._clicked: tuple[float, Position] = (0.0, Position(-1, -1))
        self._cell_now = (0, 0)
        self._beyond = 0
        self._scroller: Timer | None = None

    def press(self, event: events.MouseDown) -> None:
        """A button went down: the program's, or the start of a selection."""
        self._pane.capture_mouse()
        self._view.selection = None
        if self._is_reported(event):
            self._held = event.button
            self._report("press", event.button, event)
        elif event.button == 1:
            y, x = self._cell_now = self._cell(event)
            place = Position(self._view.top + y, x)
            if event.ctrl and (address := link_at(self._view.lines, place)):
                self._pane.copying.open(address)
            else:
                self._begin(event, place)
        self._pane.repaint()

    def _begin(self, event: events.MouseDown, place: Position) -> None:
        moment, before = self._clicked
        again = place == before and event.time - moment <= CLICK_SECONDS
        self._clicks = self._clicks % 3 + 1 if again else 1
        self._clicked = event.time, place
        self._anchor = place, place
        self._shape = "block" if event.meta else "characters"
        if self._clicks == 2:
            self._anchor = word_around(self._view.lines, place, _JOINING)
        elif self._clicks == 3:
            self._shape = "lines"
        if self._clicks > 1:
            self._mark(place)

    def release(self, event: events.MouseUp) -> None:
        """A button went up: a selection is copied."""
        self._pane.release_mouse()
        self._stop_scrolling()
        if self._held:
            self._held = 0
            self._report("release", event.button, event)
        if self._anchor:
            self._anchor = None
            selection = self._view.selection
            if selection and (text := selection.text(self._view.lines)):
                self._pane.post_message(self._pane.Copied(self._pane, text))
            self._pane.repaint()

    def move(self, event: events.MouseMove) -> None:
        """The mouse moved: a selection grows, a program that follows it is told."""
        if self._anchor:
            row = self._row(event)
            cell = self._cell(event)
            self._beyond = (row < 0) - (row >= self._view.height)
            if self._beyond and self._scroller is None:
                self._scroller = self._pane.set_interval(DRAG_SECONDS, self._scroll_on)
            elif not self._beyond:
                self._stop_scrolling()
            if self._beyond or cell != self._cell_now or self._view.selection:
                self._cell_now = cell
                self._mark(Position(self._view.top + cell[0], cell[1]))
                self._pane.repaint()
        elif self._is_reported(event):
            self._report("move", self._held, event)

    def _mark(self, head: Position) -> None:
        """Select from what the press marked to ``head``, by words after a double click."""
        if self._anchor is None:
            return
        first, last = self._anchor
        start, end = head, head
        if self._clicks == 2:
            start, end = word_around(self._view.lines, head, _JOINING)
        ends = (last, start) if head < first else (first, max(end, last))
        if self._clicks != 2:
            ends = first, head
        self._view.selection = Selection(*ends, self._shape)

    def _scroll_on(self) -> None:
        self._pane.scroll_history(self._beyond)
        self._view.locate()
        y, x = self._cell_now
        self._mark(Position(self._view.top + y, x))
        self._pane.repaint()

    def _stop_scrolling(self) -> None:
        if self._scroller:
            self._scroller.stop()
            self._scroller = None

    def wheel(self, event: events.MouseEvent, kind: MouseKind) -> None:
        """The wheel turned: for the program, or ``up`` through the history and ``down`` again."""
        modes = self._pane.terminal.modes
        if self._is_reported(event):
            self._report(kind, 0, event)
        elif modes.alternate_screen and not event.shift and not self._view.copy:
            self._pane.send(encode_mouse(kind, 0, 0, 0, (), modes))
        elif kind in _HISTORY:
            self._pane.scroll_history(_HISTORY[kind])

    def _is_reported(self, event: events.MouseEvent) -> bool:
        if self._view.copy or self._view.back:
            return False
        return bool(self._pane.terminal.modes.mouse) and not event.shift

    def _row(self, event: events.MouseEvent) -> int:
        return int(event.y) - self._pane.gutter.top

    def _cell(self, event: events.MouseEvent) -> tuple[int, int]:
        """Row and column of the window, kept inside it while a drag leads outside."""
        x = int(event.x) - self._pane.gutter.left
        return (
            min(max(0, self._row(event)), self._view.height - 1),
            min(max(0, x), self._view.width - 1),
        )

    def _report(self, kind: MouseKind, button: int, event: events.MouseEvent) -> None:
        terminal = self._pane.terminal
        y, x = self._cell(event)
        y += self._view.top - terminal.screen_line
        if y < terminal.rows and x < terminal.columns:
            held = {"alt": event.meta, "ctrl": event.ctrl}
            modifiers = [name for name, down in held.items() if down]
            self._pane.send(encode_mouse(kind, button, y, x, modifiers, terminal.modes))
