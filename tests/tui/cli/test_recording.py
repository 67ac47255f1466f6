"""``record`` and ``replay``: what is in the file, and what the terminal gets."""

from __future__ import annotations

import asyncio
import io
import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from core.engines.demo import DemoEngine
from core.errors import Conflict
from core.terminal.asciicast import Reader
from core.terminal.terminal import Terminal
from tui.cli.recording import Recorder, open_recording

if TYPE_CHECKING:
    from pathlib import Path

CAST = (
    '{"version": 2, "width": 20, "height": 5}\n'
    '[0.1, "o", "\\u001b[?1000hone\\r\\n"]\n'
    '[900, "o", "\\u001b[6ntwo"]\n'
)


def played(cast: str) -> list[str]:
    reader = Reader(io.BytesIO(cast.encode()), "recording")
    terminal = Terminal(reader.header.rows, reader.header.columns)
    for event in reader:
        if event.size:
            terminal.resize(*event.size)
        else:
            terminal.feed(event.data.encode())
    return terminal.text()


async def recorded(*, history: bool) -> tuple[str, list[str]]:
    """A recording of a session that writes and ends, and what its screen was in the end."""
    engine = DemoEngine()
    file = io.StringIO()
    async with engine.attach(2, viewer=True) as attachment:
        recorder = Recorder(file, attachment, title="ubuntu", history=history)
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            group.create_task(recorder.run())
            await engine.input(2, b"echo recorded\r")
            await engine.input(2, b"exit\r")
    terminal = Terminal(24, 80)
    async with engine.attach(2, viewer=True) as attachment:
        terminal = Terminal(*attachment.checkpoint_size)
        async for piece in attachment.output():
            if piece.stream == 0:
                terminal.resize(*piece.size)
            else:
                terminal.feed(piece.data)
    return file.getvalue(), terminal.text()


@pytest.mark.parametrize("history", [False, True], ids=["screen", "history"])
async def test_a_recording_shows_what_the_session_showed(history: bool) -> None:
    cast, screen = await recorded(history=history)
    assert "recorded" in "\n".join(played(cast))
    assert [line for line in played(cast) if line] == [line for line in screen if line]


async def test_the_past_is_played_out_and_not_all_at_once() -> None:
    cast, _ = await recorded(history=True)
    times = [json.loads(line)[0] for line in cast.splitlines()[1:]]
    assert times == sorted(times)
    assert times[-1] > 0


def test_a_recording_is_private_and_never_writes_over_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.cast"
    with open_recording(str(file), force=False) as target:
        target.write("first, longer")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(Conflict), open_recording(str(file), force=False):
        pass
    assert file.read_text() == "first, longer"
    with open_recording(str(file), force=True) as target:
        target.write("second")
    assert file.read_text() == "second"


def test_an_unknown_session_leaves_no_file(deck: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.cast"
    assert deck("record", "77", "-o", str(file)).code == 3
    assert not file.exists()


def test_replay_into_a_pipe_writes_everything_at_once(deck: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.cast"
    file.write_text(CAST)
    ended = deck("replay", str(file))
    assert (ended.code, ended.out) == (0, b"\x1b[?1000hone\r\n\x1b[6ntwo")


def test_replay_puts_the_terminal_right_and_drops_its_answers(
    deck_tty: Any, tmp_path: Path
) -> None:
    file = tmp_path / "a.cast"
    file.write_text(CAST)
    tty = deck_tty("replay", "--idle-limit", "0.2", "--speed", "10", str(file))
    before = tty.attributes()
    tty.until(rb"\x1b\[6ntwo")
    tty.type(b"\x1b[1;1R")
    tty.until(rb"\x1b\[\?1000l")
    assert tty.wait() == 0
    assert tty.attributes() == before


def test_ctrl_c_ends_a_replay_and_puts_the_terminal_right(deck_tty: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.cast"
    file.write_text(CAST)
    tty = deck_tty("replay", str(file))
    tty.until(rb"one")
    tty.type(b"\x03")
    tty.until(rb"\x1b\[\?1000l")
    assert tty.wait() == 130


def test_what_is_no_recording_is_said(deck: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.cast"
    file.write_text("no")
    ended = deck("replay", str(file))
    assert ended.code == 1
    assert "not a line of an asciicast" in ended.talk
