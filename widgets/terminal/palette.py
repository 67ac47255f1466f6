"""What a program's colours look like in this console's theme.

The emulator keeps colours as the program named them; here they become Rich styles, each made
once. Indices 16-255 are sent on as indices: every terminal that has them agrees on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.color import Color as RichColor
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual._ansi_theme import ALABASTER, MONOKAI
from textual.filter import dim_color
from typing_extensions import override

from core.terminal.attributes import BOLD, CONCEAL, REVERSE, UNDERLINE_SHIFT

if TYPE_CHECKING:
    from rich.color_triplet import ColorTriplet
    from textual.app import App

    from core.terminal.attributes import Attributes, Color

STANDARD = TerminalTheme(
    (18, 18, 18),
    (224, 224, 224),
    [
        (46, 52, 54),
        (224, 68, 68),
        (106, 190, 48),
        (214, 170, 40),
        (80, 140, 230),
        (180, 110, 200),
        (40, 180, 190),
        (205, 209, 204),
    ],
    [
        (120, 124, 120),
        (255, 110, 103),
        (150, 226, 82),
        (252, 233, 79),
        (120, 180, 255),
        (214, 140, 236),
        (82, 226, 226),
        (255, 255, 255),
    ],
)
"""The sixteen colours when the application's theme names none of its own."""

_DOUBLE = 2
_MOST_STYLES = 4096
_SCHEMES = ("http://", "https://", "ftp://", "mailto:", "file://")
_LONGEST_LINK = 2048


def ansi_theme_of(app: App[object]) -> TerminalTheme | None:
    """The sixteen colours of the application's theme; None to leave them to the terminal."""
    if app.native_ansi_color:
        return None
    theme = app.ansi_theme
    # Textual's defaults are meant for markup: their red is their magenta.
    return STANDARD if theme is MONOKAI or theme is ALABASTER else theme


class Palette:
    """Rich styles for the looks of cells.

    With ``ansi`` None the sixteen colours and the defaults are left to the outer terminal.
    """

    def __init__(
        self,
        foreground: RichColor,
        background: RichColor,
        ansi: TerminalTheme | None = STANDARD,
    ) -> None:
        self._foreground = foreground
        self._background = background
        self._ansi = ansi
        self._key = (foreground, background, id(ansi))
        self._styles: dict[Attributes, Style] = {}
        self.base = Style(color=foreground, bgcolor=background)
        """Empty space around the program's screen."""
        self.faint = Style(color=self._blend(foreground, background), bgcolor=background)
        """The console's own words on the program's screen."""

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Palette) and self._key == other._key

    @override
    def __hash__(self) -> int:
        return hash(self._key)

    def style(self, look: Attributes) -> Style:
        """The style of a look; made at the first call."""
        style = self._styles.get(look)
        if style is None:
            # A frame of random true colours must not grow the table for ever.
            if len(self._styles) >= _MOST_STYLES:
                self._styles.clear()
            style = self._styles[look] = self._make(look)
        return style

    def inverse(self, look: Attributes) -> Style:
        """``look`` with its colours exchanged, for a selection or a block cursor."""
        return self.style(look._replace(flags=look.flags ^ REVERSE))

    def found(self, look: Attributes) -> Style:
        """``look`` where a search matches: black on yellow, told by a line without colours."""
        flags = look.flags & ~(REVERSE | CONCEAL) | 1 << UNDERLINE_SHIFT
        return self.style(look._replace(foreground=0, background=3, flags=flags))

    def pointed(self, look: Attributes) -> Style:
        """``look`` under the cursor of copy mode: black on cyan, unlike what is marked."""
        flags = look.flags & ~(REVERSE | CONCEAL) | BOLD
        return self.style(look._replace(foreground=0, background=6, flags=flags))

    def underlined(self, look: Attributes) -> Style:
        """``look`` under a cursor that is a line."""
        return self.style(look._replace(flags=look.flags ^ (1 << UNDERLINE_SHIFT)))

    def shaded(self, look: Attributes) -> Style:
        """``look`` under the cursor of a pane that does not have the keys."""
        return self.style(look) + Style(color=self._background, bgcolor=self.faint.color)

    def _make(self, look: Attributes) -> Style:
        foreground = self._color(look.foreground, self._foreground)
        background = self._color(look.background, self._background)
        if look.reverse:
            foreground, background = background, foreground
        blended = look.dim and foreground.triplet is not None and background.triplet is not None
        if blended:
            foreground = self._blend(foreground, background)
        if look.conceal:
            foreground = background
        if not look.flags and not look.link:
            # A quarter of the time of the general way; pictures have a colour for each cell.
            return Style.from_color(foreground, background)
        return Style(
            color=foreground,
            bgcolor=background,
            bold=look.bold or None,
            dim=(look.dim and not blended) or None,
            italic=look.italic or None,
            underline=bool(look.underline) or None,
            underline2=look.underline == _DOUBLE or None,
            blink=look.blink or None,
            strike=look.strike or None,
            overline=look.overline or None,
            link=look.link if _is_safe(look.link) else None,
        )

    def _color(self, color: Color, default: RichColor) -> RichColor:
        if color is None:
            return default
        if isinstance(color, tuple):
            return RichColor.from_rgb(*color)
        if color < 16 and self._ansi is not None:
            triplet: ColorTriplet = self._ansi.ansi_colors[color]
            return RichColor.from_triplet(triplet)
        return RichColor.from_ansi(color)

    @staticmethod
    def _blend(foreground: RichColor, background: RichColor) -> RichColor:
        if foreground.triplet is None or background.triplet is None:
            return foreground
        return dim_color(background, foreground)


def _is_safe(link: str) -> bool:
    """Whether an address may be passed to the outer terminal as a hyperlink."""
    return (
        link.startswith(_SCHEMES)
        and len(link) <= _LONGEST_LINK
        and link.isascii()
        and link.isprintable()
    )
