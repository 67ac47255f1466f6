"""Which sequence calls what: control characters, escape and control sequences, strings.

Names on the right are methods of :class:`core.terminal.screen.Screen`. ECMA-48, the VT510
reference and xterm control sequences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.terminal import reports

if TYPE_CHECKING:
    from collections.abc import Callable

CSI: Final[dict[str, tuple[str, int]]] = {
    "@": ("insert_characters", 1),
    "A": ("cursor_up", 1),
    "B": ("cursor_down", 1),
    "C": ("cursor_forward", 1),
    "D": ("cursor_back", 1),
    "E": ("cursor_down1", 1),
    "F": ("cursor_up1", 1),
    "G": ("cursor_to_column", 1),
    "H": ("cursor_position", 2),
    "I": ("tab_forward", 1),
    "J": ("erase_in_display", 1),
    "?J": ("erase_unprotected_in_display", 1),
    "K": ("erase_in_line", 1),
    "?K": ("erase_unprotected_in_line", 1),
    "L": ("insert_lines", 1),
    "M": ("delete_lines", 1),
    "P": ("delete_characters", 1),
    "S": ("pan_up", 1),
    "T": ("pan_down", 1),
    "^": ("pan_down", 1),
    "X": ("erase_characters", 1),
    "Z": ("tab_back", 1),
    "`": ("cursor_to_column", 1),
    "a": ("cursor_forward_any", 1),
    "b": ("repeat", 1),
    "d": ("cursor_to_line", 1),
    "e": ("cursor_down_any", 1),
    "f": ("cursor_position", 2),
    "g": ("clear_tab_stop", 1),
    "h": ("set_public", 64),
    "l": ("reset_public", 64),
    "?h": ("set_private", 64),
    "?l": ("reset_private", 64),
    "?s": ("save_private", 64),
    "?r": ("restore_private", 64),
    "r": ("set_margins", 2),
    "s": ("set_side_margins", 2),
    "u": ("restore_cursor", 0),
    "!p": ("soft_reset", 0),
    "'}": ("insert_columns", 1),
    "'~": ("delete_columns", 1),
    '"q': ("set_protection", 1),
    " q": ("set_cursor_style", 1),
    ">u": ("push_kitty", 1),
    "<u": ("pop_kitty", 1),
    "=u": ("set_kitty", 2),
    ">m": ("set_modify_keys", 2),
}
"""Final character, with private marker before and intermediate, to a method and its arity."""
REPORTS: Final[dict[str, tuple[Callable[..., None], int]]] = {
    "c": (reports.device_attributes, 1),
    ">c": (reports.secondary_attributes, 1),
    "=c": (reports.tertiary_attributes, 1),
    "n": (reports.device_status, 1),
    "?n": (reports.private_status, 1),
    ">q": (reports.version, 1),
    "?u": (reports.kitty_flags, 0),
    "$p": (reports.mode_report, 1),
    "?$p": (reports.private_mode_report, 1),
    "t": (reports.window_operation, 2),
}
CONTROLS: Final = {
    "\x07": "bell",
    "\x08": "backspace",
    "\t": "tab",
    "\n": "linefeed",
    "\x0b": "linefeed",
    "\x0c": "linefeed",
    "\r": "carriage_return",
    "\x0e": "shift_out",
    "\x0f": "shift_in",
}
ESCAPES: Final = {
    "6": "back_index",
    "9": "forward_index",
    "V": "start_protected",
    "W": "end_protected",
    "7": "save_cursor",
    "8": "restore_cursor",
    "D": "index",
    "E": "next_line",
    "H": "set_tab_stop",
    "M": "reverse_index",
    "c": "reset",
    "=": "keypad_application",
    ">": "keypad_numeric",
    "#8": "alignment_display",
}
STRINGS: Final = {
    "]": "osc",
    "P": "dcs",
    "_": "ignored",
    "^": "ignored",
    "X": "ignored",
    "k": "title",
}
"""What opens a string after ESC, and what kind of string it is."""
