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
from core.terminal.attributes import DEFAULT
from core.terminal.history import folded, packed_runs, plain_lines
from core.terminal.sequences import CONTROLS, CSI, ESCAPES, REPORTS, STRINGS
from core.terminal.sgr import apply_sgr, quick_color
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.terminal.attributes import Attributes
    from core.terminal.history import Packed, Run
    from core.terminal.screen import Screen

CONTROL_LIMIT: Final = 1024
"""Characters of one control sequence; a longer one is dropped as a whole."""
STRING_LIMIT: Final = 1 << 16
"""Characters of an OSC or DCS; of a longer one the end is awaited and nothing done."""
CLIPBOARD_STRING_LIMIT: Final = reports.CLIPBOARD_LIMIT * 4 // 3 + 64
_SLICE: Final = 1 << 14
_CACHE_LIMIT: Final = 4096
_CACHED_LENGTH: Final = 128

_PLAIN: Final = r"[^\x00-\x1f\x7f-\x9f]"
_SGR: Final = r"\x1b\[[0-9;:]*m"
_SINGLE: Final = (
    rf"|((?:{_SGR}){{0,4}})({_PLAIN}+)"
    r"|(\r\n|[\x00-\x1a\x1c-\x1f\x7f-\x9f]|\x1b[78DEHM=>]|\x1b[()][0AB])"
    r"|\x1b\[([<-?]?[0-9;:]*[ -/]?[@-~])"
    r"|((?s:.+))"
)
# Possessive only on single characters: on groups they lose their place in some Python 3.11.
_LINE: Final = rf"{_PLAIN}*+(?:{_SGR}{_PLAIN}*+)*\r\n"
_TOKENS: Final = re.compile(rf"((?:\A|(?<=\n))(?:{_LINE}){{3,}})" + _SINGLE)
"""Several whole lines; or a run of text in one look; a control; a control sequence; the rest."""
_TOKENS_WITHOUT_LINES: Final = re.compile("((?!))" + _SINGLE)
_SEGMENTS: Final = re.compile(rf"((?:{_SGR})*)([^\x1b]*)")
_SEQUENCE: Final = re.compile("([<-?]?)([0-9;:]*)([ -/]?[@-~])")
_PARAMETERS: Final = re.compile(r"\[([0-9;:]*)m")
_STRING_END: Final = re.compile("[\x07\x18\x1a\x1b]")

_CLIPBOARD: Final = "52;"
_DEVICE_CONTROL_LIMIT: Final = 4096

Frozen = tuple[str, str, str, str, int, bool]
"""State, sequence so far, kind and text of a string, its length, whether it is OSC 52."""

_Step = tuple["Attributes", "dict[str, _Step]"]
_NO_STEPS: Final[dict[str, _Step]] = {}

_Action = tuple["Callable[..., None]", tuple[object, ...]]


def _nothing() -> None:
    """What cannot be understood does this."""


_NOTHING: Final[_Action] = (_nothing, ())


