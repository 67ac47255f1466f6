"""The modes a program switched on, as those who draw and type need to know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

MouseMode = Literal[0, 9, 1000, 1002, 1003]
CursorShape = Literal["block", "underline", "bar"]

SHAPES: Final[tuple[CursorShape, ...]] = ("block", "underline", "bar")
PRIVATE: Final = 5
"""pyte keeps private modes shifted by this many bits beside the public ones."""

MOUSE_MODES: Final = (9, 1000, 1002, 1003)
KNOWN_PRIVATE: Final = frozenset(
    {1, 3, 5, 6, 7, 9, 12, 25, 40, 45, 47, 66, 69, 1000, 1002, 1003, 1004, 1006, 1007}
    | {1045, 1047, 1048, 1049, 2004, 2026, 2027}
)
"""Private modes that do something here; DECRQM answers "not recognized" for the others."""
KNOWN_PUBLIC: Final = frozenset((4, 20))


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """What the program asked of keyboard, mouse and screen."""

    application_cursor: bool = False
    """DECCKM: arrows send SS3."""
    application_keypad: bool = False
    bracketed_paste: bool = False
    mouse: MouseMode = 0
    """0 off, 9 presses, 1000 presses and releases, 1002 drags too, 1003 all motion."""
    mouse_sgr: bool = False
    """1006: reports in decimal, without a limit of 223 columns."""
    focus: bool = False
    alternate_screen: bool = False
    alternate_scroll: bool = False
    """1007: the wheel sends arrows in the alternate screen."""
    synchronized: bool = False
    """2026: a frame is being drawn; show it when this ends."""
    reverse_video: bool = False
    kitty_flags: int = 0
    modify_other_keys: int = 0
    newline: bool = False
    """LNM: Enter sends CR LF."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorState:
    """Where the cursor stands and what it looks like."""

    y: int
    x: int
    """Always on the screen: the last column while a wrap is pending."""
    visible: bool
    shape: CursorShape
    blink: bool
