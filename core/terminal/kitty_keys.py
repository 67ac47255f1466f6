"""Read keys in kitty's encoding and write them as the program inside wants them.

The outer terminal may send every key as ``CSI ... u`` because the console asked it to; a
program inside that did not ask must see what a plain terminal sends. Kitty keyboard protocol,
"Comprehensive keyboard handling in terminals".
"""

from __future__ import annotations

import re
from typing import Final

from core.terminal.encode_keys import ALT, CTRL, SHIFT, SUPER, encode_stroke
from core.terminal.modes import Modes

_SEQUENCE: Final = re.compile(rb"\x1b\[([0-9:]*)(?:;([0-9:]*))?(?:;([0-9:]*))?([~A-Zu])")
_RELEASE: Final = 3
_KNOWN_MODIFIERS: Final = SHIFT | ALT | CTRL | SUPER

_LETTERS: Final = {
    "A": "up", "B": "down", "C": "right", "D": "left", "F": "end", "H": "home",
    "P": "f1", "Q": "f2", "R": "f3", "S": "f4",
}  # fmt: skip
_TILDES: Final = {
    2: "insert", 3: "delete", 5: "pageup", 6: "pagedown", 7: "home", 8: "end",
    11: "f1", 12: "f2", 13: "f3", 14: "f4", 15: "f5", 17: "f6", 18: "f7", 19: "f8",
    20: "f9", 21: "f10", 23: "f11", 24: "f12",
}  # fmt: skip
_KEYPAD: Final = (
    "left", "right", "up", "down", "pageup", "pagedown", "home", "end", "insert", "delete",
)  # fmt: skip
_CODES: Final = (
    {9: "tab", 13: "enter", 27: "escape", 127: "backspace", 57414: "enter"}
    | {57376 + number: f"f{13 + number}" for number in range(8)}
    | {57399 + digit: str(digit) for digit in range(10)}
    | dict(zip(range(57409, 57414), "./*-+", strict=True))
    | {57415: "=", 57416: ","}
    | dict(enumerate(_KEYPAD, 57417))
)
_PRIVATE_USE: Final = range(57344, 63744)


def is_kitty(sequence: bytes) -> bool:
    """Whether these bytes are one key in a form that only kitty's protocol sends."""
    parsed = _SEQUENCE.fullmatch(sequence)
    if parsed is None:
        return False
    return parsed[4] == b"u" or b":" in sequence or sequence in (b"\x1b[13~", b"\x1b[P")


def from_kitty(sequence: bytes, modes: Modes) -> bytes:
    """The key as the program with these ``modes`` expects it; other bytes as they are.

    Nothing for a release (unless the program asked for them too), for a modifier on its own
    and for keys a plain terminal does not have.
    """
    parsed = _SEQUENCE.fullmatch(sequence)
    if parsed is None or (parsed[4] == b"Z" and not parsed[1]):
        return sequence
    if modes.kitty_flags & 2:
        return sequence
    codes = _numbers(parsed[1])
    modifiers, event = [*_numbers(parsed[2]), 1, 1][:2] if parsed[2] else (1, 1)
    if event == _RELEASE:
        return b""
    text = "".join(chr(code) for code in _numbers(parsed[3] or b"") if 31 < code < 0x110000)
    held = (max(modifiers, 1) - 1) & _KNOWN_MODIFIERS
    name = _name(codes, parsed[4].decode(), held)
    if not name:
        return b""
    if not text and held & SHIFT and len(codes) > 1 and codes[1] and not held & (ALT | CTRL):
        text = _character(codes[1])
    return encode_stroke(name, held, text, modes)


def legacy_from_kitty(sequence: bytes) -> bytes:
    """The key as a plain terminal with all modes at rest sends it."""
    return from_kitty(sequence, Modes())


def _numbers(field: bytes) -> list[int]:
    return [int(part[:7] or b"0") for part in field.split(b":")] if field else []


def _character(code: int) -> str:
    return chr(code) if 31 < code < 0x110000 and not 0xD800 <= code < 0xE000 else ""


def _name(codes: list[int], final: str, held: int) -> str:
    code = codes[0] if codes else 1
    if final == "~":
        return _TILDES.get(code, "")
    if final != "u":
        return _LETTERS.get(final, "")
    if code in _CODES:
        return _CODES[code]
    if code in _PRIVATE_USE:
        return ""
    if held & SHIFT and len(codes) > 1 and codes[1]:
        code = codes[1]
    character = _character(code)
    return character.upper() if held & SHIFT and len(character.upper()) == 1 else character
