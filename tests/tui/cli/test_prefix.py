"""The prefix key, however the terminal and the network spell it."""

from __future__ import annotations

import pytest

from tui.cli.prefix import Prefix, Typed


def test_anything_else_passes_unchanged() -> None:
    data = bytes(value for value in range(256) if value != 0x1D)
    assert Prefix().feed(data) == Typed(data)


def test_what_stands_before_the_prefix_is_not_lost() -> None:
    assert Prefix().feed(b"exit\r\x1dd rest") == Typed(b"exit\r", detach=True)


def test_the_prefix_is_remembered_between_reads() -> None:
    prefix = Prefix()
    assert prefix.feed(b"a\x1d") == Typed(b"a")
    assert prefix.feed(b"") == Typed(b"")
    assert prefix.feed(b"D") == Typed(b"", detach=True)


def test_twice_is_one_literal() -> None:
    prefix = Prefix()
    assert prefix.feed(b"\x1d\x1db") == Typed(b"\x1db")
    assert prefix.feed(b"d") == Typed(b"d")


def test_another_key_cancels_and_rings() -> None:
    prefix = Prefix()
    assert prefix.feed(b"\x1dx") == Typed(b"", bell=True)
    assert prefix.feed(b"d") == Typed(b"d")


@pytest.mark.parametrize(
    "keys",
    [
        b"\x1b[93;5ud",
        b"\x1b[93;5u\x1b[93;5:3u\x1b[100u",
        b"\x1b[93:125;5:1u\x1b[100;1:1u",
        b"\x1b[27;5;93~d",
    ],
)
def test_keyboard_protocols_are_understood(keys: bytes) -> None:
    assert Prefix().feed(b"x" + keys) == Typed(b"x", detach=True)
