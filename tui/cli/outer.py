"""The person's own terminal while a session has it: raw mode, its size, and giving it back.

Whatever a session switched on is switched off again when it is left: alternate screen, mouse,
pasting, keyboard protocols, a hidden cursor.
"""

from __future__ import annotations

import os
import re
import termios
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

INPUT = 0
OUTPUT = 1

_SWITCH = re.compile(rb"\x1b\[\?([0-9;]{1,64})([hl])|\x1b\[([<>])([0-9;]{0,16})([um])")
_LONGEST = 70
_TO_RESET = (9, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026, 2031, 5, 6, 1)
_SCREENS = (1049, 1047, 47)
_PLAIN = b"\x1b7\x1b[r\x1b8\x1b[0m\x1b(B\x0f\x1b>\x1b[4l\x1b[20l\x1b[?7h\x1b[?25h"


def require_terminal(hint: str) -> None:
    """Raises: Refused, if input or output is no terminal."""
    if not (os.isatty(INPUT) and os.isatty(OUTPUT)):
        raise Refused("terminal", "standard input and output are not a terminal", hint=hint)


def window_size() -> tuple[int, int]:
    """Rows and columns; 24 by 80 where the terminal does not know."""
    columns, rows = os.get_terminal_size(OUTPUT)
    return rows or 24, columns or 80


@contextmanager
def raw_mode() -> Iterator[None]:
    """Every key as it is typed; the old mode comes back however the block ends."""
    before = termios.tcgetattr(INPUT)
    try:
        tty.setraw(INPUT, termios.TCSADRAIN)
        yield
    finally:
        termios.tcsetattr(INPUT, termios.TCSADRAIN, before)


class Switches:
    """What the output so far has switched on; :meth:`undo` puts the terminal right."""

    def __init__(self) -> None:
        self._on: set[int] = set()
        self._kitty = 0
        self._other_keys = False
        self._tail = b""

    def see(self, data: bytes) -> None:
        """Look through output; sequences may be cut between calls."""
        if b"\x1b" not in data and not self._tail:
            return
        text = self._tail + data
        end = 0
        for found in _SWITCH.finditer(text):
            end = found.end()
            numbers, switch, direction, value, final = found.groups()
            if switch:
                self._private(numbers, on=switch == b"h")
            else:
                self._keyboard(direction, value, final)
        start = text.rfind(b"\x1b", max(end, len(text) - _LONGEST))
        self._tail = text[start:] if start >= 0 else b""

    def _private(self, numbers: bytes, *, on: bool) -> None:
        for number in filter(None, numbers.split(b";")):
            (self._on.add if on else self._on.discard)(int(number))

    def _keyboard(self, direction: bytes, value: bytes, final: bytes) -> None:
        if final == b"m":
            self._other_keys = self._other_keys or direction == b">"
        elif direction == b">":
            self._kitty += 1
        else:
            first = value.partition(b";")[0]
            self._kitty = max(self._kitty - (int(first) if first else 1), 0)

    def undo(self) -> bytes:
        """What to write when the session is left."""
        out = [b"\x1b[?%dl" % number for number in _TO_RESET if number in self._on]
        if self._kitty:
            out.append(b"\x1b[<%du" % self._kitty)
        if self._other_keys:
            out.append(b"\x1b[>4;0m")
        out += [b"\x1b[?%dl" % number for number in _SCREENS if number in self._on]
        return b"".join((*out, _PLAIN))
