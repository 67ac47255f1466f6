from __future__ import annotations

import pytest

from core.terminal.terminal import Terminal


def screen(data: str, rows: int = 4, columns: int = 10) -> Terminal:
    terminal = Terminal(rows, columns, scrollback=100)
    terminal.feed(data.encode())
    return terminal


def history(terminal: Terminal) -> list[str]:
    return [terminal.history_line(index).text.rstrip() for index in range(terminal.history_size)]


def place(terminal: Terminal) -> tuple[int, int]:
    return terminal.cursor.y, terminal.cursor.x


def test_wrapped_line_flows_to_the_new_width_and_back() -> None:
    terminal = screen("abcdefghijklmno\r\nxyz")
    terminal.resize(4, 5)
    assert terminal.text() == ["abcde", "fghij", "klmno", "xyz"]
    assert place(terminal) == (3, 3)
    terminal.resize(4, 20)
    assert terminal.text() == ["abcdefghijklmno", "xyz", "", ""]
    assert place(terminal) == (1, 3)


def test_line_ended_by_the_program_does_not_flow_into_the_next() -> None:
    terminal = screen("0123456789\r\nab")
    terminal.resize(4, 20)
    assert terminal.text()[:2] == ["0123456789", "ab"]


def test_fewer_rows_push_the_top_into_the_history_and_more_bring_it_back() -> None:
    terminal = screen("a\r\nb\r\nc\r\nd")
    terminal.resize(2, 10)
    assert (history(terminal), terminal.text()) == (["a", "b"], ["c", "d"])
    terminal.resize(4, 10)
    assert (history(terminal), terminal.text()) == ([], ["a", "b", "c", "d"])
    assert place(terminal) == (3, 1)


def test_empty_rows_below_the_cursor_go_first() -> None:
    terminal = screen("a\r\nb")
    terminal.resize(2, 10)
    assert (history(terminal), terminal.text()) == ([], ["a", "b"])


def test_history_flows_too() -> None:
    terminal = screen("abcdefghijklmno\r\n" + "x\r\n" * 6)
    terminal.resize(4, 20)
    assert history(terminal)[0] == "abcdefghijklmno"
    terminal.resize(4, 5)
    assert history(terminal)[:3] == ["abcde", "fghij", "klmno"]


def test_wide_characters_are_never_cut_in_half() -> None:
    terminal = screen("漢字漢字漢")
    terminal.resize(4, 5)
    assert terminal.text() == ["漢字", "漢字", "漢", ""]
    terminal.resize(4, 10)
    assert terminal.text()[0] == "漢字漢字漢"


def test_looks_flow_with_their_characters() -> None:
    terminal = screen("abcdefgh\x1b[31mij\x1b[mkl")
    terminal.resize(4, 9)
    assert terminal.line(0).attributes[8].foreground == 1
    assert terminal.line(1).attributes[0].foreground == 1
    assert terminal.line(1).attributes[1].foreground is None


def test_alternate_screen_is_cut_and_the_primary_flows_behind_it() -> None:
    terminal = screen("abcdefghijklmno\x1b[?1049h\x1b[Hfull screen")
    terminal.resize(4, 5)
    assert terminal.text()[0] == "full "[:5].rstrip()
    terminal.resize(4, 20)
    terminal.feed(b"\x1b[?1049l!")
    assert terminal.text()[0] == "abcdefghijklmno!"


def test_margins_and_tab_stops_fit_the_new_size() -> None:
    terminal = screen("\x1b[2;3r")
    terminal.resize(6, 30)
    terminal.feed(b"\x1b[6;1H\n\ta\tb\tc")
    assert terminal.text()[5] == "        a       b       c"


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1), (0, -5), (4, 2)])
def test_any_size_is_survived(size: tuple[int, int]) -> None:
    terminal = screen("漢字 abc\r\n" * 9 + "\x1b[?1049hx\x1b[?1049l")
    terminal.resize(*size)
    terminal.feed("漢x\r\n\x1b[5;5Hy".encode())
    terminal.resize(4, 10)
    assert len(terminal.text()) == 4
