"""The mouse over a terminal pane.

Reported to the program if it asked (modes 9, 1000, 1002, 1003) and Shift is up; otherwise a drag
selects, its end copies, and the wheel moves through the history, or sends arrows to a program on
the alternate screen (mode 1007).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.terminal.encode_keys import encode_mouse
from widgets.terminal.selection import Selection

if TYPE_CHECKING:
    from textual import events

    from core.terminal.encode_keys import MouseKind
    from widgets.terminal.pane import TerminalPane

_HISTORY = {"up": 3, "down": -3}
"""Lines of history that one notch of the wheel moves."""


class Pointer:
    """Turns mouse events of a pane into input for the program, or into a selection."""

    def __init__(self, pane: TerminalPane) -> None:
        self._pane = pane
        self._view = pane.view
        self._selecting = False
        self._held = 0

    def press(self, event: events.MouseDown) -> None:
        """A button went down: the program's, or the start of a selection."""
        y, x = self._cell(event)
        self._pane.capture_mouse()
        self._view.selection = None
        if self._is_reported(event):
            self._held = event.button
            self._report("press", event.button, event)
        elif event.button == 1:
            self._selecting = True
            at = self._view.top + y, x
            self._view.selection = Selection(at, at)
        self._pane.repaint()

    def release(self, event: events.MouseUp) -> None:
        """A button went up: a selection is copied."""
        self._pane.release_mouse()
        if self._held:
            self._held = 0
            self._report("release", event.button, event)
        selection = self._view.selection
        if self._selecting and selection:
            self._selecting = False
            if selection.is_empty:
                self._view.selection = None
            elif text := selection.text(self._view.line):
                self._pane.app.copy_to_clipboard(text)
                self._pane.post_message(self._pane.Copied(self._pane, text))
            self._pane.repaint()

    def move(self, event: events.MouseMove) -> None:
        """The mouse moved: a selection grows, a program that follows it is told."""
        if self._selecting and self._view.selection:
            y, x = self._cell(event)
            if not 0 <= self._row(event) < self._view.height:
                self._pane.scroll_history(1 if self._row(event) < 0 else -1)
            head = self._view.top + y, x
            self._view.selection = Selection(self._view.selection.anchor, head)
            self._pane.repaint()
        elif self._is_reported(event):
            self._report("move", self._held, event)

    def wheel(self, event: events.MouseEvent, kind: MouseKind) -> None:
        """The wheel turned: for the program, or ``up`` through the history and ``down`` again."""
        modes = self._pane.terminal.modes
        if self._is_reported(event):
            self._report(kind, 0, event)
        elif modes.alternate_screen and not event.shift:
            self._pane.send(encode_mouse(kind, 0, 0, 0, (), modes))
        elif not modes.alternate_screen and kind in _HISTORY:
            self._pane.scroll_history(_HISTORY[kind])

    def _is_reported(self, event: events.MouseEvent) -> bool:
        return bool(self._pane.terminal.modes.mouse) and not event.shift and not self._view.back

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
        y += self._view.top - terminal.history_size
        if y < terminal.rows and x < terminal.columns:
            held = {"alt": event.meta, "ctrl": event.ctrl}
            modifiers = [name for name, down in held.items() if down]
            self._pane.send(encode_mouse(kind, button, y, x, modifiers, terminal.modes))
