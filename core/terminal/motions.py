"""Where a cursor goes among lines of text: vi's motions by character, word and line end.

A line that wrapped goes on in the next one, so words may, too. Blanks after the end of a line
are no place to stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.terminal.lines import EARLY, Line, Position
from core.terminal.lookback import first_row, logical_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.terminal.lookback import Lines

_BLANK, _WORD, _OTHER = range(3)

Cell = tuple[Position, int]


def last_column(line: Line) -> int:
    """Column of the last cell that is not blank; 0 in an empty line."""
    characters = line.characters
    column = len(characters) - 1
    while column > 0 and characters[column] == " ":
        column -= 1
    return _whole(line, column)


def settle(lines: Lines, position: Position) -> Position:
    """The nearest place that is there: on a line, on text, at the left half of a wide character."""
    number = min(max(position.line, lines.first_line), lines.end_line - 1)
    line = lines.line_at(number)
    if line is None:
        return Position(number, 0)
    return Position(number, _whole(line, min(max(position.column, 0), last_column(line))))


def left(lines: Lines, at: Position) -> Position:
    """``h``: one cell to the left, on the same line."""
    return settle(lines, Position(at.line, at.column - 1))


def right(lines: Lines, at: Position) -> Position:
    """``l``: one cell to the right, on the same line."""
    line = lines.line_at(at.line)
    wide = line is not None and line.characters[at.column + 1 : at.column + 2] == [""]
    return settle(lines, Position(at.line, at.column + 1 + wide))


def line_start(lines: Lines, at: Position) -> Position:
    """``0``: where the line begins, also if it wrapped."""
    return Position(first_row(lines, at.line), 0)


def text_start(lines: Lines, at: Position) -> Position:
    """``^``: the first character of the line that is not blank."""
    start = line_start(lines, at)
    line = logical_line(lines, start.line)
    if line is None or not line.text:
        return start
    return line.position(len(line.text) - len(line.text.lstrip(" ")))


def line_end(lines: Lines, at: Position) -> Position:
    """``$``: the last character of the line, also if it wraps."""
    number = at.line
    while _goes_on(lines, number):
        number += 1
    return settle(lines, Position(number, _FAR))


def next_word(lines: Lines, at: Position) -> Position:
    """``w``: where the next word begins."""
    before = -1
    last = at
    for position, kind in _cells(lines, at, 1):
        if kind not in (_BLANK, before) and before >= 0:
            return position
        before = kind
        last = position
    return settle(lines, last)


def word_end(lines: Lines, at: Position) -> Position:
    """``e``: where this word ends, or the next one if it ends here."""
    cells = _cells(lines, at, 1)
    next(cells, None)
    end, inside = at, -1
    for position, kind in cells:
        if inside > _BLANK and kind != inside:
            return end
        if kind != _BLANK:
            end, inside = position, kind
    return end if inside > _BLANK else settle(lines, at)


def previous_word(lines: Lines, at: Position) -> Position:
    """``b``: where this word begins, or the one before if it begins here."""
    cells = _cells(lines, at, -1)
    next(cells, None)
    begin, inside = at, -1
    for position, kind in cells:
        if inside > _BLANK and kind != inside:
            return begin
        if kind != _BLANK:
            begin, inside = position, kind
    return begin if inside > _BLANK else Position(lines.first_line, 0)


def word_around(lines: Lines, at: Position, joining: str = "") -> tuple[Position, Position]:
    """First and last cell of the run of like characters at ``at``.

    Characters of ``joining`` belong to words, so that paths and addresses come as a whole.
    """
    ends = []
    for step in (-1, 1):
        cells = _cells(lines, at, step, joining)
        end, kind = next(cells, (at, _BLANK))
        for position, other in cells:
            if other != kind or (other == _BLANK and position.line != at.line):
                break
            end = position
        ends.append(end)
    return ends[0], ends[1]


def paragraph(lines: Lines, at: Position, step: int) -> Position:
    """``{`` and ``}``: the next empty line after some text, or the first or last line."""
    seen_text = False
    number = at.line + step
    while lines.first_line <= number < lines.end_line:
        line = lines.line_at(number)
        empty = line is None or not line.text.strip(" ")
        if empty and seen_text:
            return Position(number, 0)
        seen_text = seen_text or not empty
        number += step
    return settle(lines, Position(number, 0))


_FAR = 1 << 20


def _whole(line: Line, column: int) -> int:
    return column - 1 if column > 0 and line.characters[column] == "" else column


def _goes_on(lines: Lines, number: int) -> bool:
    line = lines.line_at(number)
    return line is not None and bool(line.wrapped) and number + 1 < lines.end_line


def _kind(character: str, joining: str) -> int:
    if character.isspace():
        return _BLANK
    return (
        _WORD if character[0].isalnum() or character[0] == "_" or character in joining else _OTHER
    )


def _cells(lines: Lines, at: Position, step: int, joining: str = "") -> Iterator[Cell]:
    """Cells from ``at`` on in one direction; the end of a line that does not wrap is a blank."""
    number, column = at
    while (line := lines.line_at(number)) is not None:
        characters = line.characters
        width = len(characters) - (line.wrapped == EARLY)
        if step < 0 and number != at.line:
            column = width - 1
            if not line.wrapped:
                yield Position(number, column), _BLANK
        for x in range(column, width) if step > 0 else range(column, -1, -1):
            if characters[x]:
                yield Position(number, x), _kind(characters[x], joining)
        if step > 0 and not line.wrapped:
            yield Position(number, width - 1), _BLANK
        number, column = number + step, 0
