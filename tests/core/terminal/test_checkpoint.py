from __future__ import annotations

import random
import zlib
from pathlib import Path

import pytest

from core.terminal.checkpoint import MAGIC
from core.terminal.terminal import CHECKPOINT_VERSION, CheckpointError, Terminal

EVERYTHING = (
    "\x1b]0;title\x07\x1b[22;0t\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ 漢字 e\u0301\r\n"
    "\x1b[1;38;2;1;2;3;48;5;200;58;5;9;4:3mlook\x1b7\x1b[2;5r\x1b(0\x1b[?6h\x1b[?2004;1006;1002h"
    "\x1b[>5u\x1b[5 q\x1b[3g\x1b[4G\x1bH" + "line\r\n" * 40
    + "\x1b[?1049h\x1b[4hfull\x1b]4;3;#010203\x07"
).encode() + b"\x1b[?1;10"  # fmt: skip
AFTER = b"04h\xe6\xbc\xa2\tx\x1b[3bY\x1b[?1049l\x1b8qqq\x1b[23;0t\n\n\n\n\n"


def made() -> Terminal:
    terminal = Terminal(6, 20, scrollback=50)
    terminal.feed(EVERYTHING)
    return terminal


def test_restored_terminal_is_the_same_and_goes_on_the_same() -> None:
    one = made()
    other = Terminal.restore(one.checkpoint())
    assert other.checkpoint() == one.checkpoint()
    assert other.modes == one.modes
    assert other.cursor == one.cursor
    for terminal in (one, other):
        terminal.feed(AFTER)
        terminal.resize(9, 33)
    assert other.checkpoint() == one.checkpoint()
    assert other.text() == one.text()


def test_restored_terminal_does_not_answer() -> None:
    one = made()
    one.answering = True
    assert not Terminal.restore(one.checkpoint()).answering


def test_character_cut_in_half_is_finished_after_the_restore() -> None:
    terminal = Terminal(2, 10)
    terminal.feed("漢".encode()[:2])
    other = Terminal.restore(terminal.checkpoint())
    other.feed("漢".encode()[2:])
    assert other.text()[0] == "漢"


def test_version_stands_in_front() -> None:
    assert made().checkpoint()[:4] == b"DDT%d" % CHECKPOINT_VERSION


@pytest.mark.parametrize(
    "data",
    [
        b"", b"DDT", b"DDT0" + b"x" * 40, MAGIC, MAGIC + b"nonsense",
        MAGIC + zlib.compress(b"nonsense"), MAGIC + zlib.compress(b"\x80"),
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(data: bytes) -> None:
    with pytest.raises(CheckpointError):
        Terminal.restore(data)


def test_cut_checkpoint_is_refused_wherever_it_is_cut() -> None:
    data = made().checkpoint()
    for cut in range(0, len(data), 7):
        with pytest.raises(CheckpointError):
            Terminal.restore(data[:cut])


def test_changed_payload_is_refused_or_gives_a_working_terminal() -> None:
    plain = bytearray(zlib.decompress(made().checkpoint()[4:]))
    pick = random.Random(1)
    for _ in range(300):
        changed = bytearray(plain)
        changed[pick.randrange(len(changed))] = pick.randrange(256)
        try:
            terminal = Terminal.restore(MAGIC + zlib.compress(bytes(changed), 1))
        except CheckpointError:
            continue
        terminal.feed(AFTER)
        terminal.resize(5, 9)
        terminal.checkpoint()


@pytest.mark.parametrize("after", [b"", b"\x1b[?69l", b"\x1b[1;9s", b"\x1b[31m", b"\x1b*0\x1bN"])
def test_wrap_that_waits_at_a_side_margin_survives_a_checkpoint(after: bytes) -> None:
    terminal = Terminal(4, 20)
    terminal.feed(b"\x1b[?69h\x1b[3;8s\x1b[1;3H123456" + after)
    restored = Terminal.restore(terminal.checkpoint())
    for one in (terminal, restored):
        one.feed(b"q\tq\r\nq")
    assert restored.text() == terminal.text()
    assert restored.checkpoint() == terminal.checkpoint()


FIRST_VERSION = sorted((Path(__file__).parent / "checkpoints").glob("*.v1"))
"""Checkpoints that version 1 wrote while it played a recording, named for it and the place."""


@pytest.mark.parametrize("path", FIRST_VERSION, ids=lambda path: path.stem)
def test_checkpoint_of_the_version_before_continues_as_the_original(path: Path) -> None:
    name, _, cut = path.stem.rpartition("-")
    recording = Path(__file__).parent / "recordings" / f"{name}.z"
    data = zlib.decompress(recording.read_bytes())
    restored = Terminal.restore(path.read_bytes())
    original = Terminal(24, 80)
    original.feed(data[: int(cut)])
    for terminal in (original, restored):
        terminal.feed(data[int(cut) :])
        terminal.resize(20, 50)
    assert restored.checkpoint() == original.checkpoint()
