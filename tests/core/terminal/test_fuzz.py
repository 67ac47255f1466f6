# ruff: noqa: E501 (a table of sequences)
from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.terminal.terminal import Terminal

PIECES = [
    "a", "hello world ", "x" * 30, "漢", "漢字かな", "e\u0301", "─│", "👨\u200d👩", "❤\ufe0f",
    "\r", "\n", "\r\n", "\t", "\b", "\x0e", "\x0f", "\x1b7", "\x1b8", "\x1bM", "\x1bD", "\x1bE", "\x1bH",
    "\x1b[A", "\x1b[3B", "\x1b[C", "\x1b[9D", "\x1b[H", "\x1b[2;4H", "\x1b[99;99H", "\x1b[J", "\x1b[1J",
    "\x1b[2J", "\x1b[3J", "\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[2L", "\x1b[2M", "\x1b[3@", "\x1b[3P",
    "\x1b[3X", "\x1b[2S", "\x1b[2T", "\x1b[3b", "\x1b[2I", "\x1b[Z", "\x1b[2;4r", "\x1b[r", "\x1b[m",
    "\x1b[1;31m", "\x1b[44m", "\x1b[38;2;1;2;3m", "\x1b[38:5:9m", "\x1b[4:3m", "\x1b[?7l", "\x1b[?7h",
    "\x1b[4h", "\x1b[4l", "\x1b[?6h", "\x1b[?6l", "\x1b[?1049h", "\x1b[?1049l", "\x1b[?47h", "\x1b[?47l",
    "\x1b[?2027h", "\x1b(0", "\x1b(B", "\x1bc", "\x1b[!p", "\x1b#8", "\x1b]0;t\x07", "\x1b]8;;u\x1b\\",
    "\x1b]8;;\x1b\\", "\x1bPq\x1b\\", "\x1b_x\x1b\\", "\x1b[?25l", "\x1b[1\n2m", "\x1b[3\x18", "\x1b[6n",
    "one\r\ntwo\r\nthree\r\nfour\r\nfive\r\n", "\x1b[32mgreen\x1b[m\r\nplain\r\nlast\r\n \r\nend\r\n",
]  # fmt: skip
STREAMS = st.lists(st.one_of(st.sampled_from(PIECES).map(str.encode), st.binary(max_size=6)))


def fed(data: bytes, step: int) -> Terminal:
    terminal = Terminal(5, 12, scrollback=20)
    terminal.answering = True
    for start in range(0, len(data), step):
        terminal.feed(data[start : start + step])
    return terminal


@given(STREAMS)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_split_gives_the_same_terminal(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    whole, bytewise, threes = fed(data, len(data) or 1), fed(data, 1), fed(data, 3)
    assert whole.checkpoint() == bytewise.checkpoint() == threes.checkpoint()
    assert whole.take_replies() == bytewise.take_replies() == threes.take_replies()


@given(STREAMS, STREAMS, st.integers(1, 12), st.integers(1, 30))
@settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
def test_restore_and_resize_anywhere_change_nothing(
    before: list[bytes], after: list[bytes], rows: int, columns: int
) -> None:
    original = fed(b"".join(before), 1 << 20)
    restored = Terminal.restore(original.checkpoint())
    for terminal in (original, restored):
        terminal.resize(rows, columns)
        terminal.feed(b"".join(after))
    assert original.checkpoint() == restored.checkpoint()
    for y in range(rows):
        line = original.line(y)
        assert len(line.characters) == len(line.attributes) == columns
        for x, cell in enumerate(line.characters):
            assert cell or (x > 0 and line.characters[x - 1])


def test_random_bytes_break_nothing() -> None:
    pick = random.Random(7)
    terminal = Terminal(24, 80, scrollback=200)
    terminal.answering = True
    for _ in range(60):
        terminal.feed(pick.randbytes(4096))
    assert terminal.history_size <= 200
    assert len(terminal.take_replies()) < 1 << 17
    assert Terminal.restore(terminal.checkpoint()).text() == terminal.text()
