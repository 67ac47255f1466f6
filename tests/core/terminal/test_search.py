"""What is found, in which order, and how smart about case."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from core.terminal.lines import Position
from core.terminal.lookback import Lookback
from core.terminal.search import Match, compile_pattern, search
from core.terminal.terminal import Terminal


@pytest.fixture
def terminal() -> Terminal:
    terminal = Terminal(4, 10, scrollback=100)
    terminal.feed(b"make one\r\nMake two\r\nxxxx a long line\r\nmake mk\r\n3\r\n4\r\n5\r\n")
    return terminal


def found(
    terminal: Terminal | Lookback,
    text: str,
    start: tuple[int, int] = (0, -1),
    direction: int = 1,
    *,
    regex: bool = False,
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    pattern = compile_pattern(text, regex=regex)
    matches = search(terminal, pattern, Position(*start), 1 if direction > 0 else -1)
    return [(tuple(match.start), tuple(match.end)) for match in matches if match]  # type: ignore[misc]


def test_small_letters_find_capitals(terminal: Terminal) -> None:
    assert found(terminal, "make") == [((0, 0), (0, 3)), ((1, 0), (1, 3)), ((4, 0), (4, 3))]


def test_a_capital_finds_only_itself(terminal: Terminal) -> None:
    assert found(terminal, "Make") == [((1, 0), (1, 3))]


def test_a_capital_in_an_escape_is_no_capital(terminal: Terminal) -> None:
    assert len(found(terminal, r"^m\Ske", regex=True)) == 3


def test_text_is_not_a_regular_expression(terminal: Terminal) -> None:
    assert found(terminal, "m.k") == []
    assert found(terminal, "m.k", regex=True) == [
        ((0, 0), (0, 2)),
        ((1, 0), (1, 2)),
        ((4, 0), (4, 2)),
    ]


def test_backwards_begins_with_the_nearest(terminal: Terminal) -> None:
    assert found(terminal, "ma", (4, 0), -1) == [((1, 0), (1, 1)), ((0, 0), (0, 1))]


def test_a_wrapped_line_is_one(terminal: Terminal) -> None:
    assert found(terminal, "long line") == [((2, 7), (3, 5))]
    assert found(terminal, "long line", (9, 0), -1) == [((2, 7), (3, 5))]


def test_matches_begin_after_the_start_also_in_its_line(terminal: Terminal) -> None:
    assert found(terminal, "x", (2, 1)) == [((2, 2), (2, 2)), ((2, 3), (2, 3))]
    assert found(terminal, "x", (2, 1), -1) == [((2, 0), (2, 0))]


def test_wide_characters_are_found_where_they_stand() -> None:
    terminal = Terminal(4, 10)
    terminal.feed("漢字 test 漢字".encode())
    assert found(terminal, "test") == [((0, 5), (0, 8))]
    assert found(terminal, "字") == [((0, 2), (0, 2)), ((1, 2), (1, 2))]


def test_empty_matches_are_none(terminal: Terminal) -> None:
    assert found(terminal, "q*", regex=True) == []


def test_a_search_pauses_after_each_line(terminal: Terminal) -> None:
    pattern = compile_pattern("nowhere", regex=False)
    assert list(search(terminal, pattern, Position(0, 0), 1)) == [None] * 8


def test_ranges_stay_right_when_output_goes_on_between_two_steps(terminal: Terminal) -> None:
    steps = search(terminal, compile_pattern("make", regex=False), Position(0, -1), 1)
    assert next(steps) == Match(Position(0, 0), Position(0, 3))
    terminal.feed(b"more\r\n" * 20)
    later = next(step for step in steps if step)
    line = terminal.line_at(later.start.line)
    assert line is not None
    assert line.text.startswith("Make")


def test_a_search_survives_lines_that_fall_out_of_the_history() -> None:
    terminal = Terminal(4, 10, scrollback=10)
    terminal.feed(b"".join(b"%d\r\n" % n for n in range(30)))
    steps = search(terminal, compile_pattern("1", regex=False), Position(29, 0), -1)
    next(steps)
    terminal.feed(b"x\r\n" * 50)
    assert not any(steps)


@pytest.mark.parametrize("text", ["(", "[a", "*", "a" * 2000, "(?P<x>a)(?P<x>b)"], ids=range(5))
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        compile_pattern(text, regex=True)


def test_a_whole_history_is_searched(terminal: Terminal) -> None:
    deep = Terminal(24, 120, scrollback=10_000)
    deep.feed(b"needle\r\n" + b"".join(b"line %d of hay\r\n" % n for n in range(10_030)))
    deep.feed(b"needle\r\n")
    still = Lookback(deep)
    assert len(found(still, "needle")) == 1
    assert (
        len(found(still, "hay", (still.end_line, 0), -1)) == still.end_line - still.first_line - 2
    )
