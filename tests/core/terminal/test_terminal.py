from __future__ import annotations

import subprocess
import sys
import time

import pytest

from core.terminal.terminal import Terminal


def fed(data: str | bytes, rows: int = 4, columns: int = 10) -> Terminal:
    terminal = Terminal(rows, columns, scrollback=100)
    terminal.answering = True
    terminal.feed(data.encode() if isinstance(data, str) else data)
    return terminal


def place(terminal: Terminal) -> tuple[int, int]:
    return terminal.cursor.y, terminal.cursor.x


@pytest.mark.parametrize(
    ("data", "rows", "cursor"),
    [
        ("ab\x1b[2Dx", ["xb"], (0, 1)),
        ("0123456789", ["0123456789"], (0, 9)),
        ("0123456789x", ["0123456789", "x"], (1, 1)),
        ("0123456789\bx", ["01234567x9"], (0, 9)),
        ("0123456789\x1b[mx", ["0123456789", "x"], (1, 1)),
        ("0123456789\rx", ["x123456789"], (0, 1)),
        ("0123456789\x1b[Kx", ["012345678x"], (0, 9)),
        ("\x1b[?7l0123456789xy", ["012345678y"], (0, 9)),
        ("漢字", ["漢字"], (0, 4)),
        ("012345678漢", ["012345678", "漢"], (1, 2)),
        ("漢字\x1b[2Gx", [" x字"], (0, 2)),
        ("漢字\x1b[3Gx", ["漢x"], (0, 3)),
        ("漢字\x1b[1Gab", ["ab字"], (0, 2)),
        ("漢字\x1b[2G\x1b[P", [" 字"], (0, 1)),
        ("e\u0301\u200bx\u200dy", ["e\u0301\u200bx\u200dy"], (0, 3)),
        ("กำ\u0e35x", ["กำ\u0e35x"], (0, 3)),
        ("❤\ufe0fx", ["❤\ufe0fx"], (0, 2)),
        ("\x1b[?2027h❤\ufe0fx", ["❤\ufe0fx"], (0, 3)),
        ("\x1b[?2027h👨\u200d👩x", ["👨\u200d👩x"], (0, 3)),
        ("\x1b[?2027h🇩🇪🇩🇪", ["🇩🇪🇩🇪"], (0, 4)),
        ("a\x1b[3bx", ["aaaax"], (0, 5)),
        ("\x1b(0lqk\x1b(Bq", ["┌─┐q"], (0, 4)),
        ("\x1b)0\x0ex\x0fx", ["│x"], (0, 2)),
        ("a\tb", ["a       b"], (0, 9)),
        ("\x1b[2Ia\x1b[Zb", ["        ba"], (0, 9)),
        ("\x1b[3Ga\x1b[3`b", ["  b"], (0, 3)),
        ("ab\x1b[s\x1b[3;3H\x1b[ux", ["abx"], (0, 3)),
        ("a\x1b7b\x1b8c\x1b8d", ["ad"], (0, 2)),
        ("abc\x1b[G\x1b[2@", ["  abc"], (0, 0)),
        ("abc\x1b[G\x1b[2P", ["c"], (0, 0)),
        ("abcd\x1b[2G\x1b[2X", ["a  d"], (0, 1)),
        ("a\x1b[4h\x1b[Gbc", ["bca"], (0, 2)),
        ("a\r\nb\r\nc\x1b[1;1H\x1b[L", ["", "a", "b", "c"], (0, 0)),
        ("a\r\nb\r\nc\x1b[1;1H\x1b[M", ["b", "c"], (0, 0)),
        ("a\r\nb\r\nc\x1b[S", ["b", "c"], (2, 1)),
        ("a\r\nb\r\nc\x1b[T", ["", "a", "b", "c"], (2, 1)),
        ("a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[3;1H\n", ["a", "c", "", "d"], (2, 0)),
        ("\x1b[2;3r\x1b[4;1Hx\ny", ["", "", "", "xy"], (3, 2)),
        ("\x1b[2;3r\x1b[?6h\x1b[9;1Hx", ["", "", "x"], (2, 1)),
        ("a\x1b[2;5H\x1bEb", ["a", "", "b"], (2, 1)),
        ("a\x1bMb", [" b", "a"], (0, 2)),
        ("\x1b[2;2H\x1b[1;1;1;1Hx", ["x"], (0, 1)),
        ("abc\x1b[!px", ["abcx"], (0, 4)),
        ("abc\x1bc", [], (0, 0)),
        ("\x1b#8\x1b[2J", [], (0, 0)),
    ],
)
def test_sequence_draws_what_a_terminal_draws(
    data: str, rows: list[str], cursor: tuple[int, int]
) -> None:
    terminal = fed(data)
    assert terminal.text() == rows + [""] * (4 - len(rows))
    assert place(terminal) == cursor


