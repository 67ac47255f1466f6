"""Events keep their bytes, and what a terminal reports is never typed text."""

from __future__ import annotations

import pytest
from textual import events

from tui.input_parser import UNKNOWN, InputParser
from widgets.terminal.raw_key import RawKey, raw_bytes


def keys(text: str) -> list[tuple[str, str | None, bytes | None]]:
    parser = InputParser(escape_wait=0.02)
    return [
        (event.key, event.character, raw_bytes(event))
        for event in parser.feed(text)
        if isinstance(event, events.Key)
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("\x1b.", "alt+full_stop"),
        ("\x1b1", "alt+1"),
        ("\x1b\r", "alt+enter"),
        ("\x1bA", "alt+shift+a"),
        ("\x1b\x01", "alt+ctrl+a"),
        ("\x1d", "ctrl+right_square_bracket"),
        ("\x1b[1;2R", "shift+f3"),
        ("\x1b[7$", "shift+home"),
    ],
)
def test_chords_keep_their_names(text: str, key: str) -> None:
    assert keys(text) == [(key, keys(text)[0][1], text.encode())]


def test_an_alt_chord_types_nothing_into_a_field() -> None:
    assert keys("\x1b.") == [("alt+full_stop", None, b"\x1b.")]


def test_a_sequence_of_several_keys_carries_its_bytes_once() -> None:
    raw = "\x1b[0;;104:105u"
    assert [(key, data) for key, _, data in keys(raw)] == [("h", raw.encode()), ("i", b"")]


@pytest.mark.parametrize("report", ["\x1b[?62;22c", "\x1b[>1;10;0c", "\x1b[<0;1;1q", "\x1b[201~"])
def test_reports_of_the_terminal_are_not_keys(report: str) -> None:
    assert keys(report) == []


def test_an_unknown_key_has_bytes_and_no_character() -> None:
    assert keys("\x1b[9y") == [(UNKNOWN, None, b"\x1b[9y")]


def test_a_raw_key_is_handled_where_a_key_is() -> None:
    assert RawKey("a", "a", b"a").handler_name == events.Key("a", "a").handler_name
    assert raw_bytes(events.Key("a", "a")) is None


def test_resize_and_mode_reports_still_reach_textual() -> None:
    parser = InputParser(escape_wait=0.02)
    kinds = [type(event).__name__ for event in parser.feed("\x1b[48;24;80;480;640t\x1b[?2026;2$y")]
    assert kinds == ["Resize", "TerminalSupportsSynchronizedOutput"]


def test_focus_reports_reach_textual() -> None:
    parser = InputParser(escape_wait=0.02)
    assert [type(event) for event in parser.feed("\x1b[I\x1b[O")] == [
        events.AppFocus,
        events.AppBlur,
    ]
