"""Motions by word, line and paragraph, over wrapped lines and wide characters."""

from __future__ import annotations

import pytest

from core.terminal import motions
from core.terminal.lines import Position
from core.terminal.terminal import Terminal

#         0123456789
TEXT = "one  two.x\r\n  three\r\n\r\n漢字 a_b\r\nwrapped li|ne end\r\n"


@pytest.fixture
def terminal() -> Terminal:
    terminal = Terminal(8, 10)
    terminal.feed(TEXT.replace("|", "").encode())
    return terminal


@pytest.mark.parametrize(
    ("motion", "start", "end"),
    [
        ("left", (0, 2), (0, 1)),
        ("left", (0, 0), (0, 0)),
        ("left", (3, 2), (3, 0)),
        ("right", (3, 0), (3, 2)),
        ("right", (0, 9), (0, 9)),
        ("right", (1, 6), (1, 6)),
        ("line_start", (5, 3), (4, 0)),
        ("text_start", (1, 6), (1, 2)),
        ("text_start", (2, 0), (2, 0)),
        ("line_end", (4, 0), (5, 5)),
        ("line_end", (0, 0), (0, 9)),
        ("next_word", (0, 0), (0, 5)),
        ("next_word", (0, 5), (0, 8)),
        ("next_word", (0, 8), (0, 9)),
        ("next_word", (0, 9), (1, 2)),
        ("next_word", (1, 2), (3, 0)),
        ("next_word", (3, 0), (3, 5)),
        ("next_word", (4, 8), (5, 3)),
        ("word_end", (0, 0), (0, 2)),
        ("word_end", (0, 2), (0, 7)),
        ("word_end", (0, 9), (1, 6)),
        ("word_end", (4, 8), (5, 1)),
        ("word_end", (3, 0), (3, 2)),
        ("previous_word", (5, 3), (4, 8)),
        ("previous_word", (5, 1), (4, 8)),
        ("previous_word", (3, 0), (1, 2)),
        ("previous_word", (1, 2), (0, 9)),
        ("previous_word", (0, 1), (0, 0)),
    ],
)
def test_motion(
    terminal: Terminal, motion: str, start: tuple[int, int], end: tuple[int, int]
) -> None:
    assert getattr(motions, motion)(terminal, Position(*start)) == end


def test_paragraphs_are_divided_by_empty_lines(terminal: Terminal) -> None:
    assert motions.paragraph(terminal, Position(5, 0), -1) == (2, 0)
    assert motions.paragraph(terminal, Position(2, 0), -1) == (0, 0)
    assert motions.paragraph(terminal, Position(0, 0), 1) == (2, 0)


def test_a_word_that_wraps_is_whole(terminal: Terminal) -> None:
    assert motions.word_around(terminal, Position(5, 1)) == ((4, 8), (5, 1))


def test_joining_characters_make_words_longer(terminal: Terminal) -> None:
    assert motions.word_around(terminal, Position(0, 6)) == ((0, 5), (0, 7))
    assert motions.word_around(terminal, Position(0, 6), ".") == ((0, 5), (0, 9))


def test_blanks_are_a_word_of_their_line(terminal: Terminal) -> None:
    assert motions.word_around(terminal, Position(0, 3)) == ((0, 3), (0, 4))


def test_a_cursor_settles_on_text(terminal: Terminal) -> None:
    assert motions.settle(terminal, Position(1, 9)) == (1, 6)
    assert motions.settle(terminal, Position(3, 1)) == (3, 0)
    assert motions.settle(terminal, Position(99, 3)) == (7, 0)
    assert motions.settle(terminal, Position(-5, 2)) == (0, 2)
