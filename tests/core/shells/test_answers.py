"""The two queries that a holder answers itself."""

from __future__ import annotations

import pytest

from core.shells.answers import Answerer
from core.terminal.terminal import Terminal

CASES = {
    b"": b"",
    b"plain text": b"",
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[0c": b"\x1b[?62;22c",
    b"\x1b[5n": b"\x1b[0n",
    b"\x1b[5n then \x1b[c": b"\x1b[0n\x1b[?62;22c",
    b"\x1b[c\x1b[c": b"\x1b[?62;22c" * 2,
    b"\x1b[>c\x1b[6n\x1b[1c": b"",
}


@pytest.mark.parametrize("output", CASES)
def test_queries_are_answered_once_wherever_they_are_cut(output: bytes) -> None:
    assert Answerer().feed(output) == CASES[output]
    single = Answerer()
    assert b"".join(single.feed(bytes([byte])) for byte in output) == CASES[output]


@pytest.mark.parametrize("query", [b"\x1b[c", b"\x1b[5n"])
def test_the_answers_are_those_of_the_emulator(query: bytes) -> None:
    terminal = Terminal(24, 80)
    terminal.answering = True
    terminal.feed(query)
    assert terminal.take_replies() == CASES[query]
