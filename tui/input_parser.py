"""Textual's input parser, keeping the bytes of every key.

A subclass of ``textual._xterm_parser.XTermParser`` (Textual 8.2): the whole sequences that
:class:`InputSplitter` finds go through it one at a time, so that an alt chord needs no time-out
to be complete and an unknown report never reaches the application as typed text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from typing_extensions import override

from tui.input_splitter import ESC, PASTE_END, PASTE_START, InputSplitter
from widgets.terminal.raw_key import RawKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from textual.message import Message

UNKNOWN = "unknown"
"""Name of a key event whose sequence Textual has no name for."""

_LONGEST_KNOWN = 32
"""Longer sequences are taken apart by XTermParser and come out as typed text."""

_KEY_LIKE = re.compile(r"\x1b(?:\[[0-9;:]*[A-Za-z~]|\[\[[A-E]|O[0-9]*[@-~])")
_PASTE_MARK = re.compile(r"\x1b\[20[01]~")
_MODIFIED_F3 = re.compile(r"\x1b\[1;\d{1,3}(?::\d)?R")


class InputParser(XTermParser):
    """Parses input text into events; each key is a :class:`RawKey`.

    Text is UTF-8 decoded with ``surrogateescape``, so that bytes no decoder understands still
    reach a shell.
    """

    def __init__(self, escape_wait: float, debug: bool = False) -> None:
        self._splitter = InputSplitter(escape_wait)
        super().__init__(debug)

    @property
    def wait(self) -> float | None:
        """Seconds until :meth:`tick` has something to do, or None."""
        return self._splitter.wait

    @override
    def feed(self, data: str) -> Iterable[Message]:
        """Events of ``data``; the empty string ends the stream, as in Textual."""
        if not data:
            yield from super().feed(data)
            return
        for unit in self._splitter.feed(data):
            yield from self._events_of(unit)

    @override
    def tick(self) -> Iterable[Message]:
        """Events of input that has been waited for long enough."""
        for unit in self._splitter.expire():
            yield from self._events_of(unit)

    def _events_of(self, unit: str) -> Iterator[Message]:
        if unit.startswith(PASTE_START):
            text = unit[len(PASTE_START) : -len(PASTE_END)].replace("\x00", "")
            yield events.Paste(text.encode("utf-8", "replace").decode("utf-8"))
            return
        raw = unit.encode("utf-8", "surrogateescape")
        for message in self._named(unit):
            if isinstance(message, events.Key):
                yield RawKey(message.key, message.character, raw)
                raw = b""
            else:
                yield message

    def _named(self, unit: str) -> list[Message]:
        if len(unit) == 2 and unit[0] == ESC:
            return self._alt_chord(unit)
        if _MODIFIED_F3.fullmatch(unit) or len(unit) > _LONGEST_KNOWN:
            # XTermParser takes a modified F3 for a cursor report, which only inline apps ask for.
            messages: list[Message] = list(self._sequence_to_key_events(unit))
            return messages or self._unnamed(unit)
        if "\udc80" <= unit <= "\udcff":
            return self._unnamed(unit)
        messages, understood = self._parse(unit)
        if unit != ESC and (not understood or not messages):
            return self._unnamed(unit)
        return messages

    def _parse(self, unit: str) -> tuple[list[Message], bool]:
        """What XTermParser makes of ``unit``, and whether it knew the sequence."""
        messages = list(super().feed(unit))
        understood = self._timeout_time is None
        if not understood:
            self._timeout_time = 0.0
            messages += super().tick()
        return messages, understood

    def _alt_chord(self, unit: str) -> list[Message]:
        if isinstance(ANSI_SEQUENCES_KEYS.get(unit), tuple):
            return self._parse(unit)[0]
        named, _ = self._parse(unit[1])
        return [
            events.Key(_with_alt(key.key), None) for key in named if isinstance(key, events.Key)
        ]

    @staticmethod
    def _unnamed(unit: str) -> list[Message]:
        """One nameless key for what a keyboard may have sent; nothing for a terminal's report."""
        if len(unit) == 1 or (_KEY_LIKE.fullmatch(unit) and not _PASTE_MARK.fullmatch(unit)):
            return [events.Key(UNKNOWN, None)]
        return []


def _with_alt(name: str) -> str:
    """``name`` with alt among its modifiers, which Textual keeps in alphabetical order."""
    *modifiers, key = name.split("+")
    if len(key) == 1 and key.isupper():
        modifiers.append("shift")
        key = key.lower()
    return "+".join([*sorted({*modifiers, "alt"}), key])
