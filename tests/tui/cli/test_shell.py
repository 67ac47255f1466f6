"""``shell`` gives the terminal to a session and takes it back as it was."""

from __future__ import annotations

import os
import signal

import pytest

SH = ("--", "sh", "-c")
READY = rb"session 2 in dev; ctrl\+\] d leaves it running\r\n"


def test_every_byte_passes_both_ways(deck_tty) -> None:
    tty = deck_tty("shell", "dev", *SH, "stty raw -echo; echo ready; head -c 6 | od -An -tx1")
    tty.until(rb"ready")
    tty.type(b"\x03\x1a\x04\x11\x13\x7f")
    tty.until(rb"03 1a 04 11 13 7f")
    assert tty.wait() == 0


def test_the_exit_code_is_the_commands(deck_tty) -> None:
    tty = deck_tty("shell", "dev", *SH, "exit 9")
    assert tty.wait() == 9


def test_ctrl_c_goes_to_the_program_inside(deck_tty) -> None:
    tty = deck_tty("shell", "dev", *SH, "trap 'echo got it; exit 4' INT; echo ready; read x")
    tty.until(rb"ready")
    tty.type(b"\x03")
    tty.until(rb"got it")
    assert tty.wait() == 4


def test_the_session_has_the_size_of_the_window_also_after_a_resize(deck_tty) -> None:
    script = "trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.05; done"
    tty = deck_tty("shell", "dev", *SH, script, rows=31, columns=97)
    tty.until(rb"31 97")
    tty.resize(40, 132)
    os.kill(tty.process.pid, signal.SIGWINCH)
    tty.until(rb"40 132")
    assert tty.wait() == 0


def test_the_prefix_and_d_leave_the_session_and_say_how_to_come_back(deck_tty) -> None:
    tty = deck_tty("shell", "dev", "cat")
    before = tty.attributes()
    tty.until(READY)
    tty.type(b"typed\r")
    tty.until(rb"typed\r\ntyped")
    tty.type(b"\x1d")
    tty.type(b"d")
    tty.until(rb"left session 2; back with: distrodeck attach 2")
    assert tty.wait() == 0
    assert tty.attributes() == before


def test_the_prefix_twice_is_the_key_itself_and_others_cancel_with_a_bell(deck_tty) -> None:
    tty = deck_tty("shell", "dev", *SH, "stty raw -echo; echo ready; head -c 2 | od -An -tx1")
    tty.until(rb"ready")
    tty.type(b"\x1d\x1d\x1dz")
    tty.until(rb"\a")
    tty.type(b"z")
    tty.until(rb"1d 7a")
    assert tty.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_terminal_comes_back_when_the_client_is_ended(deck_tty, number) -> None:
    script = r"printf '\033[?1049h\033[?1003h\033[?25lready'; sleep 60"
    tty = deck_tty("shell", "dev", *SH, script)
    before = tty.attributes()
    tty.until(rb"ready")
    tty.process.send_signal(number)
    tty.until(rb"\x1b\[\?1003l.*\x1b\[\?1049l.*\x1b\[\?25h")
    assert tty.wait() == 128 + number
    assert tty.attributes() == before


def test_without_a_terminal_it_names_the_verb_that_needs_none(deck) -> None:
    ended = deck("shell", "dev")
    assert ended.code == 125
    assert "distrodeck run dev" in ended.talk
    assert deck("attach", "2").code == 9


def test_what_cannot_be_opened_leaves_the_terminal_alone(deck_tty) -> None:
    tty = deck_tty("shell", "nope")
    tty.until(rb"nope: no such distro")
    assert tty.wait() == 125
    tty = deck_tty("attach", "77")
    tty.until(rb"session 77: no such session")
    assert tty.wait() == 3
