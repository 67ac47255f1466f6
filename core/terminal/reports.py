"""What the terminal tells a program that asks: identity, positions, modes, colours.

xterm control sequences (DA, DSR, DECRQM, DECRQSS, XTVERSION, XTGETTCAP, OSC 4/10/11/12). The
title and the clipboard are never told: what a program printed must not come back as typed keys.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

import pyte.modes as mo
from pyte.graphics import FG_BG_256

from core.terminal.attributes import PROTECTED
from core.terminal.modes import KNOWN_PRIVATE, KNOWN_PUBLIC, PRIVATE
from core.terminal.sgr import sgr_of
from core.text import clean

if TYPE_CHECKING:
    from core.terminal.announcing import Rgb
    from core.terminal.screen import Screen

NAME: Final = "distrodeck"
CLIPBOARD_LIMIT: Final = 1 << 20
"""Decoded bytes of one clipboard write; a longer one is ignored."""
CLIPBOARD_PENDING: Final = 8
LINK_LIMIT: Final = 2048

_CAPABILITIES: Final = {"TN": "xterm-256color", "name": "xterm-256color", "Co": "256", "RGB": "8"}
_CAPABILITIES_ALIAS: Final = {"colors": "Co"}


def device_attributes(screen: Screen, mode: int = 0) -> None:
    """DA1: a VT220 with colour."""
    if mode == 0:
        screen.write_process_input("\x1b[?62;22c")


def secondary_attributes(screen: Screen, mode: int = 0) -> None:
    """DA2."""
    if mode == 0:
        screen.write_process_input("\x1b[>1;10;0c")


def tertiary_attributes(screen: Screen, mode: int = 0) -> None:
    """DA3."""
    if mode == 0:
        screen.write_process_input("\x1bP!|00000000\x1b\\")


def device_status(screen: Screen, mode: int = 0) -> None:
    """DSR 5 and 6."""
    if mode == 5:
        screen.write_process_input("\x1b[0n")
    elif mode == 6:
        screen.write_process_input(f"\x1b[{_position(screen)}R")


def private_status(screen: Screen, mode: int = 0) -> None:
    """DECXCPR, and 996: whether the background is dark."""
    if mode == 6:
        screen.write_process_input(f"\x1b[?{_position(screen)}R")
    elif mode == 996:
        dark = sum(screen.background) < 3 * 128
        screen.write_process_input(f"\x1b[?997;{1 if dark else 2}n")


def _position(screen: Screen) -> str:
    state = screen.cursor_state()
    origin = mo.DECOM in screen.mode
    top = screen.region[0] if origin else 0
    left = screen.side_region[0] if origin else 0
    return f"{state.y - top + 1};{state.x - left + 1}"


def version(screen: Screen, mode: int = 0) -> None:
    """XTVERSION."""
    if mode == 0:
        screen.write_process_input(f"\x1bP>|{NAME}\x1b\\")


def kitty_flags(screen: Screen) -> None:
    """The keyboard flags in force."""
    screen.write_process_input(f"\x1b[?{screen.modes().kitty_flags}u")


def mode_report(screen: Screen, mode: int = 0) -> None:
    """DECRQM of a public mode."""
    state = 0
    if mode in KNOWN_PUBLIC:
        state = 1 if screen.mode_is_set(mode, private=False) else 2
    screen.write_process_input(f"\x1b[{mode};{state}$y")


def private_mode_report(screen: Screen, mode: int = 0) -> None:
    """DECRQM of a private mode."""
    state = 0
    if mode in KNOWN_PRIVATE:
        state = 1 if screen.mode_is_set(mode, private=True) else 2
    screen.write_process_input(f"\x1b[?{mode};{state}$y")


def window_operation(screen: Screen, operation: int = 0, which: int = 0) -> None:
    """XTWINOPS: the size in cells, and the stack of titles."""
    if operation == 18:
        screen.write_process_input(f"\x1b[8;{screen.lines};{screen.columns}t")
    elif operation == 22 and which in (0, 2):
        screen.push_title()
    elif operation == 23 and which in (0, 2):
        screen.pop_title()


def device_control(screen: Screen, text: str) -> None:
    """A whole DCS: DECRQSS and XTGETTCAP are answered, everything else is swallowed."""
    if text.startswith("$q"):
        _setting(screen, text[2:])
    elif text.startswith("+q"):
        for name in text[2:].split(";")[:32]:
            _capability(screen, name)


def _setting(screen: Screen, name: str) -> None:
    if name == "m":
        value = sgr_of(screen.cursor.pen)
    elif name == "r":
        top, bottom = screen.region
        value = f"{top + 1};{bottom + 1}"
    elif name == "s":
        left, right = screen.side_region
        value = f"{left + 1};{right + 1}"
    elif name == '"q':
        value = "1" if screen.cursor.pen.flags & PROTECTED else "0"
    elif name == '"p':
        value = "62;1"
    elif name == " q":
        shape = ("block", "underline", "bar").index(screen.cursor_shape)
        value = str(2 * shape + (1 if 12 << PRIVATE in screen.mode else 2))
    else:
        screen.write_process_input("\x1bP0$r\x1b\\")
        return
    screen.write_process_input(f"\x1bP1$r{value}{name}\x1b\\")


def _capability(screen: Screen, encoded: str) -> None:
    try:
        name = bytes.fromhex(encoded).decode("ascii")
    except ValueError:
        return
    value = _CAPABILITIES.get(_CAPABILITIES_ALIAS.get(name, name))
    if value is None:
        screen.write_process_input(f"\x1bP0+r{encoded}\x1b\\")
    else:
        screen.write_process_input(f"\x1bP1+r{encoded}={value.encode().hex()}\x1b\\")


def system_command(screen: Screen, text: str, terminator: str) -> None:
    """A whole OSC; ``terminator`` ended it and ends the answer."""
    code, _, body = text.partition(";")
    if code in ("0", "2"):
        screen.set_title(clean(body))
    if code in ("0", "1"):
        screen.set_icon_name(clean(body))
    elif code == "4":
        _palette(screen, body, terminator)
    elif code == "7":
        screen.directory = body[:LINK_LIMIT]
    elif code == "8":
        address = body.partition(";")[2]
        screen.set_link(address if len(address) <= LINK_LIMIT else "")
    elif code in ("10", "11", "12"):
        _dynamic_color(screen, int(code), body, terminator)
    elif code in ("110", "111", "112"):
        screen.dynamic_colors.pop(int(code) - 100, None)
    elif code == "52":
        _clipboard(screen, body)
    elif code == "104":
        _reset_palette(screen, body)
    elif code == "133":
        screen.mark(body)
    elif code in ("9", "99", "777"):
        _notify(screen, code, body)


def _notify(screen: Screen, code: str, body: str) -> None:
    notifications = screen.notifications
    if code == "9":
        notifications.plain(body)
    elif code == "99":
        notifications.piece(body)
    else:
        notifications.titled(body)


def _color_text(color: Rgb) -> str:
    return "rgb:" + "/".join(f"{channel:02x}{channel:02x}" for channel in color)


def _parse_color(text: str) -> Rgb | None:
    """``#rrggbb`` or ``rgb:r/g/b`` with one to four digits each."""
    if text.startswith("rgb:"):
        parts = text[4:].split("/")
    elif text.startswith("#") and len(text) in (4, 7, 13):
        size = (len(text) - 1) // 3
        parts = [text[1 + index * size :][:size] for index in range(3)]
    else:
        return None
    if len(parts) != 3 or not all(1 <= len(part) <= 4 and part.isalnum() for part in parts):
        return None
    try:
        red, green, blue = (int(part, 16) * 255 // (16 ** len(part) - 1) for part in parts)
    except ValueError:
        return None
    return (red, green, blue)


def _dynamic_color(screen: Screen, code: int, body: str, terminator: str) -> None:
    """OSC 10 foreground, 11 background, 12 cursor: asked one after the other by ``;``."""
    for value in body.split(";")[:3]:
        if value == "?" and code <= 12:
            color = _color_text(screen.dynamic_color(code))
            screen.write_process_input(f"\x1b]{code};{color}{terminator}")
        elif code <= 12 and (parsed := _parse_color(value)) is not None:
            screen.dynamic_colors[code] = parsed
        code += 1


def _palette(screen: Screen, body: str, terminator: str) -> None:
    parts = body.split(";")
    for name, value in list(zip(parts[::2], parts[1::2], strict=False))[:256]:
        if not (name.isascii() and name.isdigit() and len(name) <= 3 and int(name) < 256):
            continue
        index = int(name)
        if value == "?":
            color = screen.palette.get(index) or _default_color(index)
            screen.write_process_input(f"\x1b]4;{index};{_color_text(color)}{terminator}")
        elif (parsed := _parse_color(value)) is not None:
            screen.palette[index] = parsed


def _default_color(index: int) -> Rgb:
    red, green, blue = bytes.fromhex(FG_BG_256[index])
    return (red, green, blue)


def _reset_palette(screen: Screen, body: str) -> None:
    if not body:
        screen.palette.clear()
    for name in body.split(";"):
        if name.isascii() and name.isdigit() and len(name) <= 3:
            screen.palette.pop(int(name), None)


def _clipboard(screen: Screen, body: str) -> None:
    """A write is kept for whoever may allow it; a query stays without an answer."""
    data = body.partition(";")[2]
    if data == "?" or len(data) > CLIPBOARD_LIMIT * 4 // 3 + 4:
        return
    try:
        text = base64.b64decode(data, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return
    if text:
        screen.clipboard.append(text)
        del screen.clipboard[:-CLIPBOARD_PENDING]
