"""A stretch of lines that is marked, and its text as a person expects to paste it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.terminal.lines import EARLY, Line, Position

if TYPE_CHECKING:
    from core.terminal.lookback import Lines

Shape = Literal["characters", "lines", "block"]


@dataclass(frozen=True, slots=True)
class Selection:
    """From one cell to another, in either direction, both included."""

    anchor: Position
    """Where it was begun."""
    head: Position
    """Where it ends now."""
    shape: Shape = "characters"
    """Running text, whole lines, or a rectangle."""

    @property
    def ends(self) -> tuple[Position, Position]:
        """The earlier end and the later one."""
        return (self.anchor, self.head) if self.anchor <= self.head else (self.head, self.anchor)

    def span(self, number: int, line: Line) -> tuple[int, int] | None:
        """First column and the column after the last marked in a line; None outside.

        A wide character is marked as a whole.
        """
        first, last = self.ends
        if not first.line <= number <= last.line:
            return None
        columns = len(line.characters)
        start, end = 0, columns
        if self.shape == "block":
            start, end = sorted((first.column, last.column))
            end += 1
        elif self.shape == "characters":
            start = first.column if number == first.line else 0
            end = last.column + 1 if number == last.line else columns
        start, end = min(start, columns), min(end, columns)
        if line.wide:
            if 0 < start < columns and line.characters[start] == "":
                start -= 1
            if end < columns and line.characters[end] == "":
                end += 1
        return (start, end) if start < end else None

    def text(self, lines: Lines) -> str:
        """What is marked: wrapped lines in one piece, no blanks at the ends of lines."""
        first, last = self.ends
        pieces: list[str] = []
        for number in range(max(first.line, lines.first_line), last.line + 1):
            line = lines.line_at(number)
            if line is None:
                break
            start, end = self.span(number, line) or (0, 0)
            goes_on = line.wrapped and number != last.line and self.shape != "block"
            if goes_on and line.wrapped == EARLY:
                end = min(end, len(line.characters) - 1)
            piece = "".join(line.characters[start:end])
            pieces.append(piece if goes_on else piece.rstrip(" ") + "\n")
        text = "".join(pieces)
        return text if self.shape == "lines" else text.removesuffix("\n")
