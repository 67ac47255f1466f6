"""From text to calls of the screen: one regular expression for what is common and well formed.

ECMA-48 section 5.4 and the DEC state machine (vt100.net/emu/dec_ansi_parser) for the rest: what
the expression does not take goes, character by character, through states that survive the end of
a chunk, so a split never changes the outcome. C1 controls are dropped: in UTF-8 their
bytes are parts of letters.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

import pyte.streams
from typing_extensions import override

from core.terminal import reports
from core.terminal.sgr import apply_sgr
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.terminal.attributes import Attributes
    from core.terminal.screen import Screen

CONTROL_LIMIT: Final = 1024
"""Characters of one control sequence; a longer one is dropped as a whole."""
STRING_LIMIT: Final = 1 << 16
"""Characters of an OSC or DCS; of a longer one the end is awaited and nothing done."""
CLIPBOARD_STRING_LIMIT: Final = reports.CLIPBOARD_LIMIT * 4 // 3 + 64
_SLICE: Final = 1 << 14
_CACHE_LIMIT: Final = 4096

_PLAIN: Final = r"[^\x00-\x1f\x7f-\x9f]"
<<<<<<< HEAD
_SGR: Final = r"\x1b\[[0-9;:]*m"
_SINGLE: Final = (
    rf"|((?:{_SGR}){{0,4}})({_PLAIN}+)"
=======
_TOKENS: Final = re.compile(
    rf"((?:{_PLAIN}*+\r\n){{3,}})"
    rf"|(?:\x1b(\[[0-9;:]*)m)?({_PLAIN}+)"
>>>>>>> u
    r"|(\r\n|[\x00-\x1a\x1c-\x1f\x7f-\x9f]|\x1b[78DEHM=>]|\x1b[()][0AB])"
    r"|\x1b\[([<-?]?[0-9;:]*[ -/]?[@-~])"
    r"|((?s:.+))"
)
<<<<<<< HEAD
# Possessive only on single characters: on groups they lose their place in some Python 3.11.
_LINE: Final = rf"{_PLAIN}*+(?:{_SGR}{_PLAIN}*+)*\r\n"
_TOKENS: Final = re.compile(rf"((?:\A|(?<=\n))(?:{_LINE}){{3,}})" + _SINGLE)
"""Several whole lines; or a run of text in one look; a control; a control sequence; the rest."""
_TOKENS_WITHOUT_LINES: Final = re.compile("((?!))" + _SINGLE)
_SEGMENTS: Final = re.compile(rf"((?:{_SGR})*)([^\x1b]*)")
=======
>>>>>>> u
_SEQUENCE: Final = re.compile("([<-?]?)([0-9;:]*)([ -/]?[@-~])")
_STRING_END: Final = re.compile("[\x07\x18\x1a\x1b]")

_CSI: Final[dict[str, tuple[str, int]]] = {
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
    "?J": ("erase_in_display", 1),
    "K": ("erase_in_line", 1),
    "?K": ("erase_in_line", 1),
    "L": ("insert_lines", 1),
    "M": ("delete_lines", 1),
    "P": ("delete_characters", 1),
    "S": ("pan_up", 1),
    "T": ("pan_down", 1),
    "^": ("pan_down", 1),
    "X": ("erase_characters", 1),
    "Z": ("tab_back", 1),
    "`": ("cursor_to_column", 1),
    "a": ("cursor_forward", 1),
    "b": ("repeat", 1),
    "d": ("cursor_to_line", 1),
    "e": ("cursor_down_any", 1),
    "f": ("cursor_position", 2),
    "g": ("clear_tab_stop", 1),
    "h": ("set_mode", 64),
    "l": ("reset_mode", 64),
    "?h": ("set_private", 64),
    "?l": ("reset_private", 64),
    "?s": ("save_private", 64),
    "?r": ("restore_private", 64),
    "r": ("set_margins", 2),
    "s": ("save_cursor", 0),
    "u": ("restore_cursor", 0),
    "!p": ("soft_reset", 0),
    " q": ("set_cursor_style", 1),
    ">u": ("push_kitty", 1),
    "<u": ("pop_kitty", 1),
    "=u": ("set_kitty", 2),
    ">m": ("set_modify_keys", 2),
}
"""Final character, with private marker before and intermediate, to a method and its arity."""
_REPORTS: Final[dict[str, tuple[Callable[..., None], int]]] = {
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
_CONTROLS: Final = {
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
_ESCAPES: Final = {
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
_CLIPBOARD: Final = "52;"
_STRINGS: Final = {
    "]": "osc",
    "P": "dcs",
    "_": "ignored",
    "^": "ignored",
    "X": "ignored",
    "k": "title",
}


_DEVICE_CONTROL_LIMIT: Final = 4096

Frozen = tuple[str, str, str, str, int, bool]
"""State, sequence so far, kind and text of a string, its length, whether it is OSC 52."""

_Action = tuple["Callable[..., None]", tuple[object, ...]]


def _nothing() -> None:
    """What cannot be understood does this."""


_NOTHING: Final[_Action] = (_nothing, ())


def _numbers(text: str) -> list[int]:
    if not text:
        return []
    return [min(int(part[:6] or 0), 65535) for part in text.split(";")[:64]]


class Stream(pyte.streams.Stream):
    """Feeds a :class:`core.terminal.screen.Screen`; any text in any pieces, never raising."""

    listener: Screen

    def __init__(self, screen: Screen) -> None:
        self.state = ""
        """Empty between sequences, else ``escape``, ``csi`` or ``string``."""
        self.collected = ""
        """The sequence so far, without its introducer."""
        self.kind = ""
        """Of a string: ``osc``, ``dcs``, ``title`` or ``ignored``."""
        self.parts: list[str] = []
        self.length = 0
        self.is_clipboard = False
        super().__init__(screen)

    @override
    def _initialize_parser(self) -> None:
        screen = self.listener
        self._actions: dict[str, _Action] = {}
        self._steps: dict[Attributes, dict[str, Attributes]] = {}
        self._step_count = 0
        self._controls: dict[str, Callable[[], None]] = {
            control: getattr(screen, name) for control, name in _CONTROLS.items()
        }
        self._controls["\r\n"] = self._new_line
        for final, name in _ESCAPES.items():
            self._controls["\x1b" + final] = getattr(screen, name)
        for slot in "()":
            for code in "0AB":
                self._controls[f"\x1b{slot}{code}"] = partial(screen.define_charset, code, slot)

    def _new_line(self) -> None:
        self.listener.cursor.x = 0
        self.listener.linefeed()

    @override
    def feed(self, data: str) -> None:
        for start in range(0, len(data), _SLICE):
            text = data[start : start + _SLICE]
            while text:
                text = self._resume(text) if self.state else self._feed_tokens(text)

    def _feed_tokens(self, text: str) -> str:
        """Consume well-formed tokens; what follows an escape that is not one is left."""
        screen = self.listener
        cursor = screen.cursor
        draw = screen.draw
        actions = self._actions
        for block, sgr, plain, control, csi, rest in _TOKENS.findall(text):
            if plain:
                if sgr:
                    steps = self._steps.get(cursor.pen)
                    pen = steps.get(sgr) if steps is not None else None
                    cursor.pen = self._step(sgr) if pen is None else pen
                draw(plain)
            elif csi:
                method, arguments = actions.get(csi) or self._compile(csi)
                method(*arguments)
            elif control:
                self._controls.get(control, _nothing)()
            elif block:
                screen.draw_lines(block)
            else:
                self.state, self.collected = "escape", ""
                return str(rest[1:])
        return ""

    def _step(self, sgr: str) -> Attributes:
        """The pen after ``ESC sgr m``, remembered for the next time."""
        before = self.listener.cursor.pen
        after = apply_sgr(before, sgr[1:])
        if self._step_count >= _CACHE_LIMIT:
            self._steps.clear()
            self._step_count = 0
        self._steps.setdefault(before, {})[sgr] = after
        self._step_count += 1
        return after

    def _render(self, sgr: str) -> None:
        steps = self._steps.get(self.listener.cursor.pen)
        pen = steps.get(sgr) if steps is not None else None
        self.listener.cursor.pen = self._step(sgr) if pen is None else pen

    def _compile(self, csi: str) -> _Action:
        """What ``CSI csi`` does, remembered for the next time."""
        action = self._understand(csi)
        if len(self._actions) >= _CACHE_LIMIT:
            self._actions.clear()
        self._actions[csi] = action
        return action

    def _understand(self, csi: str) -> _Action:
        parts = _SEQUENCE.fullmatch(csi)
        if parts is None:
            return _NOTHING
        marker, params, final = parts.groups()
        if final == "m" and not marker:
            return self._render, ("[" + params,)
        if ":" in params:
            return _NOTHING
        name = marker + final
        numbers = _numbers(params)
        if name in ("s", "T") and len(numbers) > 1:
            return _NOTHING
        if name in _CSI:
            method, arity = _CSI[name]
            return getattr(self.listener, method), tuple(numbers[:arity])
        if name in _REPORTS:
            report, arity = _REPORTS[name]
            return report, (self.listener, *numbers[:arity])
        return _NOTHING

    def freeze(self) -> Frozen:
        """Where inside a sequence it stands."""
        if self.state != "string":
            return self.state, self.collected if self.state else "", "", "", 0, False
        parts = "".join(self.parts)
        return self.state, "", self.kind, parts, self.length, self.is_clipboard

    def thaw(self, frozen: Frozen) -> None:
        """Stand there again. Raises: ValueError."""
        state, collected, kind, parts, length, is_clipboard = frozen
        if state not in ("", "escape", "csi", "string") or length < 0:
            raise ValueError(state)
        if kind not in ("", *_STRINGS.values()) or len(parts) > CLIPBOARD_STRING_LIMIT:
            raise ValueError(kind)
        self.state, self.collected, self.kind = state, collected[:CONTROL_LIMIT], kind
        self.parts, self.length, self.is_clipboard = [parts], length, is_clipboard

    # the states

    def _resume(self, text: str) -> str:
        """Go on inside a sequence; what is left after its end, or nothing."""
        if self.state == "string":
            return self._in_string(text)
        for index, character in enumerate(text):
            if self.state == "escape":
                self._in_escape(character)
            else:
                self._in_csi(character)
            if self.state in ("", "string"):
                return text[index + 1 :]
        return ""

    def _interrupts(self, character: str) -> bool:
        """Controls act at once inside a sequence; ESC begins another, CAN and SUB end it."""
        if character >= " " and character != "\x7f":
            return False
        if character == "\x1b":
            self.state, self.collected = "escape", ""
        elif character in "\x18\x1a":
            self.state = ""
        else:
            self._controls.get(character, _nothing)()
        return True

    def _in_escape(self, character: str) -> None:
        if self._interrupts(character):
            return
        if not self.collected and character == "[":
            self.state = "csi"
        elif not self.collected and character in _STRINGS:
            self.state, self.kind = "string", _STRINGS[character]
            self.parts, self.length, self.is_clipboard = [], 0, False
        elif " " <= character <= "/":
            self.collected = (self.collected + character)[:4]
        else:
            self.state = ""
            self._escape(self.collected + character)

    def _escape(self, sequence: str) -> None:
        screen = self.listener
        if len(sequence) == 2 and sequence[0] in "()*+":
            screen.define_charset(sequence[1], sequence[0])
        elif sequence == "Z":
            reports.device_attributes(screen)
        elif sequence in ("n", "o"):
            screen.shift("no".index(sequence) + 2)
        else:
            self._controls.get("\x1b" + sequence, _nothing)()

    def _in_csi(self, character: str) -> None:
        if self._interrupts(character):
            return
        if "@" <= character <= "~":
            self.state = ""
            if len(self.collected) < CONTROL_LIMIT:
                method, arguments = self._understand(self.collected + character)
                method(*arguments)
        elif character >= "\x7f":
            self.state = ""
            self.listener.draw(character)
        elif len(self.collected) < CONTROL_LIMIT:
            self.collected += character

    def _in_string(self, text: str) -> str:
        start = 0
        while True:
            end = _STRING_END.search(text, start)
            if end is None:
                self._collect(text)
                return ""
            if end[0] == "\x07" and self.kind != "osc":
                start = end.end()
                continue
            self._collect(text[: end.start()])
            if end[0] in "\x07\x1b":
                self._finish_string("\x07" if end[0] == "\x07" else "\x1b\\")
            self.parts = []
            self.state, self.collected = ("escape", "") if end[0] == "\x1b" else ("", "")
            return text[end.end() :]

    def _collect(self, text: str) -> None:
        if self.kind == "ignored" or not text:
            return
        limit = _DEVICE_CONTROL_LIMIT
        if self.kind == "osc":
            if self.length < len(_CLIPBOARD) <= self.length + len(text):
                self.is_clipboard = "".join([*self.parts, text]).startswith(_CLIPBOARD)
            limit = CLIPBOARD_STRING_LIMIT if self.is_clipboard else STRING_LIMIT
        self.length += len(text)
        if self.length > limit:
            self.kind, self.parts = "ignored", []
        else:
            self.parts.append(text)

    def _finish_string(self, terminator: str) -> None:
        text = "".join(self.parts)
        if self.kind == "osc":
            reports.system_command(self.listener, text, terminator)
        elif self.kind == "dcs":
            reports.device_control(self.listener, text)
        elif self.kind == "title":
            self.listener.set_title(clean(text))