@pytest.mark.parametrize(
    "data",
    [
        b"\x1b[?4m", b"\x1b[?1r", b"\x1b[0;3g", b"\x1b[>4;2m", b"\x1b[<u",
        b"\x1bPq#0;2;0;0;0~\x1b\\", b"\x1bPtmux;abc\x1b\\", b"\x1b_Gf=100;AAAA\x1b\\",
        b"\x1b^private\x1b\\", b"\x1bXstring\x1b\\", b"\x1bktitle\x1b\\", b"\x1b[1$}",
        b"\x1b[1*y", b"\x1b[1#{", b"\x1b F", b"\x1b%G", b"\x1b]7;file:///\x07", b"\x1b]133;A\x07",
        b"\x1b]133;D;0\x1b\\", b"\x1b]9;note\x07", b"\x1b]777;notify;a;b\x07", b"\x1b]1337;x\x07",
        b"\x1b[?2026h\x1b[?2026l", b"\x1b[1\x18", b"\x1b]0;never\x18", b"\xc2\x9b", b"\x00\x7f",
        b"\x1b[1;2;3 \"q", b"\x1b[::::m", b"\x1b[=5;1;3u", b"\x1b[\x1b[m", b"\x1b[99999999999999m",
        b"\x1b[" + b"1;" * 3000 + b"m", b"\x1b]52;c;?\x07", b"\x1b[21t", b"\x1b]0;?\x07",
    ],
)  # fmt: skip
def test_sequence_is_swallowed_without_a_trace(data: bytes) -> None:
    terminal = fed(b"a" + data + b"b")
    assert terminal.text()[0] == "ab"
    line = terminal.line(0)
    assert line.attributes[0] == line.attributes[1]
    assert terminal.take_replies() == b""


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (b"\x1b[c", b"\x1b[?62;22c"),
        (b"\x1bZ", b"\x1b[?62;22c"),
        (b"\x1b[>c", b"\x1b[>1;10;0c"),
        (b"\x1b[=c", b"\x1bP!|00000000\x1b\\"),
        (b"\x1b[5n", b"\x1b[0n"),
        (b"ab\x1b[6n", b"\x1b[1;3R"),
        (b"0123456789\x1b[6n", b"\x1b[1;10R"),
        (b"\x1b[2;3r\x1b[?6h\x1b[6n", b"\x1b[1;1R"),
        (b"\x1b[?6n", b"\x1b[?1;1R"),
        (b"\x1b[?996n", b"\x1b[?997;1n"),
        (b"\x1b[?2026$p", b"\x1b[?2026;2$y"),
        (b"\x1b[?2004h\x1b[?2004$p", b"\x1b[?2004;1$y"),
        (b"\x1b[?12345$p", b"\x1b[?12345;0$y"),
        (b"\x1b[4$p", b"\x1b[4;2$y"),
        (b"\x1b[>q", b"\x1bP>|distrodeck\x1b\\"),
        (b"\x1b[>5u\x1b[?u", b"\x1b[?5u"),
        (b"\x1b[>5u\x1b[<u\x1b[?u", b"\x1b[?0u"),
        (b"\x1b[18t", b"\x1b[8;4;10t"),
        (b"\x1b]11;?\x07", b"\x1b]11;rgb:0000/0000/0000\x07"),
        (b"\x1b]10;?\x1b\\", b"\x1b]10;rgb:d0d0/d0d0/d0d0\x1b\\"),
        (b"\x1b]4;196;?\x07", b"\x1b]4;196;rgb:ffff/0000/0000\x07"),
        (b"\x1b]11;#102030\x07\x1b]11;?\x07", b"\x1b]11;rgb:1010/2020/3030\x07"),
        (b"\x1b]10;#102030;rgb:f/f/f\x07\x1b]111\x07\x1b]10;?;?\x07",
         b"\x1b]10;rgb:1010/2020/3030\x07\x1b]11;rgb:0000/0000/0000\x07"),
        (b"\x1b]4;1;#102030\x07\x1b]4;1;?\x07", b"\x1b]4;1;rgb:1010/2020/3030\x07"),
        (b"\x1b[1;38;5;9m\x1bP$qm\x1b\\", b"\x1bP1$r0;1;91m\x1b\\"),
        (b"\x1b[2;3r\x1bP$qr\x1b\\", b"\x1bP1$r2;3r\x1b\\"),
        (b"\x1bP$qz\x1b\\", b"\x1bP0$r\x1b\\"),
        (b"\x1bP+q436f;7878\x1b\\", b"\x1bP1+r436f=323536\x1b\\\x1bP0+r7878\x1b\\"),
    ],
)  # fmt: skip
def test_question_is_answered(query: bytes, answer: bytes) -> None:
    assert fed(query).take_replies() == answer


