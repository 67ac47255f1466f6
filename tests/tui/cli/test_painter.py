"""What is painted shows, in another terminal, the screen that was painted."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.terminal.terminal import Terminal
from tui.cli.outer import Switches
from tui.cli.painter import paint

ROWS, COLUMNS = 8, 20

PROGRAMS = {
    "empty": b"",
    "prompt": b"one\r\ntwo\r\n$ ls",
    "scrolled": b"".join(b"line %d\r\n" % n for n in range(50)) + b"$ ",
    "colours": b"\x1b[1;31mred\x1b[0m \x1b[48;5;200mbg \x1b[38;2;1;2;3m\x1b[4:3mrgb\x1b[0;7m rev",
    "background to the edge": b"\x1b[44m\x1b[2Jblue\x1b[K",
    "wide": "日本語 ü e\u0301 ✓".encode(),
    "wrapped": b"x" * 45,
    "wrap pending": b"y" * 20,
    "alternate": b"$ vim\r\n\x1b[?1049h\x1b[H\x1b[2J~\r\n~\x1b[8;1H-- INSERT --\x1b[2;5H",
    "modes": b"\x1b[?1h\x1b=\x1b[?2004h\x1b[?1002;1006h\x1b[?1004h\x1b[?25l\x1b[5 q\x1b[4h",
    "margins": b"\x1b[2;5r\x1b[3;4Habc",
    "saved cursor": b"\x1b[3;7H\x1b[32m\x1b7\x1b[0m\x1b[6;2Hz",
    "line drawing": b"\x1b(0lqk",
    "title": b"\x1b]2;a title\x07$ ",
    "kitty": b"\x1b[>5u\x1b[>4;2m",
    "cursor above text": b"a\r\nb\r\nc\r\nd\x1b[2;1H",
}


def screen(terminal: Terminal) -> tuple[object, ...]:
    cursor = terminal.cursor
    return (
        [line.characters for line in map(terminal.line, range(terminal.rows))],
        [line.attributes for line in map(terminal.line, range(terminal.rows))],
        (cursor.y, cursor.x, terminal.screen.cursor.x, cursor.visible, cursor.shape),
        terminal.modes,
        terminal.screen.cursor.pen,
        terminal.screen.margins,
        terminal.title,
    )


def shown(program: bytes, before: bytes = b"") -> tuple[Terminal, Terminal]:
    inner = Terminal(ROWS, COLUMNS)
    inner.feed(program)
    outer = Terminal(ROWS, COLUMNS)
    outer.feed(before)
    outer.feed(paint(inner, whole=True))
    return inner, outer


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_the_whole_screen_comes_out_the_same(program: bytes) -> None:
    inner, outer = shown(program, b"before\r\n" * 5 + b"\x1b[35mhalf a li")
    assert screen(outer) == screen(inner)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_what_comes_next_lands_where_it_would_have(program: bytes) -> None:
    inner, outer = shown(program)
    for more in (b"next", b"\r\nand\x1b8saved\x1b[1;1Htop\n\n", b"\x1b[?1049lback\r\n"):
        inner.feed(more)
        outer.feed(more)
        assert outer.text() == inner.text()


def test_what_was_in_the_window_goes_to_its_scrollback() -> None:
    _, outer = shown(b"$ ", b"first\r\nsecond")
    history = [outer.history_line(at).text.rstrip() for at in range(outer.history_size)]
    assert history[:2] == ["first", "second"]


def test_a_fresh_screen_begins_where_the_cursor_is() -> None:
    inner = Terminal(ROWS, COLUMNS)
    inner.feed(b"welcome\r\n\x1b[32m$\x1b[0m ")
    outer = Terminal(ROWS, COLUMNS)
    outer.feed(b"user$ distrodeck shell dev\r\n"[:20] + b"\r\n")
    outer.feed(paint(inner, whole=False))
    assert outer.text()[1:3] == ["welcome", "$"]
    assert (outer.cursor.y, outer.cursor.x) == (2, 2)


def test_painting_asks_nothing_and_answers_nothing() -> None:
    inner = Terminal(ROWS, COLUMNS)
    inner.feed(b"\x1b[c\x1b[6n\x1b]11;?\x07\x1b[?u\x1bP$qm\x1b\\\x1b]52;c;aGk=\x07")
    outer = Terminal(ROWS, COLUMNS)
    outer.answering = True
    outer.feed(paint(inner, whole=True))
    assert outer.take_replies() == b""
    assert outer.take_clipboard() == []


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from([*PROGRAMS.values(), b"\r\n", b"\t", b"\x1b[A", b"\x1b[2K", b"\x1b[M"])
        | st.binary(max_size=30),
        max_size=8,
    )
)
def test_no_screen_is_painted_with_anything_but_text_and_known_sequences(parts) -> None:
    inner = Terminal(ROWS, COLUMNS)
    for part in parts:
        inner.feed(part)
    painted = paint(inner, whole=True)
    known = rb"\x1b(\[[0-9;:?<>]*[A-Za-z]|\[[0-9]+ q|[=>7]|[()][ -~]|\]2;[^\x00-\x1f]*\x07)"
    left = re.sub(known, b"", painted)
    assert not re.search(rb"[\x00-\x09\x0b\x0c\x10-\x1f\x7f]", left), left


def test_switches_are_undone_when_a_session_is_left() -> None:
    switches = Switches()
    for piece in (b"\x1b[?10", b"49h\x1b[?1002;1006hx\x1b[?2004h\x1b[?2004l\x1b[>1u\x1b[>4;2m"):
        switches.see(piece)
    undone = switches.undo()
    assert b"\x1b[?1049l" in undone
    assert b"\x1b[?1002l" in undone
    assert b"\x1b[?1006l" in undone
    assert b"\x1b[<1u" in undone
    assert b"\x1b[>4;0m" in undone
    assert b"2004" not in undone


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_leaving_gives_back_a_plain_terminal(program: bytes) -> None:
    switches = Switches()
    outer = Terminal(ROWS, COLUMNS)
    for at in range(len(program)):
        outer.feed(program[at : at + 1])
        switches.see(program[at : at + 1])
    outer.feed(switches.undo())
    plain = Terminal(ROWS, COLUMNS)
    assert outer.modes == plain.modes
    assert outer.cursor.visible
    assert outer.screen.margins is None
