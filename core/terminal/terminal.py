"""The terminal as its users see it: bytes in; lines, cursor, modes and answers out.

No drawing and no I/O. One thread at a time; :meth:`Terminal.feed` costs what the bytes cost,
so a caller that must stay responsive feeds slices.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.terminal.checkpoint import CHECKPOINT_VERSION, CheckpointError, dump, load
from core.terminal.history import unpack
from core.terminal.marks import placed
from core.terminal.reflow import resize
from core.terminal.screen import Screen
from core.terminal.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.terminal.lines import Line, Position
    from core.terminal.marks import Mark, PlacedMark
    from core.terminal.modes import CursorState, Modes
    from core.terminal.notifications import Notification

__all__ = ["CHECKPOINT_VERSION", "CheckpointError", "Dirty", "Terminal"]

SIZE_LIMIT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Dirty:
    """What changed on the screen since it was last asked."""

    rows: frozenset[int]
    everything: bool
    """All rows changed, or the size, or what screen is shown."""
    scrolled: int
    """Lines that went into the history."""


class Terminal:
    """A screen of ``rows`` by ``columns`` with a history of ``scrollback`` lines."""

    def __init__(self, rows: int, columns: int, *, scrollback: int = 10_000) -> None:
        rows, columns = _sane(rows), _sane(columns)
        self.screen = Screen(columns, rows, max(scrollback, 0))
        self.stream = Stream(self.screen)
        self.tail = b""
        """Bytes of a character that is not complete yet."""
        self._told_end = 0

    @property
    def answering(self) -> bool:
        """Whether questions of the program are answered; only the controller does."""
        return self.screen.answering

    @answering.setter
    def answering(self, value: bool) -> None:
        self.screen.answering = value

    def feed(self, data: bytes) -> None:
        """Take output of the program, cut anywhere. Never raises."""
        text, used = codecs.utf_8_decode(self.tail + data, "replace", False)
        self.tail = (self.tail + data)[used:]
        self.stream.feed(text)

    def resize(self, rows: int, columns: int, points: Sequence[Position] = ()) -> list[Position]:
        """Change the size; wrapped lines of the primary screen flow anew.

        Lines get other numbers where the width changes: gives where ``points`` are now.
        """
        moved = resize(self.screen, _sane(rows), _sane(columns), points)
        self._told_end = self.screen.history.end
        return moved

    @property
    def rows(self) -> int:
        """Height in cells."""
        return self.screen.lines

    @property
    def columns(self) -> int:
        """Width in cells."""
        return self.screen.columns

    def line(self, y: int) -> Line:
        """Row ``y`` of the screen, live: it changes with the next feed. Raises: IndexError."""
        return self.screen.grid[y]

    @property
    def first_line(self) -> int:
        """Number of the oldest line: of the history, or of a screen that has none."""
        history = self.screen.history
        return history.end if self.screen.alternate else history.first

    @property
    def screen_line(self) -> int:
        """Number of the screen's first row; grows as lines scroll away."""
        return self.screen.history.end

    @property
    def end_line(self) -> int:
        """Number after the screen's last row."""
        return self.screen.history.end + self.screen.lines

    def line_at(self, number: int) -> Line | None:
        """The line of that number: live on the screen, else a copy; None if it is gone."""
        history = self.screen.history
        if number >= history.end:
            y = number - history.end
            return self.screen.grid[y] if y < self.screen.lines else None
        if number < self.first_line:
            return None
        return unpack(history.lines[number - history.first], self.screen.columns)

    def marks_at(self, number: int) -> tuple[Mark, ...]:
        """What a shell says begins in the line of that number."""
        history = self.screen.history
        if self.first_line <= number < history.end:
            return history.lines[number - history.first].marks
        line = self.line_at(number)
        return line.marks if line else ()

    @property
    def history_size(self) -> int:
        """Lines above the screen."""
        return len(self.screen.history)

    def history_line(self, index: int) -> Line:
        """A copy of a line above the screen, 0 being the oldest. Raises: IndexError."""
        return unpack(self.screen.history.lines[index], self.screen.columns)

    @property
    def cursor(self) -> CursorState:
        """Where the cursor is and what it looks like."""
        return self.screen.cursor_state()

    @property
    def modes(self) -> Modes:
        """What the program asked of keyboard, mouse and screen."""
        return self.screen.modes()

    @property
    def title(self) -> str:
        """What the program calls the window, safe to show."""
        return self.screen.title

    @property
    def bells(self) -> int:
        """How often it rang since the beginning."""
        return self.screen.bells

    def take_replies(self) -> bytes:
        """Answers for the program since the last call; they go to its input."""
        replies = "".join(self.screen.replies)
        self.screen.replies.clear()
        return replies.encode("utf-8", "replace")

    def take_dirty(self) -> Dirty:
        """What changed since the last call."""
        screen = self.screen
        rows = frozenset(y for y in screen.dirty if y < screen.lines)
        screen.dirty.clear()
        end = screen.history.end
        scrolled, self._told_end = end - self._told_end, end
        return Dirty(rows=rows, everything=len(rows) >= screen.lines, scrolled=scrolled)

    def take_clipboard(self) -> list[str]:
        """What the program wants on the clipboard (OSC 52); the user decides."""
        texts = self.screen.clipboard[:]
        self.screen.clipboard.clear()
        return texts

    def take_notifications(self) -> list[Notification]:
        """What the program wants the user to hear of (OSC 9, 99, 777); the user decides."""
        return self.screen.notifications.take()

    @property
    def marks(self) -> list[PlacedMark]:
        """What shells marked (OSC 133), from the oldest line; made anew at each call.

        Lines count from the oldest of the history: the screen begins at ``history_size``.
        """
        screen = self.screen
        return placed(screen.history, screen.grid)

    def text(self) -> list[str]:
        """The rows of the screen as plain text, without trailing blanks."""
        return [line.text.rstrip() for line in self.screen.grid]

    def set_colors(
        self, foreground: tuple[int, int, int], background: tuple[int, int, int]
    ) -> None:
        """The default colours as drawn, for programs that ask (OSC 10 and 11)."""
        self.screen.foreground = foreground
        self.screen.background = background

    def checkpoint(self) -> bytes:
        """The whole state; :meth:`restore` continues exactly here."""
        return dump(self.screen, self.stream, self.tail)

    @classmethod
    def restore(cls, data: bytes) -> Terminal:
        """The terminal a checkpoint was taken of; it does not answer.

        Raises:
            CheckpointError: not a checkpoint, damaged, or of another version.
        """
        terminal = cls(1, 1)
        terminal.tail = load(data, terminal.screen, terminal.stream)
        terminal._told_end = terminal.screen.history.end
        return terminal


def _sane(size: int) -> int:
    return min(max(size, 1), SIZE_LIMIT)
