"""Lines keep their numbers, a lookback stands still, and wrapped lines are one."""

from __future__ import annotations

import pytest

from core.terminal.lines import Position
from core.terminal.lookback import Lookback, first_row, logical_line
from core.terminal.terminal import Terminal


def fed(data: str, rows: int = 4, columns: int = 10, scrollback: int = 100) -> Terminal:
    terminal = Terminal(rows, columns, scrollback=scrollback)
    terminal.feed(data.encode())
    return terminal


def text_at(terminal: Terminal | Lookback, number: int) -> str | None:
    line = terminal.line_at(number)
    return None if line is None else line.text.rstrip()


def numbered(count: int) -> str:
    return "".join(f"{number}\r\n" for number in range(count))


def test_a_line_keeps_its_number_while_it_scrolls_away() -> None:
    terminal = fed("first\r\nsecond\r\n")
    terminal.feed(numbered(50).encode())
    assert text_at(terminal, 1) == "second"
    assert (terminal.first_line, terminal.end_line) == (0, 53)


def test_a_line_that_fell_out_of_the_history_is_gone_and_the_others_keep_their_numbers() -> None:
    terminal = fed(numbered(50), scrollback=10)
    assert terminal.first_line == 37
    assert text_at(terminal, 36) is None
    assert text_at(terminal, 37) == "37"
    assert text_at(terminal, 49) == "49"
    assert text_at(terminal, terminal.end_line) is None


def test_ed_3_forgets_the_history_leaves_the_screen_and_the_numbers() -> None:
    terminal = fed(numbered(20))
    before = terminal.text()
    terminal.feed(b"\x1b[3J")
    assert terminal.history_size == 0
    assert terminal.text() == before
    assert text_at(terminal, 19) == "19"
    assert terminal.first_line == terminal.screen_line == 17


def test_only_what_leaves_the_top_of_the_primary_screen_is_kept() -> None:
    below = fed("title\x1b[2;4r\x1b[4;1H" + "\r\nx" * 20)
    assert below.history_size == 0
    above = fed("\x1b[1;3r\x1b[3;1H" + "\r\nx" * 20)
    assert above.history_size == 20
    other = fed("\x1b[?1049h" + numbered(20))
    assert other.history_size == 0


def test_the_alternate_screen_has_no_lines_above_it() -> None:
    terminal = fed(numbered(20) + "\x1b[?1049h\x1b[Hprogram")
    assert terminal.first_line == terminal.screen_line
    assert text_at(terminal, terminal.first_line) == "program"
    assert Lookback(terminal).first_line == terminal.first_line


def test_a_lookback_stands_still() -> None:
    terminal = fed(numbered(20), scrollback=10)
    still = Lookback(terminal)
    before = [text_at(still, number) for number in range(still.first_line, still.end_line)]
    terminal.feed(b"\x1b[2J\x1b[H" + numbered(100).encode())
    terminal.resize(8, 40)
    after = [text_at(still, number) for number in range(still.first_line, still.end_line)]
    assert before == after
    assert before[0] == "7"
    assert before[-2] == "19"


@pytest.mark.parametrize("columns", [3, 5, 7, 9, 13, 40])
def test_places_stay_with_their_characters_when_lines_flow(columns: int) -> None:
    written = "abcdefghijklmno\r\nAB\r\n漢字かな交じりxyz\r\n" + numbered(4) + "0123456789ABCDEFG"
    terminal = fed(written)
    points, expected = [], []
    for number in range(terminal.end_line):
        line = terminal.line_at(number)
        assert line is not None
        for column, character in enumerate(line.characters):
            if character.strip():
                points.append(Position(number, column))
                expected.append(character)
    still = Lookback(terminal)
    for lines, moved in (
        (terminal, terminal.resize(4, columns, points)),
        (still, still.resize(4, columns, points)),
    ):
        found = []
        for number, column in moved:
            line = lines.line_at(number)
            assert line is not None
            found.append(line.characters[column])
        assert found == expected


def test_places_keep_their_numbers_when_only_the_height_changes() -> None:
    terminal = fed(numbered(20))
    points = [Position(3, 0), Position(18, 1)]
    assert terminal.resize(8, 10, points) == points
    assert text_at(terminal, 18) == "18"
    assert terminal.resize(2, 10, points) == points
    assert text_at(terminal, 18) == "18"


def test_places_on_the_primary_screen_flow_behind_the_alternate_one() -> None:
    terminal = fed("abcdefghijklmno\x1b[?1049h")
    (moved,) = terminal.resize(4, 5, [Position(1, 2)])
    terminal.feed(b"\x1b[?1049l")
    line = terminal.line_at(moved.line)
    assert line is not None
    assert line.characters[moved.column] == "m"


def test_scrolled_counts_lines_between_two_looks() -> None:
    terminal = fed(numbered(20))
    terminal.take_dirty()
    terminal.feed(b"a\r\nb\r\n")
    assert terminal.take_dirty().scrolled == 2
    terminal.resize(8, 12)
    assert terminal.take_dirty().scrolled == 0


def test_a_logical_line_knows_its_cells() -> None:
    terminal = fed("漢字e\u0301漢字漢字x")
    line = logical_line(terminal, 0)
    assert line is not None
    assert line.text == "漢字e\u0301漢字漢字x"
    for offset, character in enumerate(line.text):
        position = line.position(offset)
        row = terminal.line_at(position.line)
        assert row is not None
        assert character in row.characters[position.column]
        assert line.text[line.offset(position)] == row.characters[position.column][0]
    assert line.end == 2
    assert first_row(terminal, 1) == 0


def test_the_right_half_of_a_wide_character_is_its_character() -> None:
    line = logical_line(fed("a漢b"), 0)
    assert line is not None
    assert line.offset(Position(0, 2)) == 1
    assert line.offset(Position(0, 3)) == 2
    assert line.offset(Position(0, 9)) >= len(line.text)
