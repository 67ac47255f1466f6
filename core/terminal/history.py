"""Lines that left the screen at the top, in little memory.

A line is kept as its text and runs of equal looks instead of a list of cells: about 200 bytes
for 120 columns of plain text.
"""

from __future__ import annotations

from collections import deque
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from core.terminal.attributes import DEFAULT, Attributes
from core.terminal.lines import FULL, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.terminal.marks import Mark

_SEPARATOR = "\0"
"""Between cells of a line in which some cell is not exactly one code point."""


Run = tuple[int, Attributes]
"""How many columns have a look."""


class Packed(NamedTuple):
    """A line at rest; trailing blanks of the default look are not stored."""

    text: str
    runs: tuple[Run, ...] = ()
    """Lengths and looks from the left; what they do not cover has the default look."""
    wrapped: int = 0
    marks: tuple[Mark, ...] = ()

    @property
    def width(self) -> int:
        """Columns up to the last one that is not blank."""
        text = self.text
        cells = text.count(_SEPARATOR) if text.endswith(_SEPARATOR) else len(text)
        return max(cells, sum(length for length, _look in self.runs))


_new = tuple.__new__  # the quick way to make the many of a flood


def pack(line: Line) -> Packed:
    """The line in its small form."""
    characters, attributes = line.characters, line.attributes
    first = attributes[0]
    if attributes.count(first) == len(attributes):
        runs: list[Run] = [(len(attributes), first)]
    else:
        runs = [(len(list(group)), look) for look, group in groupby(attributes)]
    text = "".join(characters)
    if line.wide and ("" in characters or len(text) != len(characters)):
        text = _SEPARATOR.join(characters) + _SEPARATOR
    packed = packed_runs(text, runs, line.wrapped)
    return packed._replace(marks=line.marks) if line.marks else packed


def packed_runs(text: str, runs: list[Run], wrapped: int = 0) -> Packed:
    """A line given as text and runs, brought to the one form that equal lines share."""
    kept: list[Run] = []
    for length, look in runs:
        if kept and kept[-1][1] == look:
            kept[-1] = (kept[-1][0] + length, look)
        else:
            kept.append((length, look))
    if kept and kept[-1][1] == DEFAULT:
        kept.pop()
        if text[-1:] == " ":
            styled = sum(length for length, _look in kept)
            text = text[:styled] + text[styled:].rstrip(" ")
    return _new(Packed, (text, tuple(kept), wrapped, ()))


def folded(text: str, runs: list[Run], columns: int) -> list[Packed]:
    """A line too long for the screen as the lines it wraps into."""
    looks = [look for length, look in runs for _ in range(length)]
    pieces: list[Packed] = []
    for start in range(0, len(text), columns):
        end = min(start + columns, len(text))
        wrapped = FULL if end < len(text) else 0
        line = Line.of(list(text[start:end]), looks[start:end], wrapped=wrapped)
        pieces.append(pack(line))
    return pieces


def plain_lines(texts: list[str], columns: int) -> list[Packed]:
    """ASCII text of the default look as the lines it makes."""
    fresh: list[Packed] = []
    for text in texts:
        while len(text) > columns:
            fresh.append(_new(Packed, (text[:columns].rstrip(" "), (), FULL, ())))
            text = text[columns:]
        fresh.append(_new(Packed, (text.rstrip(" "), (), 0, ())))
    return fresh


def unpack(packed: Packed, columns: int) -> Line:
    """The line as cells, cut or padded to ``columns``."""
    text = packed.text
    separated = text.endswith(_SEPARATOR)
    characters = text.split(_SEPARATOR)[:-1] if separated else list(text)
    attributes: list[Attributes] = []
    for length, look in packed.runs:
        attributes += [look] * length
    missing = len(characters) - len(attributes)
    if missing > 0:
        attributes += [DEFAULT] * missing
    else:
        characters += [" "] * -missing
    line = Line.of(characters, attributes, wrapped=packed.wrapped, wide=separated)
    line.marks = packed.marks
    line.fit(columns)
    return line


class History:
    """At most ``limit`` lines, oldest first; the oldest make room.

    Lines are numbered from the first that ever came; a number stays a line's own until the
    width changes.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.lines: deque[Packed] = deque(maxlen=limit)
        self.end = 0
        """Number of the next line: that of the screen's first row."""

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[Packed]:
        return iter(self.lines)

    @property
    def first(self) -> int:
        """Number of the oldest line; :attr:`end` if there is none."""
        return self.end - len(self.lines)

    def push(self, line: Line) -> None:
        """Keep a line that left the screen."""
        self.lines.append(pack(line))
        self.end += 1

    def extend(self, lines: list[Packed]) -> None:
        """Keep lines already packed, oldest first."""
        self.lines.extend(lines)
        self.end += len(lines)

    def pop(self) -> Packed:
        """Take the newest line back. Raises: IndexError."""
        packed = self.lines.pop()
        self.end -= 1
        return packed

    def clear(self) -> None:
        """Forget all lines; the numbers go on."""
        self.lines.clear()

    def replace(self, lines: list[Packed]) -> None:
        """Other lines in place of all; the first gets the number the oldest had."""
        self.end = self.first + len(lines)
        self.lines.clear()
        self.lines.extend(lines)
