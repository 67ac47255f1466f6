"""Real programs, recorded: against tmux and libghostty, cut anywhere, mutated and resized."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import pytest

from core.terminal.terminal import Terminal
from tests.core.terminal.ghostty import look_of_ghostty, start
from tests.core.terminal.looks import look_of, shown
from tests.core.terminal.record import SIZES

FOLDER = Path(__file__).parent / "recordings"
NAMES = sorted(path.name.removesuffix(".z") for path in FOLDER.glob("*.z"))
CUTS = 6

DIFFERENCES = {
    "vttest-charsets": "libghostty draws DEL",
    "emoji": "libghostty drops variation selectors outside of mode 2027, which tmux keeps",
}
"""Recordings whose looks are not held against libghostty's, by name without the size."""
WIDTHS = 80, 132
"""DECCOLM makes libghostty this wide by itself; the pane's width is its user's."""


def recording(name: str) -> bytes:
    return zlib.decompress((FOLDER / f"{name}.z").read_bytes())


def size(name: str) -> tuple[int, int]:
    _, dot, end = name.partition(".")
    return SIZES[dot + end]


def played(name: str, data: bytes, step: int = 0) -> Terminal:
    terminal = Terminal(*size(name))
    for at in range(0, len(data), step or len(data)):
        terminal.feed(data[at : at + (step or len(data))])
    return terminal


def cuts(name: str, data: bytes) -> list[int]:
    """Some places in the recording, always the same, and its end."""
    pick = random.Random(name)
    return [*sorted(pick.randrange(1, len(data)) for _ in range(CUTS)), len(data)]


def test_recordings_are_there() -> None:
    programs = {"bash", "vim", "htop", "top", "less", "nano", "mc", "tmux", "git", "apt", "python"}
    programs |= {"dialog", "whiptail", "vttest-cursor", "unicode", "emoji", "colours"}
    assert {program + end for program in programs for end in SIZES} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_program_ends_as_in_tmux_or_libghostty(name: str) -> None:
    position, *rows = (FOLDER / f"{name}.tmux").read_text().split("\n")
    data = recording(name)
    terminal = played(name, data)
    height, width = size(name)
    y, x = map(int, position.split())
    tmux = [shown(row) for row in rows[:height]], (y, min(x, width - 1))
    other = start(height, width)
    other.feed(data)
    ghostty = look_of_ghostty(other)
    other.close()
    mine = look_of(terminal)
    assert (mine.rows, mine.cursor) in (tmux, (ghostty.rows, ghostty.cursor))
    if tmux == (ghostty.rows, ghostty.cursor):
        assert (mine.rows, mine.cursor) == tmux


@pytest.mark.parametrize("name", NAMES)
def test_program_looks_as_in_libghostty_wherever_it_is_cut(name: str) -> None:
    if name.partition(".")[0] in DIFFERENCES:
        pytest.skip(DIFFERENCES[name.partition(".")[0]])
    height, width = size(name)
    terminal, other = Terminal(height, width), start(height, width)
    data = recording(name)
    at = 0
    for cut in cuts(name, data):
        terminal.feed(data[at:cut])
        other.feed(data[at:cut])
        at = cut
        if other.size != (width, height):
            assert other.size[0] in WIDTHS
            break
        assert look_of(terminal) == look_of_ghostty(other), cut
    other.close()


@pytest.mark.parametrize("name", NAMES)
def test_program_fed_byte_by_byte_ends_the_same(name: str) -> None:
    data = recording(name)
    assert played(name, data, 1).checkpoint() == played(name, data).checkpoint()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.soak
def test_restored_terminal_continues_as_the_original(name: str, soak: bool) -> None:
    data = recording(name)
    pick = random.Random(name)
    places = [pick.randrange(len(data)) for _ in range(400 if soak else 4)]
    for cut in places:
        original = played(name, data[:cut])
        restored = Terminal.restore(original.checkpoint())
        rows, columns = pick.randrange(1, 50), pick.randrange(1, 140)
        for terminal in (original, restored):
            terminal.feed(data[cut : cut + 500])
            terminal.resize(rows, columns)
            terminal.feed(data[cut + 500 : cut + 2000])
        assert restored.checkpoint() == original.checkpoint(), cut


@pytest.mark.parametrize("name", NAMES)
def test_mutated_recording_and_resizes_break_nothing(name: str) -> None:
    pick = random.Random(name)
    data = bytearray(recording(name))
    for _ in range(len(data) // 50):
        data[pick.randrange(len(data))] = pick.randrange(256)
    terminal = Terminal(24, 80, scrollback=100)
    for at in range(0, len(data), 997):
        terminal.feed(bytes(data[at : at + 997]))
        terminal.resize(pick.randrange(1, 40), pick.randrange(1, 120))
        state = terminal.cursor
        assert 0 <= state.y < terminal.rows
        assert 0 <= state.x < terminal.columns
        for y in range(terminal.rows):
            line = terminal.line(y)
            assert len(line.characters) == len(line.attributes) == terminal.columns
    assert Terminal.restore(terminal.checkpoint()).text() == terminal.text()
