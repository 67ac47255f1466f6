"""Select graphic rendition: from one look of the pen to the next.

ECMA-48 section 8.3.117; ISO 8613-6 for ``38:2:...``; xterm and kitty for underline styles and
``58``. A sub-parameter (colon) belongs to the parameter before it and never leaks into others.
"""

from __future__ import annotations

from typing import Final

from core.terminal.attributes import (
    BLINK,
    BOLD,
    CONCEAL,
    DEFAULT,
    DIM,
    ITALIC,
    OVERLINE,
    PROTECTED,
    REVERSE,
    STRIKE,
    UNDERLINE,
    UNDERLINE_SHIFT,
    Attributes,
    Color,
)

_SET: Final = {1: BOLD, 2: DIM, 3: ITALIC, 5: BLINK, 6: BLINK, 7: REVERSE, 8: CONCEAL, 9: STRIKE}
_CLEAR: Final = {
    22: BOLD | DIM,
    23: ITALIC,
    24: UNDERLINE,
    25: BLINK,
    27: REVERSE,
    28: CONCEAL,
    29: STRIKE,
    55: OVERLINE,
}
_UNDERLINE_STYLES = 5

BYTE: Final = {str(value): value for value in range(256)}
"""Decimal text of a byte to its value: a dict is faster than ``int``."""


def _number(text: str) -> int:
    """A parameter's value, without sub-parameters; -1 if it is empty."""
    digits = text.partition(":")[0]
    if not digits:
        return -1
    digits = digits.lstrip("0")
    return int(digits or 0) if len(digits) <= 5 else 99999


def _channels(values: list[int]) -> Color:
    red, green, blue = (max(value, 0) & 255 for value in values)
    return (red, green, blue)


def _colon_color(parts: list[str]) -> tuple[bool, Color]:
    """Colour of ``38:5:n``, ``38:2:r:g:b`` or ``38:2:space:r:g:b``; False if it is none."""
    values = [_number(part) for part in parts[1:]]
    if len(values) >= 2 and values[0] == 5:
        return (0 <= values[1] <= 255), values[1]
    if len(values) >= 4 and values[0] == 2:
        channels = values[2:5] if len(values) >= 5 else values[1:4]
        return True, _channels(channels)
    return False, None


def _semicolon_color(params: list[str], index: int) -> tuple[int, bool, Color]:
    """Colour of ``38;5;n`` or ``38;2;r;g;b`` at ``index``; how many parameters it took."""
    kind = _number(params[index + 1]) if index + 1 < len(params) else -1
    if kind == 5:
        if index + 2 >= len(params):
            return 2, False, None
        value = _number(params[index + 2])
        value = max(value, 0)
        return 3, value <= 255, value
    if kind == 2:
        if index + 4 >= len(params):
            return len(params) - index, False, None
        return 5, True, _channels([_number(part) for part in params[index + 2 : index + 5]])
    return 2, False, None


def _underline(flags: int, style: int) -> int:
    return (flags & ~UNDERLINE) | (style << UNDERLINE_SHIFT)


_new = tuple.__new__


def quick_color(pen: Attributes, sequence: str) -> Attributes | None:
    """The pen after one ``ESC [ 38;2;r;g;b m`` or the like; None if it is anything else.

    The same as :func:`apply_sgr`, several times as fast: some programs set a new colour for
    every cell.
    """
    parts = sequence[2:-1].split(";")
    try:
        if len(parts) == 10:
            first, kind, red, green, blue, second, other, red2, green2, blue2 = parts
            if first == "38" and second == "48" and kind == other == "2":
                foreground = (BYTE[red], BYTE[green], BYTE[blue])
                background = (BYTE[red2], BYTE[green2], BYTE[blue2])
                return _new(Attributes, (foreground, background, *pen[2:]))
        elif len(parts) == 6:
            first, kind, index, second, other, index2 = parts
            if first == "38" and second == "48" and kind == other == "5":
                return _new(Attributes, (BYTE[index], BYTE[index2], *pen[2:]))
        elif len(parts) == 5 and parts[1] == "2":
            color = (BYTE[parts[2]], BYTE[parts[3]], BYTE[parts[4]])
            return _one_color(pen, parts[0], color)
        elif len(parts) == 3 and parts[1] == "5":
            return _one_color(pen, parts[0], BYTE[parts[2]])
    except KeyError:
        return None
    return None


