from __future__ import annotations

from core.terminal.marks import Mark, PlacedMark
from core.terminal.terminal import Terminal

PROMPT = b"\x1b]133;A\x07$ \x1b]133;B\x07"
SESSION = (
    PROMPT + b"make\r\n\x1b]133;C\x07" + b"one line of output\r\n" * 3
    + b"\x1b]133;D;2\x07" + PROMPT
)  # fmt: skip


def made(rows: int = 4, columns: int = 40) -> Terminal:
    terminal = Terminal(rows, columns, scrollback=100)
    terminal.feed(SESSION)
    return terminal


EXPECTED = [
    PlacedMark(0, Mark("prompt", 0)),
    PlacedMark(0, Mark("command", 2)),
    PlacedMark(1, Mark("output", 0)),
    PlacedMark(4, Mark("end", 0, 2)),
    PlacedMark(4, Mark("prompt", 0)),
    PlacedMark(4, Mark("command", 2)),
]


def test_marks_tell_prompt_command_output_and_status() -> None:
    assert made(10).marks == EXPECTED


def test_marks_go_into_the_history_with_their_lines() -> None:
    terminal = made()
    assert terminal.history_size == 1
    assert terminal.marks == EXPECTED
    terminal.feed(b"x\r\n" * 50)
    assert terminal.marks == EXPECTED


def test_marks_follow_their_text_through_a_change_of_width() -> None:
    terminal = made()
    terminal.resize(4, 10)
    assert [(place.line, place.mark.kind) for place in terminal.marks] == [
        (0, "prompt"), (0, "command"), (1, "output"), (7, "end"), (7, "prompt"), (7, "command"),
    ]  # fmt: skip
    terminal.resize(4, 40)
    assert terminal.marks == EXPECTED


def test_mark_in_a_wrapped_line_goes_to_the_row_its_column_is_in() -> None:
    terminal = Terminal(4, 20)
    terminal.feed(b"0123456789ab\x1b]133;B\x07cd")
    terminal.resize(4, 8)
    assert terminal.marks == [PlacedMark(1, Mark("command", 4))]


def test_marks_are_in_the_checkpoint() -> None:
    terminal = made()
    assert Terminal.restore(terminal.checkpoint()).marks == EXPECTED


def test_cleared_screen_has_no_marks_and_a_redrawn_prompt_one_of_each() -> None:
    terminal = made(10)
    terminal.feed(b"\r\x1b[K" + PROMPT)
    assert [place.mark.kind for place in terminal.marks if place.line == 4] == [
        "end", "prompt", "command",
    ]  # fmt: skip
    terminal.feed(b"\x1b[H\x1b[2J")
    assert terminal.marks == []


def test_alternate_screen_takes_no_marks() -> None:
    terminal = Terminal(4, 20)
    terminal.feed(b"\x1b[?1049h" + PROMPT + b"\x1b[?1049l")
    assert terminal.marks == []


def test_options_of_marks_are_understood() -> None:
    terminal = Terminal(8, 20)
    terminal.feed(
        b"\x1b]133;A;aid=7;cl=m\x07$\r\n\x1b]133;P;k=c\x07\x1b]133;P;k=i\x07>\r\n"
        b"\x1b]133;D;nonsense\x07\r\n\x1b]133;D;99999999999999\x07\r\n\x1b]133;Q\x07\x1b]133\x07"
    )
    assert terminal.marks == [
        PlacedMark(0, Mark("prompt", 0)),
        PlacedMark(1, Mark("prompt", 0)),
        PlacedMark(2, Mark("end", 0)),
        PlacedMark(3, Mark("end", 0)),
    ]


def test_fresh_line_begins_one_only_where_text_stands() -> None:
    terminal = Terminal(4, 20)
    terminal.feed(b"\x1b]133;L\x07a\x1b]133;L\x07b")
    assert terminal.text()[:3] == ["a", "b", ""]
