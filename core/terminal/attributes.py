"""How a cell looks: colours as the program named them, and the attributes of SGR.

Colours stay what they were asked to be (default, palette index, RGB): a theme decides how they
are drawn. ECMA-48 section 8.3.117, xterm control sequences "Character Attributes (SGR)".
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

Color: TypeAlias = "int | tuple[int, int, int] | None"
"""None: the default; 0-255: a palette index; otherwise red, green, blue."""

BOLD = 1
DIM = 2
ITALIC = 4
BLINK = 8
REVERSE = 16
CONCEAL = 32
STRIKE = 64
OVERLINE = 128
UNDERLINE_SHIFT = 8
UNDERLINE = 7 << UNDERLINE_SHIFT
PROTECTED = 1 << 11
"""DECSCA or SPA: selective erasing leaves the cell alone. Not a look, but it is the pen's."""
ALL_FLAGS = (1 << 12) - 1


class Attributes(NamedTuple):
    """What a cell looks like. Frozen and shared: compare with ``is`` first, then ``==``."""

    foreground: Color = None
    background: Color = None
    flags: int = 0
    """Bits ``BOLD`` to ``OVERLINE``, the style of the underline, and ``PROTECTED``."""
    underline_color: Color = None
    link: str = ""
    """Address of the hyperlink (OSC 8) the cell belongs to; empty: none."""

    @property
    def bold(self) -> bool:
        """SGR 1."""
        return bool(self.flags & BOLD)

    @property
    def dim(self) -> bool:
        """SGR 2."""
        return bool(self.flags & DIM)

    @property
    def italic(self) -> bool:
        """SGR 3."""
        return bool(self.flags & ITALIC)

    @property
    def underline(self) -> int:
        """0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed."""
        return (self.flags & UNDERLINE) >> UNDERLINE_SHIFT

    @property
    def blink(self) -> bool:
        """SGR 5 or 6."""
        return bool(self.flags & BLINK)

    @property
    def reverse(self) -> bool:
        """SGR 7."""
        return bool(self.flags & REVERSE)

    @property
    def conceal(self) -> bool:
        """SGR 8."""
        return bool(self.flags & CONCEAL)

    @property
    def strike(self) -> bool:
        """SGR 9."""
        return bool(self.flags & STRIKE)

    @property
    def overline(self) -> bool:
        """SGR 53."""
        return bool(self.flags & OVERLINE)


DEFAULT = Attributes()

_ERASED_PALETTE = tuple(Attributes(background=index) for index in range(256))


def erased(pen: Attributes) -> Attributes:
    """What an erased cell looks like: only the background of the pen (bce)."""
    background = pen.background
    if background is None:
        return DEFAULT
    if isinstance(background, int):
        return _ERASED_PALETTE[background]
    return Attributes(background=background)