def _one_color(pen: Attributes, which: str, color: Color) -> Attributes | None:
    if which == "38":
        return _new(Attributes, (color, *pen[1:]))
    if which == "48":
        return _new(Attributes, (pen[0], color, *pen[2:]))
    return None


class _Pen:
    """The look being changed, field by field."""

    __slots__ = ("background", "flags", "foreground", "link", "underline_color")

    def __init__(self, start: Attributes) -> None:
        self.foreground, self.background, self.flags, self.underline_color, self.link = start

    def color(self, which: int, value: Color) -> None:
        if which == 38:
            self.foreground = value
        elif which == 48:
            self.background = value
        else:
            self.underline_color = value

    def simple(self, code: int) -> None:
        """One parameter that stands alone."""
        if code <= 0:
            self.foreground, self.background = None, None
            self.flags &= PROTECTED
            self.underline_color = None
        elif code in _SET:
            self.flags |= _SET[code]
        elif code in _CLEAR:
            self.flags &= ~_CLEAR[code]
        elif code == 4:
            self.flags = _underline(self.flags, 1)
        elif code == 21:
            self.flags = _underline(self.flags, 2)
        elif code == 53:
            self.flags |= OVERLINE
        else:
            self._color_code(code)

    def _color_code(self, code: int) -> None:
        if 30 <= code <= 37:
            self.foreground = code - 30
        elif code == 39:
            self.foreground = None
        elif 40 <= code <= 47:
            self.background = code - 40
        elif code == 49:
            self.background = None
        elif code == 59:
            self.underline_color = None
        elif 90 <= code <= 97:
            self.foreground = code - 82
        elif 100 <= code <= 107:
            self.background = code - 92


def apply_sgr(start: Attributes, text: str) -> Attributes:
    """The look after ``CSI text m``; what cannot be understood is skipped."""
    pen = _Pen(start)
    params = text.split(";")
    index = 0
    while index < len(params):
        param = params[index]
        if ":" in param:
            _apply_sub(pen, param.split(":"))
            index += 1
            continue
        code = _number(param)
        if code in (38, 48, 58):
            taken, valid, color = _semicolon_color(params, index)
            if valid:
                pen.color(code, color)
            index += taken
        else:
            pen.simple(code)
            index += 1
    result = Attributes(pen.foreground, pen.background, pen.flags, pen.underline_color, pen.link)
    return DEFAULT if result == DEFAULT else result


def _apply_sub(pen: _Pen, parts: list[str]) -> None:
    code = _number(parts[0])
    if code in (38, 48, 58):
        valid, color = _colon_color(parts)
        if valid:
            pen.color(code, color)
    elif code == 4:
        style = _number(parts[1])
        if 0 <= style <= _UNDERLINE_STYLES:
            pen.flags = _underline(pen.flags, style)


def sgr_of(pen: Attributes) -> str:
    """The parameters that bring a default pen to this look (what DECRQSS reports)."""
    parts = ["0"]
    codes = ((BOLD, "1"), (DIM, "2"), (ITALIC, "3"), (BLINK, "5"), (REVERSE, "7"))
    more = ((CONCEAL, "8"), (STRIKE, "9"), (OVERLINE, "53"))
    parts += [code for bit, code in codes + more if pen.flags & bit]
    if pen.underline:
        parts.append("4" if pen.underline == 1 else f"4:{pen.underline}")
    parts += _color_codes(pen.foreground, 30, 38)
    parts += _color_codes(pen.background, 40, 48)
    if pen.underline_color is not None:
        parts += _color_codes(pen.underline_color, 0, 58)
    return ";".join(parts)


def _color_codes(color: Color, first: int, extended: int) -> list[str]:
    if color is None:
        return []
    if isinstance(color, tuple):
        red, green, blue = color
        return [f"{extended}:2::{red}:{green}:{blue}"]
    if first and color < 8:
        return [str(first + color)]
    if first and color < 16:
        return [str(first + 52 + color)]
    return [f"{extended}:5:{color}"]
