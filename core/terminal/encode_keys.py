"""Bytes a program expects for keys, pastes, the mouse and focus.

Bytes the outer terminal sent are always better than these: this is for keys that have none (a
browser) and for kitty's encoding where the program did not ask for it. xterm control sequences
("PC-Style Function Keys", "Mouse Tracking", "Bracketed Paste Mode"); kitty keyboard protocol.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.terminal.modes import Modes

SHIFT: Final = 1
ALT: Final = 2
CTRL: Final = 4
SUPER: Final = 8
_MODIFIERS: Final = {"shift": SHIFT, "alt": ALT, "meta": ALT, "ctrl": CTRL, "super": SUPER}

_LETTERS: Final = {"up": "A", "down": "B", "right": "C", "left": "D", "end": "F", "home": "H"}
_TILDES: Final = {"insert": 2, "delete": 3, "pageup": 5, "pagedown": 6} | {
    f"f{number}": code
    for number, code in zip(
        range(5, 21), (15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34), strict=True
    )
}
_FUNCTION: Final = {"f1": "P", "f2": "Q", "f3": "R", "f4": "S"}
_TEXT_KEYS: Final = {"enter": 13, "tab": 9, "backspace": 127, "escape": 27}
_CTRL: Final = {
    " ": 0, "@": 0, "2": 0, "[": 27, "3": 27, "\\": 28, "4": 28, "]": 29, "5": 29,
    "^": 30, "6": 30, "_": 31, "7": 31, "/": 31, "-": 31, "?": 127, "8": 127,
}  # fmt: skip
"""What Ctrl makes of the characters that are no letters (VT220, and xterm for the digits)."""
_NAMES: Final = {
    "space": " ", "slash": "/", "backslash": "\\", "at": "@", "minus": "-", "plus": "+",
    "underscore": "_", "return": "enter",
}  # fmt: skip
"""Names of keys that are not the character's Unicode name."""

FOCUS_IN: Final = b"\x1b[I"
FOCUS_OUT: Final = b"\x1b[O"
PASTE_START: Final = b"\x1b[200~"
PASTE_END: Final = b"\x1b[201~"
WHEEL_LINES: Final = 3

_PASTE_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

MouseKind = Literal["press", "release", "move", "up", "down", "left", "right"]
"""``up`` to ``right`` are the wheel."""


def encode_key(key: str, character: str | None, modes: Modes) -> bytes:
    """The bytes of a key by its name (``ctrl+shift+up``, ``f5``, ``a``) and its character."""
    modifiers = 0
    *prefixes, name = key.split("+") if not key.endswith("+") else [*key[:-2].split("+"), "+"]
    for prefix in prefixes:
        modifiers |= _MODIFIERS.get(prefix, 0)
    name = _key_name(name)
    text = character if character and character.isprintable() else ""
    if text and not modifiers & (ALT | CTRL | SUPER):
        name = name if name in _TEXT_KEYS else text
    return encode_stroke(name, modifiers, text, modes)


def _key_name(name: str) -> str:
    """The character a key is named after, or the name of a key that makes none."""
    name = _NAMES.get(name, name)
    if len(name) == 1 or name in _LETTERS or name in _TILDES or name in _FUNCTION:
        return name
    if name in _TEXT_KEYS:
        return name
    if name.startswith("upper_"):
        return name[6:].upper()
    try:
        return unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return name


def encode_stroke(name: str, modifiers: int, text: str, modes: Modes) -> bytes:
    """The bytes of a key: a name above or one character, its modifiers, the text it makes."""
    if name in _LETTERS or name in _FUNCTION or name in _TILDES:
        return _function_key(name, modifiers, modes)
    if name not in _TEXT_KEYS and len(name) != 1:
        return b""
    if modes.kitty_flags:
        return _kitty(name, modifiers, text, modes)
    if modes.modify_other_keys == 2 and _is_other(name, modifiers):
        code = _TEXT_KEYS.get(name) or ord(name)
        return b"\x1b[27;%d;%d~" % (modifiers + 1, code)
    return _legacy(name, modifiers, text, modes)


def _is_other(name: str, modifiers: int) -> bool:
    if name in _TEXT_KEYS:
        return bool(modifiers) and not (name == "tab" and modifiers == SHIFT)
    return bool(modifiers & ~SHIFT)


def _function_key(name: str, modifiers: int, modes: Modes) -> bytes:
    if name in _TILDES:
        code = _TILDES[name]
        return b"\x1b[%d;%d~" % (code, modifiers + 1) if modifiers else b"\x1b[%d~" % code
    if name == "f3" and modes.kitty_flags:
        return b"\x1b[13;%d~" % (modifiers + 1) if modifiers else b"\x1b[13~"
    letter = (_LETTERS.get(name) or _FUNCTION[name]).encode()
    if modifiers:
        return b"\x1b[1;%d%s" % (modifiers + 1, letter)
    single_shift = modes.application_cursor if name in _LETTERS else not modes.kitty_flags
    return (b"\x1bO" if single_shift else b"\x1b[") + letter


