"""A stretch of lines marked with the mouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.terminal.lines import Line


@dataclass(frozen=True, slots=True)
class Selection:
    """From one cell to another, in either direction, both included.

    Lines are numbered from the oldest of the history.
    """

    anchor: tuple[int, int]
    """Line and column where the mouse went down."""
    head: tuple[int, int]
    """Line and column where it is now."""

    @property
    def is_empty(self) -> bool:
        """Whether the mouse has not left its cell."""
        return self.anchor == self.head

    def columns_of(self, number: int, columns: int) -> tuple[int, int] | None:
        """First column and the column after the last marked in a line; None outside."""
        (first, start), (last, end) = sorted((self.anchor, self.head))
        if not first <= number <= last:
            return None
        return (start if number == first else 0), (end + 1 if number == last else columns)

    def text(self, line_at: Callable[[int], Line | None]) -> str:
        """The marked text: wrapped lines in one piece, no blanks at the ends of lines."""
        (first, _), (last, _) = sorted((self.anchor, self.head))
        pieces = []
        for number in range(first, last + 1):
            line = line_at(number)
            if line is None:
                break
            span = self.columns_of(number, len(line.characters)) or (0, 0)
            piece = "".join(line.characters[span[0] : span[1]])
            if line.wrapped and number != last:
                pieces.append(piece)
            else:
                pieces.append(piece.rstrip(" ") + "\n")
        return "".join(pieces).removesuffix("\n")
