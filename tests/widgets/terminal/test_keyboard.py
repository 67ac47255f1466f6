"""Bytes of a key: as typed, but for the modes of the program and the dialect of the terminal."""

from __future__ import annotations

import pytest
from textual import events

from core.terminal.modes import Modes
from widgets.terminal.keyboard import bytes_of, same_key
from widgets.terminal.raw_key import RawKey

PLAIN = Modes()


@pytest.mark.parametrize(
    "raw",
    [b"\x1b.", b"\x1b1", b"\x1b\r", b"\x1b\x7f", b"\x00", b"\x1c", b"\x7f", b"\x08", b"\x1b[1;5D"],
)
def test_what_the_keyboard_sent_is_what_the_shell_gets(raw: bytes) -> None:
    assert bytes_of(RawKey("whatever", None, raw), PLAIN) == raw


@pytest.mark.parametrize(
    ("key", "raw", "modes", "sent"),
    [
        ("up", b"\x1bOA", PLAIN, b"\x1b[A"),
        ("up", b"\x1b[A", Modes(application_cursor=True), b"\x1bOA"),
        ("end", b"\x1b[4~", PLAIN, b"\x1b[F"),
        ("f1", b"\x1b[[A", PLAIN, b"\x1bOP"),
        ("enter", b"\r", Modes(newline=True), b"\r\n"),
    ],
)
def test_dialects_become_the_one_the_program_knows(
    key: str, raw: bytes, modes: Modes, sent: bytes
) -> None:
    assert bytes_of(RawKey(key, None, raw), modes) == sent


def test_a_program_that_asked_for_kitty_keys_gets_them() -> None:
    raw = b"\x1b[97;5u"
    assert bytes_of(RawKey("ctrl+a", None, raw), Modes(kitty_flags=1)) == raw
    assert bytes_of(RawKey("ctrl+a", None, raw), PLAIN) == b"\x01"


def test_the_second_event_of_one_sequence_sends_nothing() -> None:
    assert bytes_of(RawKey("up", None, b""), PLAIN) == b""


@pytest.mark.parametrize(
    ("key", "character", "sent"),
    [
        ("a", "a", b"a"),
        ("ctrl+c", None, b"\x03"),
        ("left", None, b"\x1b[D"),
        ("é", "é", b"\xc3\xa9"),
    ],
)
def test_without_raw_bytes_the_names_are_enough(
    key: str, character: str | None, sent: bytes
) -> None:
    assert bytes_of(events.Key(key, character), PLAIN) == sent


def test_the_prefix_has_one_name_a_terminal_dialect() -> None:
    assert "ctrl+5" in same_key("ctrl+right_square_bracket")
    assert "ctrl+@" in same_key("ctrl+space")
    assert same_key("ctrl+g") == {"ctrl+g"}
