"""A terminal that only watches must not answer in the controller's place."""

from __future__ import annotations

import pytest

from core.terminal.terminal import Terminal
from tui.cli.answers import without_answers

QUERIES = (
    b"\x1b[c\x1b[>c\x1b[=c\x1b[5n\x1b[6n\x1b[?6n\x1b[?2004$p\x1b[4$p\x1b[?u\x1b[>q"
    b"\x1b]11;?\x07\x1b]4;1;?\x1b\\\x1bP$qm\x1b\\\x1bP+q544e\x1b\\\x1b[18t"
)


def test_everything_an_emulator_answers_is_recognised() -> None:
    terminal = Terminal(24, 80)
    terminal.answering = True
    terminal.feed(QUERIES)
    answers = terminal.take_replies()
    assert answers.count(b"\x1b") >= 12
    assert without_answers(b"ls" + answers + b"\r") == b"ls\r"


@pytest.mark.parametrize(
    "keys",
    [b"text\r", b"\x1b", b"\x1b[A", b"\x1bOA", b"\x1b[1;5C", b"\x1b[3~", b"\x1b[200~p\x1b[201~"],
)
def test_keys_are_kept(keys: bytes) -> None:
    assert without_answers(keys) == keys


def test_focus_does_not_take_control() -> None:
    assert without_answers(b"\x1b[I\x1b[O") == b""
