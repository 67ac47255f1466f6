"""Lines that left the screen at the top, in little memory.

A line is kept as its text and runs of equal looks instead of a list of cells: about 200 bytes
for 120 columns of plain text.
"""

from __future__ import annotations

from collections import deque
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from core.terminal.attributes import DEFAULT, Attributes
from core.terminal.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEPARATOR = "\0"
"""Between cells of a line in which some cell is not exactly one code point."""


class Packed(NamedTuple):
    """A line at rest; trailing blanks of the default look are not stored."""

    text: str
    runs: tuple[tuple[int, Attributes], ...] = ()
    """Lengths and looks from the left; what they do not cover has the default look."""
    wrapped: int = 0

    @property
    def width(self) -> int:
        """Columns up to the last one that is not blank."""
        text = self.text
        cells = text.count(_SEPARATOR) if text.endswith(_SEPARATOR) else len(text)
        return max(cells, sum(length for length, _look in self.runs))


def pack(line: Line) -> Packed:
    """The line in its small form."""
    characters, attributes = line.characters, line.attributes
    first = attributes[0]
    if attributes.count(first) == len(attributes):
        runs: tuple[tuple[int, Attributes], ...] = ((len(attributes), first),)
    else:
        runs = tuple((len(list(group)), look) for look, group in groupby(attributes))
    text = "".join(characters)
    if line.wide and ("" in characters or len(text) != len(characters)):
        text = _SEPARATOR.join(characters) + _SEPARATOR
    if runs[-1][1] == DEFAULT:
        runs = runs[:-1]
        if text[-1] == " ":
            kept = sum(length for length, _look in runs)
            text = text[:kept] + text[kept:].rstrip(" ")
    return Packed(text, runs, line.wrapped)


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
    line.fit(columns)
    return line


class History:
    """At most ``limit`` lines, oldest first; the oldest make room."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.lines: deque[Packed] = deque(maxlen=limit)
        self.pushed = 0
        """Lines pushed since the owner last set it to zero."""

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[Packed]:
        return iter(self.lines)

    def push(self, line: Line) -> None:
        """Keep a line that left the screen."""
        self.lines.append(pack(line))
        self.pushed += 1

    def extend(self, lines: list[Packed]) -> None:
        """Keep lines already packed, oldest first."""
        self.lines.extend(lines)
        self.pushed += len(lines)

    def pop(self) -> Packed:
        """Take the newest line back. Raises: IndexError."""
        return self.lines.pop()

    def clear(self) -> None:
        """Forget everything."""
        self.lines.clear()