def test_only_the_controller_answers() -> None:
    terminal = Terminal(4, 10)
    terminal.feed(b"\x1b[c\x1b[6n\x1b]11;?\x07")
    assert terminal.take_replies() == b""


@pytest.mark.parametrize("mode", [47, 1047, 1049])
def test_alternate_screen_leaves_the_primary_and_its_history_alone(mode: int) -> None:
    terminal = fed(f"one\r\ntwo\x1b[?{mode}h\x1b[2J\x1b[Hfull\n\n\n\n\n\n\x1b[?{mode}l")
    assert terminal.text()[:2] == ["one", "two"]
    assert terminal.history_size == 0
    assert not terminal.modes.alternate_screen


def test_1049_brings_the_cursor_and_its_look_back() -> None:
    terminal = fed("ab\x1b[31m\x1b[?1049h\x1b[m\x1b[3;3Hx\x1b[?1049lc")
    assert terminal.text()[0] == "abc"
    assert terminal.line(0).attributes[2].foreground == 1


def test_erased_cells_keep_only_the_background() -> None:
    terminal = fed("\x1b[1;4;31;44m\x1b[2J\x1b[H")
    look = terminal.line(2).attributes[5]
    assert (look.background, look.foreground, look.flags) == (4, None, 0)


def test_history_holds_what_left_at_the_top_and_only_that() -> None:
    terminal = fed("".join(f"{number}\r\n" for number in range(10)))
    lines = [terminal.history_line(index).text.rstrip() for index in range(terminal.history_size)]
    assert lines == ["0", "1", "2", "3", "4", "5", "6"]
    assert terminal.take_dirty().scrolled == 7
    terminal.feed(b"\x1b[2;4r\x1b[4;1H\n\n\n\x1b[r")
    assert terminal.history_size == 7
    terminal.feed(b"\x1b[3J")
    assert terminal.history_size == 0


def test_history_is_bounded_and_keeps_looks() -> None:
    terminal = Terminal(2, 20, scrollback=3)
    terminal.feed(b"".join(b"\x1b[3%dmcolour %d\x1b[m\r\n" % (n % 8, n) for n in range(9)))
    assert terminal.history_size == 3
    line = terminal.history_line(2)
    assert line.text.rstrip() == "colour 7"
    assert [look.foreground for look in line.attributes[7:9]] == [7, None]


