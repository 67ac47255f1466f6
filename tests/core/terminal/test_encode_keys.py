from __future__ import annotations

import pytest

from core.terminal.encode_keys import encode_focus, encode_key, encode_mouse, encode_paste
from core.terminal.modes import Modes

REST = Modes()


@pytest.mark.parametrize(
    ("key", "character", "sent"),
    [
        ("a", "a", b"a"),
        ("A", "A", b"A"),
        ("upper_a", "A", b"A"),
        ("full_stop", ".", b"."),
        ("alt+full_stop", ".", b"\x1b."),
        ("alt+1", "1", b"\x1b1"),
        ("e_acute", "é", "é".encode()),
        ("space", " ", b" "),
        ("enter", "\r", b"\r"),
        ("tab", "\t", b"\t"),
        ("shift+tab", None, b"\x1b[Z"),
        ("escape", "\x1b", b"\x1b"),
        ("backspace", "\x7f", b"\x7f"),
        ("alt+enter", None, b"\x1b\r"),
        ("alt+backspace", None, b"\x1b\x7f"),
        ("ctrl+c", "\x03", b"\x03"),
        ("ctrl+at", "\x00", b"\x00"),
        ("ctrl+right_square_bracket", "\x1d", b"\x1d"),
        ("ctrl+backslash", None, b"\x1c"),
        ("ctrl+underscore", None, b"\x1f"),
        ("ctrl+alt+a", None, b"\x1b\x01"),
        ("up", None, b"\x1b[A"),
        ("shift+up", None, b"\x1b[1;2A"),
        ("ctrl+shift+alt+left", None, b"\x1b[1;8D"),
        ("super+home", None, b"\x1b[1;9H"),
        ("delete", None, b"\x1b[3~"),
        ("ctrl+pageup", None, b"\x1b[5;5~"),
        ("f1", None, b"\x1bOP"),
        ("shift+f1", None, b"\x1b[1;2P"),
        ("f5", None, b"\x1b[15~"),
        ("f12", None, b"\x1b[24~"),
        ("f20", None, b"\x1b[34~"),
        ("scroll_lock", None, b""),
    ],
)
def test_key_sends_what_a_plain_terminal_sends(
    key: str, character: str | None, sent: bytes
) -> None:
    assert encode_key(key, character, REST) == sent


def test_application_cursor_mode_sends_arrows_by_single_shift() -> None:
    modes = Modes(application_cursor=True)
    assert encode_key("up", None, modes) == b"\x1bOA"
    assert encode_key("home", None, modes) == b"\x1bOH"
    assert encode_key("ctrl+up", None, modes) == b"\x1b[1;5A"


def test_newline_mode_sends_a_line_feed_after_enter() -> None:
    assert encode_key("enter", None, Modes(newline=True)) == b"\r\n"


def test_program_that_asked_for_kitty_keys_gets_them() -> None:
    modes = Modes(kitty_flags=1)
    assert encode_key("escape", None, modes) == b"\x1b[27u"
    assert encode_key("ctrl+a", None, modes) == b"\x1b[97;5u"
    assert encode_key("a", "a", modes) == b"a"
    assert encode_key("enter", None, modes) == b"\r"
    assert encode_key("a", "a", Modes(kitty_flags=9)) == b"\x1b[97u"


def test_modify_other_keys_names_the_key_and_its_modifiers() -> None:
    modes = Modes(modify_other_keys=2)
    assert encode_key("ctrl+a", None, modes) == b"\x1b[27;5;97~"
    assert encode_key("a", "a", modes) == b"a"


def test_paste_cannot_end_itself_or_press_keys() -> None:
    modes = Modes(bracketed_paste=True)
    pasted = encode_paste("ls\r\nrm\x1b[201~\x03\x9b\tx\n", modes)
    assert pasted == b"\x1b[200~ls\rrm\tx\r\x1b[201~"
    assert encode_paste("a\x1b[201~\x1b\nb", REST) == b"a\rb"


def test_focus_is_told_only_to_who_asked() -> None:
    assert encode_focus(True, REST) == b""
    assert encode_focus(True, Modes(focus=True)) == b"\x1b[I"
    assert encode_focus(False, Modes(focus=True)) == b"\x1b[O"


def test_mouse_reports_in_decimal_when_asked() -> None:
    modes = Modes(mouse=1000, mouse_sgr=True)
    assert encode_mouse("press", 1, 4, 9, (), modes) == b"\x1b[<0;10;5M"
    assert encode_mouse("release", 1, 4, 9, (), modes) == b"\x1b[<0;10;5m"
    assert encode_mouse("press", 3, 0, 0, ("ctrl", "alt"), modes) == b"\x1b[<26;1;1M"
    assert encode_mouse("down", 0, 0, 0, (), modes) == b"\x1b[<65;1;1M"
    assert encode_mouse("press", 1, 4, 999, (), modes) == b"\x1b[<0;1000;5M"


def test_mouse_reports_in_bytes_as_far_as_they_reach() -> None:
    modes = Modes(mouse=1000)
    assert encode_mouse("press", 1, 0, 0, (), modes) == b"\x1b[M !!"
    assert encode_mouse("release", 1, 0, 0, (), modes) == b"\x1b[M#!!"
    assert encode_mouse("press", 1, 0, 223, (), modes) == b""


@pytest.mark.parametrize(("mode", "drag", "hover"), [(1000, 0, 0), (1002, 1, 0), (1003, 1, 1)])
def test_motion_is_reported_as_far_as_the_mode_asks(mode: int, drag: int, hover: int) -> None:
    modes = Modes(mouse=mode, mouse_sgr=True)  # type: ignore[arg-type]
    assert bool(encode_mouse("move", 1, 0, 0, (), modes)) == bool(drag)
    assert bool(encode_mouse("move", 0, 0, 0, (), modes)) == bool(hover)


def test_x10_mouse_reports_presses_without_modifiers() -> None:
    modes = Modes(mouse=9)
    assert encode_mouse("press", 1, 0, 0, ("shift",), modes) == b"\x1b[M !!"
    assert encode_mouse("release", 1, 0, 0, (), modes) == b""


def test_wheel_becomes_arrows_only_in_the_alternate_screen() -> None:
    assert encode_mouse("up", 0, 0, 0, (), Modes(alternate_scroll=True)) == b""
    modes = Modes(alternate_scroll=True, alternate_screen=True, application_cursor=True)
    assert encode_mouse("up", 0, 0, 0, (), modes) == b"\x1bOA" * 3
    assert encode_mouse("press", 1, 0, 0, (), modes) == b""
