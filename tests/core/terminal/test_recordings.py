from __future__ import annotations

import random
import unicodedata
import zlib
from pathlib import Path

import pytest

from core.terminal.terminal import Terminal

FOLDER = Path(__file__).parent / "recordings"
NAMES = sorted(path.stem for path in FOLDER.glob("*.z"))


def recording(name: str) -> bytes:
    return zlib.decompress((FOLDER / f"{name}.z").read_bytes())


def played(data: bytes, step: int = 0) -> Terminal:
    terminal = Terminal(24, 80)
    for start in range(0, len(data), step or len(data)):
        terminal.feed(data[start : start + (step or len(data))])
    return terminal


def test_recordings_are_there() -> None:
    assert {"bash", "vim", "htop", "less", "nano", "mc", "tmux"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_program_looks_as_in_tmux(name: str) -> None:
    position, *rows = (FOLDER / f"{name}.tmux").read_text().split("\n")
    terminal = played(recording(name))
    y, x = map(int, position.split())
    shown = [unicodedata.normalize("NFC", row) for row in terminal.text()]
    assert shown == [unicodedata.normalize("NFC", row.rstrip()) for row in rows[:24]]
    assert (terminal.cursor.y, terminal.cursor.x) == (y, min(x, 79))


@pytest.mark.parametrize("name", NAMES)
def test_program_fed_byte_by_byte_ends_the_same(name: str) -> None:
    data = recording(name)
    assert played(data, 1).checkpoint() == played(data).checkpoint()


@pytest.mark.parametrize("name", NAMES)
def test_restored_terminal_continues_as_the_original(name: str) -> None:
    data = recording(name)
    whole = played(data).checkpoint()
    pick = random.Random(name)
    for _ in range(5):
        cut = pick.randrange(len(data))
        terminal = Terminal.restore(played(data[:cut]).checkpoint())
        terminal.feed(data[cut:])
        assert terminal.checkpoint() == whole, cut


@pytest.mark.parametrize("name", NAMES)
def test_mutated_recording_and_resizes_break_nothing(name: str) -> None:
    pick = random.Random(name)
    data = bytearray(recording(name))
    for _ in range(len(data) // 50):
        data[pick.randrange(len(data))] = pick.randrange(256)
    terminal = Terminal(24, 80, scrollback=100)
    for start in range(0, len(data), 997):
        terminal.feed(bytes(data[start : start + 997]))
        terminal.resize(pick.randrange(1, 40), pick.randrange(1, 120))
        state = terminal.cursor
        assert 0 <= state.y < terminal.rows
        assert 0 <= state.x < terminal.columns
        for y in range(terminal.rows):
            line = terminal.line(y)
            assert len(line.characters) == len(line.attributes) == terminal.columns
    assert Terminal.restore(terminal.checkpoint()).text() == terminal.text()
