"""The one key that is not the session's: ctrl+] and the key after it.

``ctrl+] d`` detaches, ``ctrl+]`` twice sends it once, any other key cancels and rings the bell.
No key is held back: what stands before the prefix is given out at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = b"\x1d"
NAME = "ctrl+]"

_PREFIX = re.compile(rb"\x1d|\x1b\[93(?::\d*)*;5(?::1)?u|\x1b\[27;5;93~")
"""Plain, in the kitty keyboard protocol, and with xterm's modifyOtherKeys."""
_AFTER = re.compile(rb"\x1d|\x1b\[[0-9:;]*[u~]|(?s:.)")
_DETACH = re.compile(rb"[dD]|\x1b\[100(?::\d*)*(?:;[12]?(?::1)?)?u")
_RELEASE = re.compile(rb"\x1b\[[0-9:]+;[0-9]*:3u")
"""A key let go, which the kitty protocol may report; not a key."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What to do with a piece of input."""

    data: bytes
    """For the session."""
    detach: bool = False
    bell: bool = False


class Prefix:
    """Takes the input apart; remembers a prefix between pieces."""

    def __init__(self) -> None:
        self._pending = False

    def feed(self, data: bytes) -> Typed:
        """What ``data`` means. After ``detach`` the rest of it is dropped."""
        out: list[bytes] = []
        bell = False
        at = 0
        while at < len(data):
            if self._pending:
                key = _AFTER.match(data, at)
                if key is None:
                    break
                at = key.end()
                if _RELEASE.fullmatch(key[0]):
                    continue
                self._pending = False
                if _DETACH.fullmatch(key[0]):
                    return Typed(b"".join(out), detach=True)
                if _PREFIX.fullmatch(key[0]):
                    out.append(key[0])
                else:
                    bell = True
                continue
            found = _PREFIX.search(data, at)
            if found is None:
                out.append(data[at:])
                break
            out.append(data[at : found.start()])
            at = found.end()
            self._pending = True
        return Typed(b"".join(out), bell=bell)