def test_dirty_rows_are_those_that_changed() -> None:
    terminal = fed("")
    terminal.take_dirty()
    terminal.feed(b"\x1b[2;1Hx\x1b[4;1H\x1b[K")
    dirty = terminal.take_dirty()
    assert dirty.rows == {1, 3}
    assert not dirty.everything
    assert terminal.take_dirty().rows == frozenset()


def test_modes_tell_what_the_program_asked_for() -> None:
    terminal = fed("\x1b[?1;1004;1006;1002;2004;2026;5h\x1b=\x1b[20h\x1b[>4;2m\x1b[>3u")
    modes = terminal.modes
    assert modes.application_cursor
    assert modes.application_keypad
    assert modes.focus
    assert modes.mouse_sgr
    assert modes.mouse == 1002
    assert modes.bracketed_paste
    assert modes.synchronized
    assert modes.reverse_video
    assert modes.newline
    assert (modes.modify_other_keys, modes.kitty_flags) == (2, 3)
    terminal.feed(b"\x1b[?1002l\x1bc")
    assert terminal.modes == Terminal(4, 10).modes


def test_cursor_style_follows_decscusr_and_dectcem() -> None:
    terminal = fed("\x1b[5 q\x1b[?25l")
    assert (terminal.cursor.shape, terminal.cursor.blink) == ("bar", True)
    assert not terminal.cursor.visible
    terminal.feed(b"\x1b[4 q\x1b[?25h")
    assert (terminal.cursor.shape, terminal.cursor.blink) == ("underline", False)
    assert terminal.cursor.visible


def test_title_is_clean_and_comes_back_from_the_stack() -> None:
    terminal = fed("\x1b]2;one\x07\x1b[22;0t\x1b]0;t\u202ewo\x1b\\")
    assert terminal.title == "t\ufffdwo"
    terminal.feed(b"\x1b[23;0t")
    assert terminal.title == "one"


def test_bells_are_counted_but_not_those_that_end_a_string() -> None:
    assert fed("\a\a\x1b]0;x\a").bells == 2


def test_clipboard_write_is_handed_on_and_a_query_is_not_answered() -> None:
    terminal = fed(b"\x1b]52;c;aGVsbG8=\x07\x1b]52;c;?\x07\x1b]52;c;!!\x07")
    assert terminal.take_clipboard() == ["hello"]
    assert terminal.take_clipboard() == []
    assert terminal.take_replies() == b""


def test_link_belongs_to_the_cells_drawn_in_it() -> None:
    terminal = fed("a\x1b]8;id=1;http://x/\x1b\\b\x1b[0mc\x1b]8;;\x1b\\d")
    assert [look.link for look in terminal.line(0).attributes[:4]] == [
        "", "http://x/", "http://x/", "",
    ]  # fmt: skip


def test_pyte_buffer_reads_and_writes_chars() -> None:
    screen = fed("\x1b[1;31mab").screen
    char = screen.buffer[0][1]
    assert (char.data, char.fg, char.bold) == ("b", "red", True)
    screen.buffer[0][1] = char._replace(data="z", bg="0000ff")
    assert screen.display[0].startswith("az")
    assert screen.grid[0].attributes[1].background == (0, 0, 255)


def test_endless_string_takes_no_memory() -> None:
    terminal = fed(b"\x1b]0;")
    for _ in range(200):
        terminal.feed(b"x" * 10_000)
    assert sum(map(len, terminal.stream.parts)) <= 1 << 16
    terminal.feed(b"\x07ok")
    assert terminal.title == ""
    assert terminal.text()[0] == "ok"


def test_emulator_loads_nothing_that_draws() -> None:
    code = (
        "import sys, core.terminal.terminal; print('textual' in sys.modules, 'rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    "data", [b"\x1b[m" * 20_000 + b"\x1b[?", b"\x1b[65535b" * 200, b"\x1b[\n1m" * 9000]
)
def test_hostile_input_costs_what_its_length_costs(data: bytes) -> None:
    start = time.process_time()
    fed(data)
    assert time.process_time() - start < 1.0
