"""Where prompts, commands and their output begin and end, as a shell marks them with OSC 133.

FinalTerm's semantic prompts as shells and terminals use them today: ``A`` a prompt begins, ``B``
the command typed after it, ``C`` its output, ``D`` its end with the exit status. A mark belongs
to its line and moves with it, into the history and through a change of the width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.terminal.history import Packed
    from core.terminal.lines import Line

MarkKind = Literal["prompt", "command", "output", "end"]

KINDS: Final[tuple[MarkKind, ...]] = ("prompt", "command", "output", "end")
STATUS_LIMIT: Final = 1 << 31
_LETTERS: Final[dict[str, MarkKind]] = {
    "A": "prompt",
    "N": "prompt",
    "P": "prompt",
    "B": "command",
    "I": "command",
    "C": "output",
    "D": "end",
}


class Mark(NamedTuple):
    """What begins at a column of a line."""

    kind: MarkKind
    column: int
    """Between characters: up to the width, where a wrap is pending."""
    status: int | None = None
    """Exit status of the command, at its ``end`` if the shell told it."""


class PlacedMark(NamedTuple):
    """A mark and its line, counted from the oldest line of the history."""

    line: int
    mark: Mark


def parse_mark(body: str, column: int) -> Mark | None:
    """The mark of ``OSC 133 ; body`` at a column; None if it is none.

    Of a prompt in several parts (``P`` with ``k=c``, ``k=s`` or ``k=r``) only the first counts.
    """
    letter, *options = body.split(";")
    kind = _LETTERS.get(letter)
    if kind is None or (kind == "prompt" and {"k=c", "k=s", "k=r"}.intersection(options)):
        return None
    status = options[0] if kind == "end" and options else ""
    if status.isascii() and status.isdigit() and len(status) < 10:
        return Mark(kind, column, int(status))
    return Mark(kind, column)


def with_mark(marks: tuple[Mark, ...], mark: Mark) -> tuple[Mark, ...]:
    """The marks of a line and one more; a second one of its kind replaces the first."""
    return (*(one for one in marks if one.kind != mark.kind), mark)


def placed(history: Iterable[Packed], rows: Iterable[Line]) -> list[PlacedMark]:
    """The marks of all lines from the top."""
    marks = [line.marks for line in history] + [line.marks for line in rows]
    return [PlacedMark(line, mark) for line, those in enumerate(marks) for mark in those]
