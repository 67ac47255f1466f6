"""Change the size of a screen: lines that wrapped flow anew, the cursor stays at its character.

So do other places that somebody holds on to: the ends of a selection, marks.

Only the primary screen and its history flow; a program in the alternate screen draws itself
anew, so there rows and columns are only cut or added. What no longer fits above goes into the
history, and comes back when there is room.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from core.terminal.attributes import DEFAULT
from core.terminal.history import Packed, pack, unpack
from core.terminal.lines import EARLY, FULL, Line, Position

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.terminal.attributes import Attributes
    from core.terminal.marks import Mark
    from core.terminal.screen import Screen


def resize(
    screen: Screen, rows: int, columns: int, points: Sequence[Position] = ()
) -> list[Position]:
    """Give ``screen`` its new size; margins go back to the whole screen.

    ``points`` are cells of the history and the primary screen; gives where they are now.
    """
    if (rows, columns) == (screen.lines, screen.columns):
        return list(points)
    cursor = screen.cursor
    if screen.alternate:
        saved = screen.saved[False]
        place = Position(saved.y, saved.x) if saved else Position(0, 0)
        flow = _flow(screen, screen.hidden_grid, place, points, rows, columns)
        screen.hidden_grid, place, moved = flow
        if saved:
            screen.saved[False] = replace(saved, x=place.column, y=place.line)
        shown, cursor.y = _cut(screen.grid, cursor.y, rows, columns)
        cursor.x = min(cursor.x, columns - 1)
    else:
        place = Position(cursor.y, cursor.x)
        shown, place, moved = _flow(screen, screen.grid, place, points, rows, columns)
        cursor.y, cursor.x = place
        screen.hidden_grid, _ = _cut(screen.hidden_grid, 0, rows, columns)
    screen.tabstops = {stop for stop in screen.tabstops if stop < columns} | set(
        range(-(-screen.columns // 8) * 8, columns, 8)
    )
    screen.margins = None
    screen.lines, screen.columns = rows, columns
    screen.set_sides(None)
    screen.show(shown)
    return moved


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
    screen: Screen,
    grid: list[Line],
    cursor: Position,
    points: Sequence[Position],
    rows: int,
    columns: int,
) -> tuple[list[Line], Position, list[Position]]:
    """The new rows of the primary screen; where the cursor in them and where the points are."""
    lines = grid[:]
    while len(lines) > cursor.line + 1 and _is_blank(lines[-1]):
        lines.pop()
    history = screen.history
    if columns == screen.columns:
        # Only the lines that may come back have to be looked at; all keep their numbers.
        room = max(rows - len(lines), 0)
        above = [history.pop() for _ in range(min(len(history), room))][::-1]
        flowing = [*above, *(pack(line) for line in lines)]
        place, moved = Position(len(above) + cursor.line, cursor.column), list(points)
        first = min(max(len(flowing) - rows, 0), place.line)
        history.extend(flowing[:first])
    else:
        start, above = history.first, list(history)
        flowing = [*above, *(pack(line) for line in lines)]
        held = [Position(len(above) + cursor.line, cursor.column)]
        held += [Position(line - start, column) for line, column in points]
        flowing, (place, *moved) = rewrap(flowing, held, screen.columns, columns)
        first = min(max(len(flowing) - rows, 0), place.line)
        history.replace(flowing[:first])
        moved = [Position(line + start, column) for line, column in moved]
    shown = [unpack(packed, columns) for packed in flowing[first : first + rows]]
    shown += [Line(columns) for _ in range(rows - len(shown))]
    return shown, Position(place.line - first, place.column), moved


def _is_blank(line: Line) -> bool:
    columns = len(line.characters)
    return (
        line.characters.count(" ") == columns
        and line.attributes.count(DEFAULT) == columns
        and not line.wrapped
    )


def rewrap(
    flowing: Sequence[Packed], points: Sequence[Position], old: int, new: int
) -> tuple[list[Packed], list[Position]]:
    """The lines at their new width, and where the points went.

    The first point is a cursor: blanks before it are text, and it may stand past the last column.
    """
    result: list[Packed] = []
    moved = list(points)
    waiting = deque(sorted(range(len(points)), key=points.__getitem__))
    for start, parts in _paragraphs(flowing):
        inside: list[int] = []
        while waiting and points[waiting[0]].line < start + len(parts):
            inside.append(waiting.popleft())
        if len(parts) == 1 and parts[0].width <= new and 0 not in inside:
            for index in inside:
                moved[index] = Position(len(result), min(points[index].column, new - 1))
            result.append(parts[0])
            continue
        text = _Flow()
        starts: list[int] = []
        for packed in parts:
            starts.append(len(text.characters))
            text.add(unpack(packed, old))
        offsets = {i: starts[max(points[i].line - start, 0)] + points[i].column for i in inside}
        text.trim(offsets.get(0, 0), new)
        for line, first, end in text.lines(new):
            for index in [i for i, at in offsets.items() if at < end or not line.wrapped]:
                edge = new if index == 0 else new - 1
                column = min(offsets.pop(index) - first, edge)
                moved[index] = Position(len(result), column)
            result.append(pack(line))
    for index in waiting:
        moved[index] = Position(max(len(result) - 1, 0), 0)
    return result, moved


def _paragraphs(flowing: Sequence[Packed]) -> Iterator[tuple[int, list[Packed]]]:
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
