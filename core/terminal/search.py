"""Look for text in what a terminal showed, a few lines at a time.

Lines that wrapped are searched as one. Small letters find capitals, too; with a capital among
them only what is written so (vim's ``smartcase``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.errors import InvalidInput
from core.terminal.lookback import first_row, logical_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.terminal.lines import Position
    from core.terminal.lookback import Lines, LogicalLine

PATTERN_LIMIT = 1024
Direction = Literal[1, -1]
"""Towards newer lines, towards older ones."""
_ESCAPED = re.compile(r"\\.")


@dataclass(frozen=True, slots=True)
class Match:
    """Cells that match: from ``start`` to ``end``, both included."""

    start: Position
    end: Position


def compile_pattern(text: str, *, regex: bool) -> re.Pattern[str]:
    """The pattern for ``text`` as typed.

    Raises:
        InvalidInput: not a regular expression, or too long.
    """
    if len(text) > PATTERN_LIMIT:
        raise InvalidInput("pattern", f"longer than {PATTERN_LIMIT} characters")
    letters = _ESCAPED.sub("", text) if regex else text
    flags = 0 if any(character.isupper() for character in letters) else re.IGNORECASE
    try:
        return re.compile(text if regex else re.escape(text), flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidInput(text, f"not a regular expression: {error}") from None


def matches_in(line: LogicalLine, pattern: re.Pattern[str]) -> list[Match]:
    """All matches in one logical line that are not empty."""
    return [
        Match(line.position(found.start()), line.position(found.end() - 1))
        for found in pattern.finditer(line.text)
        if found.end() > found.start()
    ]


def search(
    lines: Lines, pattern: re.Pattern[str], start: Position, direction: Direction
) -> Iterator[Match | None]:
    """Matches after (or before) ``start``, nearest first, to the last (or first) line.

    Gives None after each logical line, so that whoever asks can stop, or let others work. Lines
    that are gone when it comes to them are passed over.
    """
    row = first_row(lines, min(max(start.line, lines.first_line), lines.end_line - 1))
    while lines.first_line <= row < lines.end_line:
        line = logical_line(lines, row)
        if line is None:
            return
        found = matches_in(line, pattern)
        if direction > 0:
            yield from (match for match in found if match.start > start)
            row = line.end
        else:
            yield from (match for match in reversed(found) if match.start < start)
            if row <= lines.first_line:
                return
            row = first_row(lines, row - 1)
        yield None
