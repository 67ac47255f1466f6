"""Cut a terminal's input into whole sequences.

ECMA-48 5.4 (control sequences), 8-bit-free; xterm's ctlseqs for SS3, X10 mouse and bracketed
paste; the Linux console's ``ESC [ [ A`` function keys. No input or output here: text in,
sequences out, and the clock is a parameter.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ESC = "\x1b"
PASTE_START = "\x1b[200~"
PASTE_END = "\x1b[201~"

SEQUENCE_WAIT = 1.0
"""Seconds an unfinished sequence that no key press can begin is waited for."""

LONGEST_CHORD = 2
"""Characters of alt and a key; a longer unfinished sequence comes from the terminal itself."""

_WHOLE = re.compile(
    r"""\x1b\[\[[A-E]                                   # Linux console f1-f5
      | \x1b\[M[\x20-\U0010ffff]{3}                     # X10 mouse
      | \x1b\[[0-9]{1,2}\$                                # rxvt, shifted
      | \x1b\[(?![M\[])[0-?]{0,128}[ -/]{0,8}[@-~]      # CSI
      | \x1bO[0-9]{0,2}[@-~]                            # SS3
      | \x1b[^\x1b\[O]                                  # alt and one character
      | [^\x1b]""",
    re.VERBOSE | re.DOTALL,
)
_PARTIAL = re.compile(
    r"\x1b(?:\[(?:\[|M[\x20-\U0010ffff]{0,2}|[0-?]{0,128}[ -/]{0,8})?|O[0-9]{0,2})?"
)
_LATE_TAIL = re.compile(r"\x1b\[(?:<\d|20[01]~)")


class InputSplitter:
    """A stream of decoded input in, one string for each key, mouse report or paste out.

    An Esc that is a key and an Esc that begins a sequence differ only by what follows, so a
    trailing one is held for ``escape_wait`` seconds. A mouse report or a paste whose Esc was
    given up because the line was slow is put together again instead of leaking as text.
    """

    def __init__(self, escape_wait: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.escape_wait = escape_wait
        self._clock = clock
        self._held = ""
        self._in_paste = False
        self._deadline: float | None = None
        self._given_up = ""
        self._given_up_until = 0.0

    @property
    def wait(self) -> float | None:
        """Seconds until :meth:`expire` has something to do, or None if nothing is held."""
        return None if self._deadline is None else max(0.0, self._deadline - self._clock())

    def feed(self, text: str) -> Iterator[str]:
        """Every sequence that ``text`` completes, in order."""
        held = self._take_back(text)
        seen = max(0, len(held) - len(PASTE_END))
        held += text
        position = 0
        while position < len(held):
            if self._in_paste:
                end = held.find(PASTE_END, max(seen, position))
                if end < 0:
                    break
                self._in_paste = False
                end += len(PASTE_END)
                yield held[position:end]
                position = end
            elif held.startswith(PASTE_START, position):
                self._in_paste = True
            elif unit := self._unit(held, position):
                yield unit
                position += len(unit)
            else:
                break
        self._hold(held[position:])

    def expire(self) -> Iterator[str]:
        """The held text, if it has waited long enough to be what it looks like."""
        if self._deadline is None or self._clock() < self._deadline:
            return
        held = self._held
        self._hold("")
        self._given_up = held if len(held) <= LONGEST_CHORD else ""
        self._given_up_until = self._clock() + SEQUENCE_WAIT
        # Half a mouse report is not worth a line of text in somebody's shell.
        if not held.startswith("\x1b[<"):
            yield held

    def _take_back(self, text: str) -> str:
        given_up, self._given_up = self._given_up, ""
        if (
            given_up
            and self._clock() < self._given_up_until
            and _LATE_TAIL.match(given_up + text[:8])
        ):
            return given_up
        return self._held

    @staticmethod
    def _unit(text: str, position: int) -> str:
        """The sequence at ``position``; empty if more input could still belong to it."""
        if whole := _WHOLE.match(text, position):
            return whole[0]
        partial = _PARTIAL.match(text, position)
        if partial is None or partial.end() == len(text):
            return ""
        return partial[0]

    def _hold(self, text: str) -> None:
        self._held = text
        if not text or self._in_paste:
            self._deadline = None
        else:
            may_be_key = len(text) <= LONGEST_CHORD
            self._deadline = self._clock() + (self.escape_wait if may_be_key else SEQUENCE_WAIT)