def _legacy(name: str, modifiers: int, text: str, modes: Modes) -> bytes:
    escape = b"\x1b" if modifiers & ALT else b""
    if modifiers & SUPER:
        return b""
    if name == "enter":
        return escape + (b"\r\n" if modes.newline else b"\r")
    if name == "tab":
        return escape + (b"\x1b[Z" if modifiers & SHIFT else b"\t")
    if name == "backspace":
        return escape + (b"\x08" if modifiers & CTRL else b"\x7f")
    if name == "escape":
        return escape + b"\x1b"
    if modifiers & CTRL:
        return escape + _control(name)
    if modifiers & SHIFT and name.isalpha() and not text:
        name = name.upper()
    if text and not modifiers & ALT:
        name = text
    return escape + name.encode("utf-8", "replace")


def _control(character: str) -> bytes:
    if character in _CTRL:
        return bytes([_CTRL[character]])
    if character.isascii() and character.isalpha():
        return bytes([ord(character.upper()) - 64])
    return character.encode("utf-8", "replace")


def _kitty(name: str, modifiers: int, text: str, modes: Modes) -> bytes:
    """Kitty's form, as far as the flags ask for it (1 disambiguate, 8 all, 16 with text)."""
    every = bool(modes.kitty_flags & 8)
    code = _TEXT_KEYS.get(name) or ord(name.lower()[:1])
    plain = not modifiers if name in _TEXT_KEYS else not modifiers & ~SHIFT
    if plain and name != "escape" and not every:
        return _legacy(name, modifiers, text, modes)
    if name not in _TEXT_KEYS and name != name.lower():
        modifiers |= SHIFT
    parts = b"%d" % code
    shown = text if modes.kitty_flags & 16 and every else ""
    if modifiers or shown:
        parts += b";%d" % (modifiers + 1)
    if shown:
        parts += b";" + ":".join(str(ord(one)) for one in shown).encode()
    return b"\x1b[" + parts + b"u"


def encode_paste(text: str, modes: Modes) -> bytes:
    """Pasted text, line ends as CR, without anything that could end the paste or be a key."""
    text = text.replace("\x1b[201~", "").replace("\r\n", "\r").replace("\n", "\r")
    data = _PASTE_CONTROLS.sub("", text).encode("utf-8", "replace")
    return PASTE_START + data + PASTE_END if modes.bracketed_paste else data


def encode_focus(gained: bool, modes: Modes) -> bytes:
    """Focus came or went; nothing unless the program asked (mode 1004)."""
    if not modes.focus:
        return b""
    return FOCUS_IN if gained else FOCUS_OUT


def encode_mouse(
    kind: MouseKind, button: int, y: int, x: int, modifiers: Collection[str], modes: Modes
) -> bytes:
    """A mouse event at row ``y``, column ``x``, both from 0, in the form the program asked for.

    ``button`` is 1 left, 2 middle, 3 right, 0 none (of a move: the one held down). Without
    mouse mode the wheel becomes arrows in the alternate screen; everything else is nothing.
    """
    wheel = ("up", "down", "left", "right").index(kind) if kind in _WHEEL else -1
    if not modes.mouse:
        return _wheel_arrows(wheel, modes)
    if y < 0 or x < 0 or not _is_wanted(kind, button, modes.mouse):
        return b""
    code = 64 + wheel if wheel >= 0 else (button - 1 if 1 <= button <= 3 else 3)
    released = kind == "release"
    if kind == "move":
        code += 32
    if modes.mouse != 9:
        for name, bit in (("shift", 4), ("alt", 8), ("meta", 8), ("ctrl", 16)):
            code |= bit if name in modifiers else 0
    if modes.mouse_sgr:
        return b"\x1b[<%d;%d;%d%s" % (code, x + 1, y + 1, b"m" if released else b"M")
    if released:
        code |= 3
    if x > 222 or y > 222:
        return b""
    return b"\x1b[M" + bytes((32 + code, 33 + x, 33 + y))


_WHEEL: Final = frozenset(("up", "down", "left", "right"))


def _is_wanted(kind: str, button: int, mode: int) -> bool:
    if kind == "move":
        return mode == 1003 or (mode == 1002 and button > 0)
    return mode != 9 or kind == "press"


def _wheel_arrows(wheel: int, modes: Modes) -> bytes:
    if wheel in (0, 1) and modes.alternate_screen and modes.alternate_scroll:
        return _function_key(("up", "down")[wheel], 0, modes) * WHEEL_LINES
    return b""
