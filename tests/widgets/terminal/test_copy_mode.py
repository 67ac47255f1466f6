"""Looking back with the keyboard: the state, without an application."""

from __future__ import annotations

import pytest

from core.terminal.lines import Position
from core.terminal.search import compile_pattern
from core.terminal.terminal import Terminal
from widgets.terminal.copy_keys import COMMANDS
from widgets.terminal.copy_mode import CopyMode

SESSION = (
    "\x1b]133;A\x07$ \x1b]133;B\x07make\r\n\x1b]133;C\x07cc one.c\r\ncc two.c\r\n\x1b]133;D;0\x07"
    "\x1b]133;A\x07$ \x1b]133;B\x07true\r\n\x1b]133;C\x07\x1b]133;D;0\x07"
    "\x1b]133;A\x07$ \x1b]133;B\x07pwd\r\n\x1b]133;C\x07/root\r\n\x1b]133;D;0\x07"
    "\x1b]133;A\x07$ \x1b]133;B\x07"
)


def copy_mode(data: str, rows: int = 5, columns: int = 20) -> CopyMode:
    terminal = Terminal(rows, columns, scrollback=100)
    terminal.feed(data.encode())
    return CopyMode(terminal, terminal.screen_line, rows)


def numbered(count: int) -> str:
    return "".join(f"{number} line\r\n" for number in range(count))


def press(mode: CopyMode, *keys: str) -> bool:
    done = True
    for key in keys:
        done = mode.type_digit(key) or mode.carry_out(COMMANDS[key])
    return done


def test_it_begins_at_the_programs_cursor_on_the_last_screen() -> None:
    mode = copy_mode(numbered(20) + "prompt")
    assert mode.cursor == (20, 5)
    assert (mode.back, mode.depth) == (0, 16)


def test_moving_up_past_the_window_scrolls() -> None:
    mode = copy_mode(numbered(20))
    press(mode, *"kkkkkk")
    assert (mode.cursor.line, mode.top, mode.back) == (14, 14, 2)


def test_a_count_repeats_a_motion() -> None:
    mode = copy_mode(numbered(40))
    press(mode, "1", "2", "k")
    assert mode.cursor.line == 28
    press(mode, "0")
    assert mode.cursor.column == 0


def test_the_column_comes_back_after_a_short_line() -> None:
    mode = copy_mode("long line\r\nx\r\nanother long line")
    mode.go(Position(0, 7))
    press(mode, "j")
    assert mode.cursor == (1, 0)
    press(mode, "j")
    assert mode.cursor == (2, 7)


@pytest.mark.parametrize(
    ("keys", "line", "back"),
    [
        (["g"], 0, 36),
        (["g", "G"], 40, 0),
        (["ctrl+u"], 38, 2),
        (["ctrl+b"], 37, 3),
        (["ctrl+b", "ctrl+f"], 40, 0),
        (["ctrl+u", "ctrl+u", "ctrl+d"], 38, 2),
        (["H"], 36, 0),
        (["M"], 38, 0),
        (["H", "L"], 40, 0),
    ],
)
def test_jumps(keys: list[str], line: int, back: int) -> None:
    mode = copy_mode(numbered(40))
    press(mode, *keys)
    assert (mode.cursor.line, mode.back) == (line, back)


def test_what_is_marked_follows_the_cursor_and_is_unmarked_by_the_same_key() -> None:
    mode = copy_mode("one two\r\nthree four")
    mode.go(Position(0, 4))
    press(mode, "v", "w")
    assert mode.text() == "two\nt"
    press(mode, "V")
    assert mode.text() == "one two\nthree four\n"
    press(mode, "ctrl+v")
    assert mode.text() == "one t\nthree"
    press(mode, "ctrl+v")
    assert mode.text() == ""


def test_prompts_are_found_by_their_marks() -> None:
    mode = copy_mode(SESSION, rows=10)
    assert mode.cursor.line == 6
    places = []
    for _ in range(3):
        press(mode, "left_curly_bracket")
        places.append(mode.cursor.line)
    assert places == [4, 3, 0]
    press(mode, "right_curly_bracket")
    assert mode.cursor.line == 3


def test_without_marks_paragraphs_are() -> None:
    mode = copy_mode("one\r\n\r\ntwo\r\nthree")
    press(mode, "left_curly_bracket")
    assert mode.cursor.line == 1


def test_o_marks_what_the_last_command_wrote_and_then_the_one_before() -> None:
    mode = copy_mode(SESSION, rows=10)
    assert press(mode, "o")
    assert mode.text() == "/root"
    assert press(mode, "o")
    assert mode.text() == "cc one.c\ncc two.c"
    assert not press(mode, "o")


def test_o_marks_what_a_command_wrote_so_far() -> None:
    mode = copy_mode("\x1b]133;A\x07$ make\r\n\x1b]133;C\x07cc one.c\r\ncc t")
    assert press(mode, "o")
    assert mode.text() == "cc one.c\ncc t"


def test_o_without_marks_finds_nothing() -> None:
    assert not press(copy_mode("$ make\r\ncc one.c\r\n"), "o")


def test_matches_of_the_window_are_known_by_line() -> None:
    mode = copy_mode("one line that wraps here\r\nline")
    mode.pattern = compile_pattern("line", regex=False)
    assert [(m.start, m.end) for m in mode.matches_at(0)] == [((0, 4), (0, 7))]
    assert [m.start for m in mode.matches_at(2)] == [(2, 0)]
    mode.pattern = compile_pattern("wraps here", regex=False)
    assert mode.matches_at(0) == mode.matches_at(1) != []


def test_a_change_of_size_keeps_cursor_and_what_is_marked_on_their_text() -> None:
    mode = copy_mode(numbered(30) + "a long line that will wrap\r\nend", columns=40)
    mode.go(Position(30, 7))
    press(mode, "v", "e")
    before = mode.text()
    mode.resize(5, 8)
    assert mode.text() == before == "line"
    assert mode.top <= mode.cursor.line < mode.top + 5
    mode.resize(9, 60)
    assert mode.text() == before


def test_links_are_found_upwards() -> None:
    mode = copy_mode(
        "see https://example.com/a, or\r\n"
        "\x1b]8;;https://example.com/b\x07this\x1b]8;;\x07 one\r\n",
        columns=60,
    )
    press(mode, "u")
    assert mode.cursor == (1, 0)
    press(mode, "u")
    assert mode.cursor == (0, 4)
    assert not press(mode, "u")