def _numbers(text: str) -> list[int]:
    if not text:
        return []
    return [min(int(part.lstrip("0")[:6] or 0), 65535) for part in text.split(";")[:64]]


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
        self._steps: dict[Attributes, dict[str, _Step]] = {}
        self._step_count = 0
        self._controls: dict[str, Callable[[], None]] = {
            control: getattr(screen, name) for control, name in CONTROLS.items()
        }
        self._controls["\r\n"] = self._new_line
        for final, name in ESCAPES.items():
            self._controls["\x1b" + final] = getattr(screen, name)
        for slot in "()":
            for code in "0AB":
                self._controls[f"\x1b{slot}{code}"] = partial(screen.define_charset, code, slot)

    def _new_line(self) -> None:
        screen = self.listener
        if screen.sides is None:
            screen.cursor.x = 0
        else:
            screen.carriage_return()
        screen.linefeed()

    @override
    def feed(self, data: str) -> None:
        for start in range(0, len(data), _SLICE):
            text = data[start : start + _SLICE]
            while text:
                text = self._resume(text) if self.state else self._feed_tokens(text)

    def _feed_tokens(self, text: str, tokens: re.Pattern[str] = _TOKENS) -> str:
        """Consume well-formed tokens; what follows an escape that is not one is left."""
        screen = self.listener
        cursor = screen.cursor
        draw = screen.draw
        actions = self._actions
        pen, steps = cursor.pen, _NO_STEPS
        for block, sgr, plain, control, csi, rest in tokens.findall(text):
            if plain:
                if sgr:
                    if cursor.pen is not pen:
                        steps = _NO_STEPS
                    pen, steps = steps.get(sgr) or self._step(cursor.pen, sgr)
                    cursor.pen = pen
                draw(plain)
            elif csi:
                method, arguments = actions.get(csi) or self._compile(csi)
                method(*arguments)
            elif control:
                self._controls.get(control, _nothing)()
            elif block:
                self._feed_lines(block)
            else:
                self.state, self.collected = "escape", ""
                return str(rest[1:])
        return ""

    def _feed_lines(self, block: str) -> None:
        """Consume whole lines; where they only scroll in, without touching single cells."""
        screen = self.listener
        if not (block.isascii() and screen.scrolls_plainly()):
            self._feed_tokens(block, _TOKENS_WITHOUT_LINES)
            return
        first, _, rest = block.partition("\r\n")
        if first:
            self._feed_tokens(first, _TOKENS_WITHOUT_LINES)
        lines = rest.split("\r\n")
        lines.pop()
        pen = screen.cursor.pen
        if "\x1b" not in rest and pen is DEFAULT:
            screen.append_lines(plain_lines(lines, screen.columns), lines[-1])
            return
        looks = self._segments(lines, pen)
        if looks is None:
            self._feed_tokens("\r\n" + rest, _TOKENS_WITHOUT_LINES)
        else:
            fresh, text, screen.cursor.pen = looks
            screen.append_lines(fresh, text)

    def _segments(
        self, lines: list[str], pen: Attributes
    ) -> tuple[list[Packed], str, Attributes] | None:
        """The lines, the text of the last and the pen; None if one ends in a background."""
        fresh: list[Packed] = []
        columns = self.listener.columns
        steps = _NO_STEPS
        text = ""
        for line in lines:
            if pen.background is not None:
                return None
            runs: list[Run] = []
            text = ""
            for sgr, segment in _SEGMENTS.findall(line):
                if sgr:
                    pen, steps = steps.get(sgr) or self._step(pen, sgr)
                if segment:
                    text += segment
                    runs.append((len(segment), pen))
            if len(text) <= columns:
                fresh.append(packed_runs(text, runs))
            else:
                fresh += folded(text, runs, columns)
        return None if pen.background is not None else (fresh, text, pen)

    def _step(self, before: Attributes, sgr: str) -> _Step:
        """The pen after these SGR sequences, and where to look for the step after that."""
        steps = self._steps.get(before)
        if steps is not None and sgr in steps:
            return steps[sgr]
        after = quick_color(before, sgr)
        if after is None:
            after = before
            for params in _PARAMETERS.findall(sgr):
                if len(params) < CONTROL_LIMIT:
                    after = apply_sgr(after, params)
            if len(sgr) > _CACHED_LENGTH:
                return after, _NO_STEPS
            if self._step_count >= _CACHE_LIMIT:
                self._steps.clear()
                self._step_count = 0
        elif self._step_count >= _CACHE_LIMIT:
            return after, _NO_STEPS
        step = after, self._steps.setdefault(after, {})
        self._steps.setdefault(before, {})[sgr] = step
        self._step_count += 1
        return step

    def _render(self, sgr: str) -> None:
        self.listener.cursor.pen, _steps = self._step(self.listener.cursor.pen, sgr)

    def _compile(self, csi: str) -> _Action:
        """What ``CSI csi`` does, remembered for the next time."""
        action = self._understand(csi)
        if len(csi) > _CACHED_LENGTH:
            return action
        if len(self._actions) >= _CACHE_LIMIT:
            self._actions.clear()
        self._actions[csi] = action
        return action

    def _understand(self, csi: str) -> _Action:
        parts = _SEQUENCE.fullmatch(csi)
        if parts is None or len(csi) > CONTROL_LIMIT:
            return _NOTHING
        marker, params, final = parts.groups()
        if final == "m" and not marker:
            return self._render, (f"\x1b[{params}m",)
        if ":" in params:
            return _NOTHING
        name = marker + final
        numbers = _numbers(params)
        if name == "T" and len(numbers) > 1:
            return _NOTHING
        if name in CSI:
            method, arity = CSI[name]
            return getattr(self.listener, method), tuple(numbers[:arity])
        if name in REPORTS:
            report, arity = REPORTS[name]
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
        if kind not in ("", *STRINGS.values()) or len(parts) > CLIPBOARD_STRING_LIMIT:
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
        elif not self.collected and character in STRINGS:
            self.state, self.kind = "string", STRINGS[character]
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
        elif sequence in ("N", "O"):
            screen.single_shift("NO".index(sequence) + 2)
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
        if self.length < len(_CLIPBOARD) <= self.length + len(text):
            self.is_clipboard = "".join([*self.parts, text]).startswith(_CLIPBOARD)
        self.length = min(self.length + len(text), CLIPBOARD_STRING_LIMIT + 1)
        if self.length > self._limit():
            self.parts = []
        else:
            self.parts.append(text)

    def _limit(self) -> int:
        """How long the string may be and still mean something."""
        if self.kind == "dcs":
            return _DEVICE_CONTROL_LIMIT
        return CLIPBOARD_STRING_LIMIT if self.is_clipboard else STRING_LIMIT

    def _finish_string(self, terminator: str) -> None:
        if self.length > self._limit():
            return
        text = "".join(self.parts)
        if self.kind == "osc":
            reports.system_command(self.listener, text, terminator)
        elif self.kind == "dcs":
            reports.device_control(self.listener, text)
        elif self.kind == "title":
            self.listener.set_title(clean(text))
