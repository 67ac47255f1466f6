"""Text of a selection is what a person expects to paste."""

from __future__ import annotations

from core.terminal.lines import Position
from core.terminal.selection import Selection, Shape
from core.terminal.terminal import Terminal


def selected(
    data: bytes, start: tuple[int, int], end: tuple[int, int], shape: Shape = "characters"
) -> str:
    terminal = Terminal(5, 10)
    terminal.feed(data)
    return Selection(Position(*start), Position(*end), shape).text(terminal)


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


def test_half_a_wide_character_takes_all_of_it() -> None:
    text = "a表b表c".encode()
    assert selected(text, (0, 2), (0, 4)) == "表b表"


def test_a_rectangle_is_a_line_for_each_row() -> None:
    text = b"0123\r\nab\r\nABCDEF"
    assert selected(text, (0, 1), (2, 2), "block") == "12\nb\nBC"
    assert selected(text, (2, 1), (0, 2), "block") == "12\nb\nBC"


def test_a_rectangle_does_not_join_wrapped_lines() -> None:
    assert selected(b"0123456789abcdef", (0, 1), (1, 2), "block") == "12\nbc"


def test_whole_lines_end_like_lines() -> None:
    assert selected(b"one\r\ntwo\r\nthree", (0, 2), (1, 0), "lines") == "one\ntwo\n"


def test_a_line_that_wrapped_early_has_no_blank_inside() -> None:
    text = "aaaaaaaaa表bb".encode()
    assert selected(text, (0, 0), (1, 9)) == "aaaaaaaaa表bb"
