"""What somebody in front of a terminal sees, in the form in which two terminals are compared."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from core.terminal.attributes import PROTECTED, Attributes

if TYPE_CHECKING:
    from core.terminal.terminal import Terminal


class Look(NamedTuple):
    """What somebody in front of a terminal sees, in the form in which two are compared."""

    rows: list[str]
    cursor: tuple[int, int]
    """Row, and column; the last one while a wrap is pending."""
    pending: bool
    attributes: list[list[Attributes]]


def look_of(terminal: Terminal) -> Look:
    """What this emulator shows."""
    cursor = terminal.cursor
    lines = [terminal.line(y) for y in range(terminal.rows)]
    return Look(
        [shown(line.text) for line in lines],
        (cursor.y, cursor.x),
        terminal.screen.waits_to_wrap(),
        [[visible(look) for look in line.attributes] for line in lines],
    )


def shown(text: str) -> str:
    """A row without trailing blanks; composed, because some store it so."""
    return unicodedata.normalize("NFC", text.rstrip(" "))


def visible(look: Attributes) -> Attributes:
    """A look without what the other one keeps elsewhere."""
    if look.link or look.flags & PROTECTED:
        return look._replace(link="", flags=look.flags & ~PROTECTED)
    return look
