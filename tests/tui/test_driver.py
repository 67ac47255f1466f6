"""Keys through a real PTY: exact bytes, a prompt Esc, nothing leaks from a slow line."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import pytest

from tui.driver import escape_wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tui.conftest import Typist

SEQUENCES = {
    "alt+.": b"\x1b.",
    "alt+1": b"\x1b1",
    "alt+9": b"\x1b9",
    "alt+enter": b"\x1b\r",
    "alt+backspace": b"\x1b\x7f",
    "alt+a": b"\x1ba",
    "alt+b": b"\x1bb",
    "alt+f": b"\x1bf",
    "alt+shift+a": b"\x1bA",
    "alt+[": b"\x1b[",
    "alt+]": b"\x1b]",
    "alt+O": b"\x1bO",
    "alt+P": b"\x1bP",
    "alt+<": b"\x1b<",
    "alt+_": b"\x1b_",
    "alt+space": b"\x1b ",
    "alt+é": "\x1bé".encode(),
    "alt+ctrl+a": b"\x1b\x01",
    "ctrl+@": b"\x00",
    "ctrl+a": b"\x01",
    "ctrl+c": b"\x03",
    "ctrl+d": b"\x04",
    "ctrl+h": b"\x08",
    "ctrl+j": b"\x0a",
    "ctrl+p": b"\x10",
    "ctrl+q": b"\x11",
    "ctrl+s": b"\x13",
    "ctrl+z": b"\x1a",
    "ctrl+\\": b"\x1c",
    "ctrl+]": b"\x1d",
    "ctrl+^": b"\x1e",
    "ctrl+_": b"\x1f",
    "tab": b"\t",
    "shift+tab": b"\x1b[Z",
    "enter": b"\r",
    "backspace": b"\x7f",
    "up": b"\x1b[A",
    "up, application mode": b"\x1bOA",
    "ctrl+left": b"\x1b[1;5D",
    "alt+up": b"\x1b[1;3A",
    "home": b"\x1b[H",
    "page down": b"\x1b[6~",
    "f1": b"\x1bOP",
    "shift+f3": b"\x1b[1;2R",
    "f5": b"\x1b[15~",
    "ctrl+f12": b"\x1b[24;5~",
    "é": "é".encode(),
    "emoji": "🐧".encode(),
    "Linux console f1": b"\x1b[[A",
    "kitty ctrl+a": b"\x1b[97;5u",
    "no known key": b"\x1b[99;9~",
}


def test_every_sequence_arrives_byte_for_byte(make_typist: Callable[..., Typist]) -> None:
    typist = make_typist()
    arrived = {}
    for name, sequence in {**SEQUENCES, "esc": b"\x1b"}.items():
        typist.type(sequence)
        arrived[name] = typist.expect_bytes(len(sequence))
    assert arrived == {**SEQUENCES, "esc": b"\x1b"}


def test_all_sequences_in_one_read_arrive_byte_for_byte(
    make_typist: Callable[..., Typist],
) -> None:
    typist = make_typist()
    # Alt+[ and alt+O followed at once by more input are the beginning of something else.
    everything = b"".join(
        sequence for sequence in SEQUENCES.values() if sequence not in (b"\x1b[", b"\x1bO")
    )
    typist.type(everything)
    assert typist.expect_bytes(len(everything)) == everything


def test_esc_reaches_the_application_at_once(make_typist: Callable[..., Typist]) -> None:
    typist = make_typist()
    waits = []
    for _ in range(9):
        sent = typist.type(b"\x1b")
        key = typist.expect("key")
        assert key["key"] == "escape"
        waits.append(key["at"] - sent)
    # Textual's own driver needs 0.1 s and more.
    assert statistics.median(waits) < 0.06


@pytest.mark.parametrize("environ", [{}, {"SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22"}])
def test_mouse_and_paste_chopped_by_a_slow_line_do_not_leak_as_text(
    make_typist: Callable[..., Typist], environ: dict[str, str]
) -> None:
    typist = make_typist(**environ)
    gap = escape_wait(environ) / 3
    for byte in b"\x1b[<0;12;5M\x1b[200~two\rlines\x1b[201~\x1b[1;5C":
        typist.type(bytes([byte]))
        time.sleep(gap)
    mouse = typist.expect("mouse")
    assert (mouse["x"], mouse["y"]) == (11, 4)
    assert typist.expect("paste")["text"] == "two\rlines"
    assert typist.expect("key")["key"] == "ctrl+right"


def test_bytes_that_are_not_utf8_arrive_and_do_not_end_the_application(
    make_typist: Callable[..., Typist],
) -> None:
    typist = make_typist()
    typist.type(b"a\xff\xe9b")
    assert typist.expect_bytes(4) == b"a\xff\xe9b"


def test_hung_up_terminal_ends_the_application(make_typist: Callable[..., Typist]) -> None:
    typist = make_typist()
    typist.close_terminal()
    assert typist.process.wait(20) is not None
