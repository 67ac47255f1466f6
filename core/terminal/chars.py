"""Between our cells and pyte's :class:`pyte.screens.Char`, which names its colours.

pyte knows eight names, ``bright`` before them, and hexadecimal text for everything else.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pyte.graphics import FG_BG_256
from pyte.screens import Char

from core.terminal.attributes import (
    BLINK,
    BOLD,
    ITALIC,
    REVERSE,
    STRIKE,
    UNDERLINE_SHIFT,
    Attributes,
)

if TYPE_CHECKING:
    from core.terminal.attributes import Color

_NAMES: Final = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
_PALETTE: Final = (
    *_NAMES,
    *(f"bright{name}" for name in _NAMES),
    *FG_BG_256[16:],
)
_INDEX: Final = {name: index for index, name in enumerate(_PALETTE[:16])}


def _name(color: Color) -> str:
    if color is None:
        return "default"
    if isinstance(color, int):
        return _PALETTE[color]
    red, green, blue = color
    return f"{red:02x}{green:02x}{blue:02x}"


def _color(name: str) -> Color:
    if name in _INDEX:
        return _INDEX[name]
    try:
        red, green, blue = bytes.fromhex(name)
    except ValueError:
        return None
    return (red, green, blue)


@lru_cache(maxsize=1024)
def to_char(data: str, look: Attributes) -> Char:
    """The cell as pyte shows it; what pyte has no word for is left out."""
    return Char(
        data,
        _name(look.foreground),
        _name(look.background),
        look.bold,
        look.italic,
        bool(look.underline),
        look.strike,
        look.reverse,
        look.blink,
    )


@lru_cache(maxsize=1024)
def from_char(char: Char) -> Attributes:
    """The look of a cell that was written through pyte's protocol."""
    flags = (
        (BOLD if char.bold else 0)
        | (ITALIC if char.italics else 0)
        | (1 << UNDERLINE_SHIFT if char.underscore else 0)
        | (STRIKE if char.strikethrough else 0)
        | (REVERSE if char.reverse else 0)
        | (BLINK if char.blink else 0)
    )
    return Attributes(_color(char.fg), _color(char.bg), flags)
