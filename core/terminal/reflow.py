"""Change the size of a screen: lines that wrapped flow anew, the cursor stays at its character.

Only the primary screen and its history flow; a program in the alternate screen draws itself
anew, so there rows and columns are only cut or added. What no longer fits above goes into the
history, and comes back when there is room.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.terminal.attributes import DEFAULT
from core.terminal.history import Packed, pack, unpack
from core.terminal.lines import EARLY, FULL, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.terminal.attributes import Attributes
    from core.terminal.marks import Mark
    from core.terminal.screen import Screen


def resize(screen: Screen, rows: int, columns: int) -> None:
    """Give ``screen`` its new size; margins go back to the whole screen."""
    if (rows, columns) == (screen.lines, screen.columns):
        return
    cursor = screen.cursor
    if screen.alternate:
        saved = screen.saved[False]
        y, x = (saved.y, saved.x) if saved else (0, 0)
        primary, y, x = _flow(screen, screen.hidden_grid, y, x, rows, columns)
        if saved:
            screen.saved[False] = replace(saved, x=x, y=y)
        shown, cursor.y = _cut(screen.grid, cursor.y, rows, columns)
        cursor.x = min(cursor.x, columns - 1)
        screen.hidden_grid = primary
    else:
        shown, cursor.y, cursor.x = _flow(screen, screen.grid, cursor.y, cursor.x, rows, columns)
        screen.hidden_grid, _ = _cut(screen.hidden_grid, 0, rows, columns)
    screen.tabstops = {stop for stop in screen.tabstops if stop < columns} | set(
        range(-(-screen.columns // 8) * 8, columns, 8)
    )
    screen.margins = None
    screen.lines, screen.columns = rows, columns
    screen.set_sides(None)
    screen.show(shown)


def _cut(grid: list[Line], y: int, rows: int, columns: int) -> tuple[list[Line], int]:
    """The rows cut or padded, keeping row ``y``; and where that row is now."""
    if not grid:
        return grid, y
    spare = max(len(grid) - rows, 0)
    above = max(y - rows + 1, 0)
    kept = grid[above : len(grid) - (spare - above)]
    for line in kept:
        line.fit(columns)
    kept += [Line(columns) for _ in range(rows - len(kept))]
    return kept, y - above


def _flow(
    screen: Screen, grid: list[Line], y: int, x: int, rows: int, columns: int
) -> tuple[list[Line], int, int]:
    """The new rows of the primary screen, and the row and column of the cursor in them."""
    lines = grid[:]
    while len(lines) > y + 1 and _is_blank(lines[-1]):
        lines.pop()
    history = screen.history
    if columns == screen.columns:
        # Only the lines that may come back have to be looked at.
        room = max(rows - len(lines), 0)
        above = [history.pop() for _ in range(min(len(history), room))][::-1]
    else:
        above = list(history)
        history.clear()
    flowing = [*above, *(pack(line) for line in lines)]
    place = len(above) + y
    if columns != screen.columns:
        flowing, place, x = _rewrap(flowing, place, x, screen.columns, columns)
    first = min(max(len(flowing) - rows, 0), place)
    history.lines.extend(flowing[:first])
    shown = [unpack(packed, columns) for packed in flowing[first : first + rows]]
    shown += [Line(columns) for _ in range(rows - len(shown))]
    return shown, place - first, x


def _is_blank(line: Line) -> bool:
    columns = len(line.characters)
    return (
        line.characters.count(" ") == columns
        and line.attributes.count(DEFAULT) == columns
        and not line.wrapped
    )


def _rewrap(
    flowing: list[Packed], place: int, x: int, old: int, new: int
) -> tuple[list[Packed], int, int]:
    """The lines at their new width, and where the cursor at ``place``, ``x`` went."""
    result: list[Packed] = []
    cursor = (0, 0)
    for start, parts in _paragraphs(flowing):
        holds_cursor = start <= place < start + len(parts)
        if len(parts) == 1 and not holds_cursor and parts[0].width <= new:
            result.append(parts[0])
            continue
        text = _Flow()
        at = -1
        for number, packed in enumerate(parts):
            if start + number == place:
                at = len(text.characters) + x
            text.add(unpack(packed, old))
        text.trim(max(at, 0), new)
        for line, first, end in text.lines(new):
            if first <= at and (at < end or not line.wrapped):
                cursor = (len(result), min(at - first, new))
                at = -1
            result.append(pack(line))
    return result, *cursor


def _paragraphs(flowing: list[Packed]) -> Iterator[tuple[int, list[Packed]]]:
    """Lines that belong together, with the index of the first."""
    parts: list[Packed] = []
    for index, packed in enumerate(flowing):
        parts.append(packed)
        if not packed.wrapped:
            yield index - len(parts) + 1, parts
            parts = []
    if parts:
        yield len(flowing) - len(parts), parts


class _Flow:
    """One paragraph: its cells without line ends."""

    __slots__ = ("attributes", "characters", "marks")

    def __init__(self) -> None:
        self.characters: list[str] = []
        self.attributes: list[Attributes] = []
        self.marks: list[Mark] = []

    def add(self, line: Line) -> None:
        """Append a physical line; the column a wide character left unused is dropped."""
        start = len(self.characters)
        self.marks += [mark._replace(column=start + mark.column) for mark in line.marks]
        end = len(line.characters) - (1 if line.wrapped == EARLY else 0)
        self.characters += line.characters[:end]
        self.attributes += line.attributes[:end]

    def trim(self, least: int, width: int) -> None:
        """Drop blanks at the end: all of the default look, coloured ones past ``width``."""
        end = len(self.characters)
        while end > least and self.characters[end - 1] == " ":
            if end <= width and self.attributes[end - 1] != DEFAULT:
                break
            end -= 1
        del self.characters[end:]
        del self.attributes[end:]

    def lines(self, width: int) -> Iterator[tuple[Line, int, int]]:
        """Physical lines of ``width`` columns, each with the cells it took."""
        characters, attributes = self.characters, self.attributes
        count = len(characters)
        start = 0
        while True:
            end = min(start + width, count)
            wrapped = FULL if end < count else 0
            if end < count and characters[end] == "" and end - start > 1:
                end -= 1
                wrapped = EARLY
            line = Line.of(characters[start:end], attributes[start:end], wrapped=wrapped, wide=True)
            line.fit(width)
            if self.marks:
                line.marks = self._marks(start, end if end < count else None, width)
            yield line, start, end
            start = end
            if start >= count:
                return

    def _marks(self, start: int, end: int | None, width: int) -> tuple[Mark, ...]:
        """The marks between two cells, or to the end, with columns of their line."""
        return tuple(
            mark._replace(column=min(mark.column - start, width))
            for mark in self.marks
            if start <= mark.column and (end is None or mark.column < end)
        )
