"""Where copied text goes, and what is said of it."""

from __future__ import annotations

import base64
import stat
from typing import TYPE_CHECKING

from tui.clipboard import LIMIT, Clipboard

if TYPE_CHECKING:
    from pathlib import Path

XTERM = {"TERM": "xterm-256color"}


def put(text: str, environ: dict[str, str], folder: Path) -> tuple[str, str]:
    """What was sent to the terminal and what was said."""
    sent: list[str] = []
    told = Clipboard(sent.append, environ, folder).put(text)
    return "".join(sent), told


def test_text_is_sent_by_osc_52(tmp_path: Path) -> None:
    sent, told = put("héllo", XTERM, tmp_path)
    assert sent == f"\x1b]52;c;{base64.b64encode('héllo'.encode()).decode()}\x07"
    assert told == "copied 6 bytes to the terminal's clipboard (OSC 52)"
    assert not list(tmp_path.iterdir())


def test_in_tmux_it_is_sent_to_tmux_and_through_it(tmp_path: Path) -> None:
    sent, told = put("x", {**XTERM, "TMUX": "/tmp/tmux-0/default,1,0"}, tmp_path)
    assert sent == "\x1b]52;c;eA==\x07\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\"
    assert told == "copied 1 byte to the terminal's clipboard (OSC 52 through tmux)"


def test_what_is_too_long_goes_to_a_private_file(tmp_path: Path) -> None:
    text = "x" * (LIMIT + 1)
    sent, told = put(text, XTERM, tmp_path / "state")
    file = tmp_path / "state" / "copied.txt"
    assert sent == ""
    assert told.startswith(f"copied 74,995 bytes to {file}: more than")
    assert file.read_text() == text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_terminal_without_a_clipboard_gets_a_file(tmp_path: Path) -> None:
    for environ in ({"TERM": "linux"}, {}, {**XTERM, "STY": "1.pts"}):
        sent, told = put("text", environ, tmp_path)
        assert sent == ""
        assert f"4 bytes to {tmp_path / 'copied.txt'}" in told


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    _sent, told = put("text", {"TERM": "linux"}, tmp_path / "file")
    assert told.startswith("not copied: this terminal has no clipboard")


def test_the_file_is_replaced(tmp_path: Path) -> None:
    put("first, longer", {"TERM": "linux"}, tmp_path)
    put("second", {"TERM": "linux"}, tmp_path)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["second"]
