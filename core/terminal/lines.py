"""Rows of cells in columns: a list of characters beside a list of looks.

Each line also speaks pyte's protocol (``line[x]`` is a :class:`pyte.screens.Char`), so that
code written for pyte's buffer reads and writes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.terminal.attributes import DEFAULT, Attributes, erased
from core.terminal.chars import from_char, to_char

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyte.screens import Char

    from core.terminal.marks import Mark

FULL = 1
"""A line that wrapped with its last column written."""
EARLY = 2
"""A line that wrapped one column early because a wide character did not fit."""


class Position(NamedTuple):
    """A cell: the number of its line, see :class:`core.terminal.history.History`, and column."""

    line: int
    column: int


class Line:
    """One row: ``characters[x]`` and ``attributes[x]`` for each column.

    A character of two columns has ``""`` in its right half.
    """

    __slots__ = ("attributes", "characters", "marks", "wide", "wrapped")

    def __init__(self, columns: int, look: Attributes = DEFAULT) -> None:
        self.characters: list[str] = [" "] * columns
        self.attributes: list[Attributes] = [look] * columns
        self.wrapped = 0
        """``FULL`` or ``EARLY`` if the text goes on in the next row."""
        self.wide = False
        """Some cell may not be exactly one code point (never false when one is not)."""
        self.marks: tuple[Mark, ...] = ()
        """What a shell says begins here."""

    @classmethod
    def of(
        cls,
        characters: list[str],
        attributes: list[Attributes],
        *,
        wrapped: int = 0,
        wide: bool = False,
    ) -> Line:
        """A line of these very lists."""
        line = cls.__new__(cls)
        line.characters = characters
        line.attributes = attributes
        line.wrapped = wrapped
        line.wide = wide
        line.marks = ()
        return line

    def copy(self) -> Line:
        """A line that shares nothing with this one."""
        line = Line.of(self.characters[:], self.attributes[:], wrapped=self.wrapped, wide=self.wide)
        line.marks = self.marks
        return line

    @property
    def text(self) -> str:
        """The characters, trailing blanks included."""
        return "".join(self.characters)

    def mend(self, start: int, end: int, pen: Attributes) -> None:
        """Erase the halves that writing ``start`` to ``end`` would leave of wide characters."""
        characters = self.characters
        if start < len(characters) and characters[start] == "" and start > 0:
            self._blank(start - 1, pen)
            self._blank(start, pen)
        if end < len(characters) and characters[end] == "":
            self._blank(end, pen)

    def _blank(self, x: int, pen: Attributes) -> None:
        self.characters[x] = " "
        self.attributes[x] = erased(pen)

    def fill(self, start: int, end: int, look: Attributes) -> None:
        """Erase the columns from ``start`` to ``end``."""
        if self.wide and start < end:
            # Half a character that takes two columns goes as a whole.
            start -= bool(start and self.characters[start] == "")
            end += bool(end < len(self.characters) and self.characters[end] == "")
        count = end - start
        self.characters[start:end] = [" "] * count
        self.attributes[start:end] = [look] * count

    def fit(self, columns: int) -> None:
        """Cut or pad to ``columns``; a wide character cut in half becomes a blank."""
        characters = self.characters
        missing = columns - len(characters)
        if missing >= 0:
            characters += [" "] * missing
            self.attributes += [DEFAULT] * missing
            return
        if self.wide and characters[columns] == "":
            characters[columns - 1] = " "
        del characters[columns:]
        del self.attributes[columns:]

    # pyte's protocol: a mapping of columns to characters

    def __getitem__(self, x: int) -> Char:
        if 0 <= x < len(self.characters):
            return to_char(self.characters[x], self.attributes[x])
        return to_char(" ", DEFAULT)

    def __setitem__(self, x: int, char: Char) -> None:
        if 0 <= x < len(self.characters):
            self.characters[x] = char.data
            self.attributes[x] = from_char(char)
            self.wide = True

    def __len__(self) -> int:
        return len(self.characters)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.characters)))

    def __contains__(self, x: object) -> bool:
        return isinstance(x, int) and 0 <= x < len(self.characters)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Line):
            return NotImplemented
        return self.characters == other.characters and self.attributes == other.attributes

    __hash__ = None  # type: ignore[assignment]

    def keys(self) -> Iterable[int]:
        """The columns."""
        return range(len(self.characters))

    def values(self) -> Iterator[Char]:
        """The cells as pyte sees them."""
        return (self[x] for x in self)

    def items(self) -> Iterator[tuple[int, Char]]:
        """Columns and cells as pyte sees them."""
        return ((x, self[x]) for x in self)

    def get(self, x: int, default: Char | None = None) -> Char | None:
        """The cell at ``x``, or ``default`` outside the line."""
        return self[x] if 0 <= x < len(self.characters) else default

    def pop(self, x: int, default: Char | None = None) -> Char | None:
        """Blank the cell at ``x`` and give what it was."""
        if x not in self:
            return default
        char = self[x]
        self.fill(x, x + 1, DEFAULT)
        return char


class Rows:
    """pyte's ``screen.buffer``: a mapping of row numbers to lines, over a plain list."""

    __slots__ = ("lines",)

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines

    def __getitem__(self, y: int) -> Line:
        return self.lines[y]

    def __setitem__(self, y: int, line: Line) -> None:
        self.lines[y] = line

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.lines)))

    def __contains__(self, y: object) -> bool:
        return isinstance(y, int) and 0 <= y < len(self.lines)

    def keys(self) -> Iterable[int]:
        """The row numbers."""
        return range(len(self.lines))

    def values(self) -> Iterable[Line]:
        """The lines from the top."""
        return iter(self.lines)

    def items(self) -> Iterable[tuple[int, Line]]:
        """Row numbers and lines."""
        return enumerate(self.lines)

    def clear(self) -> None:
        """Blank every row."""
        for line in self.lines:
            line.fill(0, len(line.characters), DEFAULT)
            line.wrapped = 0
