"""From a key event to what the program in the shell reads.

What the keyboard sent is passed on as it is, with two exceptions: keys whose bytes depend on a
mode of the program (arrows under DECCKM) or on the outer terminal's own dialect, and keys that
the outer terminal encoded by the kitty protocol because the console asked for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.terminal.encode_keys import encode_key
from core.terminal.kitty_keys import from_kitty
from widgets.terminal.raw_key import raw_bytes

if TYPE_CHECKING:
    from textual import events

    from core.terminal.modes import Modes

_FUNCTION_KEYS = frozenset(f"f{number}" for number in range(1, 13))
_MODE_DEPENDENT = _FUNCTION_KEYS.union(
    ("up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
    ("insert", "delete", "enter"),
)

_ALIASES = {
    # One byte on every keyboard; terminals with the kitty protocol name the key that was hit.
    "ctrl+right_square_bracket": ("ctrl+5",),
    "ctrl+5": ("ctrl+right_square_bracket",),
    "ctrl+space": ("ctrl+@", "ctrl+at"),
    "ctrl+@": ("ctrl+space",),
}


def same_key(key: str) -> frozenset[str]:
    """Every name under which pressing ``key`` may be reported."""
    return frozenset((key, *_ALIASES.get(key, ())))


def bytes_of(event: events.Key, modes: Modes) -> bytes:
    """Input for the program; empty if the key means nothing to a terminal."""
    raw = raw_bytes(event)
    if raw == b"":
        return b""
    if raw is None or event.key in _MODE_DEPENDENT:
        return encode_key(event.key, event.character, modes)
    return from_kitty(raw, modes)
