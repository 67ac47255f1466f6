"""From prompt to prompt, and the output of a command, by the marks of OSC 133."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.terminal.lines import Position
from core.terminal.motions import last_column, paragraph
from core.terminal.selection import Selection

if TYPE_CHECKING:
    from core.terminal.lookback import Lines
    from core.terminal.marks import Mark


def prompt_above(lines: Lines, at: Position) -> Position:
    """The nearest prompt in a line above; without one, the end of the paragraph above."""
    return _nearest(lines, at.line, -1) or paragraph(lines, at, -1)


def prompt_below(lines: Lines, at: Position) -> Position:
    """The nearest prompt in a line below; without one, the end of the paragraph."""
    return _nearest(lines, at.line, 1) or paragraph(lines, at, 1)


def _nearest(lines: Lines, number: int, step: int) -> Position | None:
    number += step
    while lines.first_line <= number < lines.end_line:
        if any(mark.kind == "prompt" for mark in lines.marks_at(number)):
            return Position(number, 0)
        number += step
    return None


def output_before(lines: Lines, at: Position) -> Selection | None:
    """What the newest command that wrote anything before ``at`` wrote; None without marks."""
    after = Position(lines.end_line, 0)
    for number in range(lines.end_line - 1, lines.first_line - 1, -1):
        for mark in _from_the_right(lines.marks_at(number)):
            place = Position(number, mark.column)
            if mark.kind != "output":
                after = place
            elif place < at and (found := _between(lines, place, after)):
                return found
    return None


def _from_the_right(marks: tuple[Mark, ...]) -> list[Mark]:
    """The last first; of several in one place the newest first."""
    order = sorted(((mark.column, index) for index, mark in enumerate(marks)), reverse=True)
    return [marks[index] for _column, index in order]


def _between(lines: Lines, start: Position, end: Position) -> Selection | None:
    """Whatever is written from ``start`` to before ``end``; None for blanks only."""
    line = lines.line_at(start.line)
    if line is not None and start.column >= len(line.characters):
        start = Position(start.line + 1, 0)
    number, edge = end
    while number >= start.line:
        line = lines.line_at(number)
        if line is not None:
            first = start.column if number == start.line else 0
            piece = "".join(line.characters[first : edge if number == end.line else None])
            if piece.strip(" "):
                last = last_column(line) if number < end.line else edge - 1
                return Selection(start, Position(number, last))
        number -= 1
    return None
