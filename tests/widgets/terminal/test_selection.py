"""Text of a selection is what a person expects to paste."""

from __future__ import annotations

from core.terminal.terminal import Terminal
from widgets.terminal.selection import Selection


def selected(data: bytes, start: tuple[int, int], end: tuple[int, int]) -> str:
    terminal = Terminal(5, 10)
    terminal.feed(data)
    lines = {y: terminal.line(y) for y in range(5)}
    return Selection(start, end).text(lines.get)


def test_part_of_a_line() -> None:
    assert selected(b"one two", (0, 4), (0, 6)) == "two"


def test_direction_does_not_matter() -> None:
    assert selected(b"one two", (0, 6), (0, 4)) == "two"


def test_lines_lose_the_blanks_at_their_ends() -> None:
    assert selected(b"one\r\n two", (0, 1), (1, 9)) == "ne\n two"


def test_a_wrapped_line_comes_in_one_piece() -> None:
    assert selected(b"0123456789abc\r\nx", (0, 0), (2, 0)) == "0123456789abc\nx"


def test_wide_characters_are_whole() -> None:
    assert selected("表x".encode(), (0, 0), (0, 2)) == "表x"
