from __future__ import annotations

import pytest

from core.terminal.kitty_keys import from_kitty, is_kitty, legacy_from_kitty
from core.terminal.modes import Modes


@pytest.mark.parametrize(
    ("sequence", "plain"),
    [
        (b"\x1b[97u", b"a"),
        (b"\x1b[97:65;2;65u", b"A"),
        (b"\x1b[97;2u", b"A"),
        (b"\x1b[49:33;2;33u", b"!"),
        (b"\x1b[97;5u", b"\x01"),
        (b"\x1b[97;3u", b"\x1ba"),
        (b"\x1b[97;7u", b"\x1b\x01"),
        (b"\x1b[46;3u", b"\x1b."),
        (b"\x1b[93;5u", b"\x1d"),
        (b"\x1b[53;5u", b"\x1d"),
        (b"\x1b[27u", b"\x1b"),
        (b"\x1b[13u", b"\r"),
        (b"\x1b[13;3u", b"\x1b\r"),
        (b"\x1b[9u", b"\t"),
        (b"\x1b[9;2u", b"\x1b[Z"),
        (b"\x1b[127u", b"\x7f"),
        (b"\x1b[127;5u", b"\x08"),
        (b"\x1b[97;1:3u", b""),
        (b"\x1b[97;65u", b"a"),
        (b"\x1b[233;;233u", "é".encode()),
        (b"\x1b[57441u", b""),
        (b"\x1b[57414u", b"\r"),
        (b"\x1b[57400u", b"1"),
        (b"\x1b[57419u", b"\x1b[A"),
        (b"\x1b[1;1:1A", b"\x1b[A"),
        (b"\x1b[1;5:2A", b"\x1b[1;5A"),
        (b"\x1b[1;1:3A", b""),
        (b"\x1b[3;1:1~", b"\x1b[3~"),
        (b"\x1b[13~", b"\x1bOR"),
        (b"\x1b[P", b"\x1bOP"),
        (b"\x1b[1114112u", b""),
        (b"x", b"x"),
        (b"\x1b[Z", b"\x1b[Z"),
    ],
)
def test_kitty_key_becomes_what_a_plain_terminal_sends(sequence: bytes, plain: bytes) -> None:
    assert legacy_from_kitty(sequence) == plain


def test_arrow_follows_the_cursor_key_mode_of_the_program() -> None:
    assert from_kitty(b"\x1b[A", Modes(application_cursor=True)) == b"\x1bOA"


def test_program_that_asked_for_less_gets_less() -> None:
    modes = Modes(kitty_flags=1)
    assert from_kitty(b"\x1b[97u", modes) == b"a"
    assert from_kitty(b"\x1b[27u", modes) == b"\x1b[27u"
    assert from_kitty(b"\x1b[97;5u", modes) == b"\x1b[97;5u"
    assert from_kitty(b"\x1b[97;5u", Modes(modify_other_keys=2)) == b"\x1b[27;5;97~"


def test_only_forms_of_the_protocol_are_taken_for_it() -> None:
    assert is_kitty(b"\x1b[97u")
    assert is_kitty(b"\x1b[1;1:3A")
    assert not is_kitty(b"\x1b[A")
    assert not is_kitty(b"a")
