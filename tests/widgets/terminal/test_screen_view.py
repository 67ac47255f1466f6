"""What is seen of a terminal, and how little of it is drawn again."""

from __future__ import annotations

import pytest
from rich.color import Color

from core.terminal.lines import Position
from core.terminal.selection import Selection
from core.terminal.terminal import Terminal
from widgets.terminal.palette import Palette
from widgets.terminal.screen_view import ScreenView

INK = Color.from_rgb(200, 200, 200)
PAPER = Color.from_rgb(0, 0, 0)


@pytest.fixture
def view() -> ScreenView:
    view = ScreenView(Terminal(5, 20, scrollback=100), Palette(INK, PAPER))
    view.resize(20, 5)
    view.focused = True
    view.locate()
    show(view)
    return view


def show(view: ScreenView) -> list[int]:
    """Paint as the pane does; the rows that were drawn."""
    rows = view.changed_rows()
    for row in rows:
        view.draw(row)
    return rows


def text(view: ScreenView) -> list[str]:
    return [view.draw(y).text.rstrip() for y in range(view.height)]


def test_a_typed_character_draws_one_row(view: ScreenView) -> None:
    view.terminal.feed(b"a")
    assert show(view) == [0]


def test_a_moved_cursor_draws_the_row_it_left_and_the_row_it_reached(view: ScreenView) -> None:
    view.terminal.feed(b"\x1b[4;1H")
    assert show(view) == [0, 3]


def test_nothing_new_draws_nothing(view: ScreenView) -> None:
    assert show(view) == []


def test_a_full_redraw_of_the_same_screen_draws_nothing(view: ScreenView) -> None:
    frame = b"\x1b[2J\x1b[H\x1b[31mone\x1b[m\r\ntwo\r\nthree\x1b[H"
    view.terminal.feed(frame)
    assert show(view) == [0, 1, 2]
    view.terminal.feed(frame)
    assert show(view) == []


def test_a_colour_alone_draws_the_row_again(view: ScreenView) -> None:
    view.terminal.feed(b"same\x1b[5;1H")
    show(view)
    view.terminal.feed(b"\x1b[1;1H\x1b[32msame\x1b[5;1H")
    assert show(view) == [0]


def test_wide_characters_take_their_columns(view: ScreenView) -> None:
    view.terminal.feed("表🐧x".encode())
    show(view)
    assert view.draw(0).text.startswith("表🐧x")
    assert view.draw(0).cell_length == 20
    assert sum(segment.cell_length for segment in view.draw(0)) == 20


def test_the_cursor_on_a_wide_character_covers_all_of_it(view: ScreenView) -> None:
    view.terminal.feed("表\x1b[1;2H".encode())
    show(view)
    first = next(iter(view.draw(0)))
    assert first.text == "表"
    assert first.style
    assert first.style.bgcolor == INK


def test_an_unfocused_cursor_looks_different_and_a_hidden_one_is_not_drawn(
    view: ScreenView,
) -> None:
    focused = next(iter(view.draw(0))).style
    view.focused = False
    assert show(view) == [0]
    assert next(iter(view.draw(0))).style != focused
    view.terminal.feed(b"\x1b[?25l")
    show(view)
    assert len(list(view.draw(0))) == 1


def test_lines_read_further_up_stay_where_they_are(view: ScreenView) -> None:
    view.terminal.feed(b"".join(b"%d\r\n" % n for n in range(20)))
    show(view)
    view.scroll(6)
    show(view)
    before = text(view)
    assert before[1:] == ["11", "12", "13", "14"]
    assert before[0].startswith("10")
    assert before[0].endswith("6/16")
    view.terminal.feed(b"20\r\n21\r\n")
    show(view)
    assert text(view)[1:] == before[1:]
    assert text(view)[0].endswith("8/18")


def test_scrolling_stops_at_both_ends(view: ScreenView) -> None:
    view.terminal.feed(b"".join(b"%d\r\n" % n for n in range(20)))
    assert view.scroll(1000)
    assert not view.scroll(1)
    assert view.back == 16
    assert view.scroll(-1000)
    assert not view.scroll(-1)
    assert view.back == 0


def test_a_lower_window_shows_the_part_with_the_cursor(view: ScreenView) -> None:
    view.terminal.feed(b"1\r\n2\r\n3\r\n4\r\n5")
    view.resize(20, 2)
    view.locate()
    assert text(view) == ["4", "5"]
    view.terminal.feed(b"\x1b[H")
    show(view)
    assert text(view) == ["1", "2"]


def test_a_larger_window_is_blank_around_the_screen(view: ScreenView) -> None:
    view.terminal.feed(b"x")
    view.resize(30, 8)
    view.locate()
    assert text(view) == ["x", "", "", "", "", "", "", ""]
    assert all(view.draw(y).cell_length == 30 for y in range(8))


def test_the_note_stands_below_the_last_output(view: ScreenView) -> None:
    view.terminal.feed(b"logout\r\n")
    view.note = "[exited with 0]"
    show(view)
    assert text(view)[:3] == ["logout", "[exited with 0]", ""]


def test_the_note_covers_the_last_row_of_a_full_screen(view: ScreenView) -> None:
    view.terminal.feed(b"1\r\n2\r\n3\r\n4\r\n5")
    view.note = "[exited with 0]"
    show(view)
    assert text(view) == ["1", "2", "3", "4", "[exited with 0]"]


def test_a_selection_is_drawn_in_exchanged_colours(view: ScreenView) -> None:
    view.terminal.feed(b"one two\x1b[5;1H")
    show(view)
    view.selection = Selection(Position(0, 4), Position(0, 6))
    view.changed_rows()
    marked = [segment for segment in view.draw(0) if segment.style and segment.style.bgcolor == INK]
    assert [segment.text for segment in marked] == ["two"]


def test_a_row_drawn_for_a_neighbour_is_still_reported(view: ScreenView) -> None:
    view.changed_rows()
    view.terminal.feed(b"news")
    view.draw(0)
    assert 0 in view.changed_rows()


def test_a_row_that_went_there_and_back_is_reported(view: ScreenView) -> None:
    view.changed_rows()
    view.draw(0)
    view.terminal.feed(b"\x1b[?25l\x1b[Hnews")
    view.draw(0)
    view.terminal.feed(b"\x1b[2J")
    assert 0 in view.changed_rows()
