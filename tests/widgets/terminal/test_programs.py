"""Real programs in a pane, on a real PTY, seen through a second emulator."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.terminal.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]
PATIENCE = 30.0


class Outer:
    """The terminal a person sits at: it shows the application, and types."""

    def __init__(self, command: list[str], rows: int, columns: int, home: Path) -> None:
        self.screen = Terminal(rows, columns)
        self.screen.answering = True
        self.master, slave = pty.openpty()
        self._set_size(rows, columns)
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LC_ALL": "C.UTF-8",
            "PS1": "$ ",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.pane_app", *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env=environ,
            start_new_session=True,
        )
        os.close(slave)

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def resize(self, rows: int, columns: int) -> None:
        self.screen.resize(rows, columns)
        self._set_size(rows, columns)
        self.process.send_signal(28)  # SIGWINCH; there is no controlling terminal to send it

    def _set_size(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, seen: Callable[[list[str]], bool]) -> list[str]:
        """The rows of the screen as soon as ``seen`` likes them."""
        end = time.monotonic() + PATIENCE
        while not seen(self.screen.text()):
            ready, _, _ = select.select([self.master], [], [], max(0.0, end - time.monotonic()))
            assert ready, "\n".join(self.screen.text())
            self.screen.feed(os.read(self.master, 65536))
            if replies := self.screen.take_replies():
                os.write(self.master, replies)
        return self.screen.text()

    def until_line(self, text: str) -> list[str]:
        return self.until(lambda rows: any(row == text for row in rows))

    def close(self) -> None:
        try:
            os.close(self.master)
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Outer]]:
    started: list[Outer] = []

    def start_one(*command: str, rows: int = 24, columns: int = 80) -> Outer:
        outer = Outer(list(command), rows, columns, tmp_path)
        started.append(outer)
        return outer

    yield start_one
    for outer in started:
        outer.close()


BASH = ("bash", "--norc", "--noprofile")


def test_bash_runs_edits_and_interrupts(start: Callable[..., Outer]) -> None:
    outer = start(*BASH)
    outer.until_line("$")
    outer.type("echo one twoX\x7f\r")
    outer.until_line("one two")
    outer.type("sh -c 'echo ready; exec cat'\r")
    outer.until_line("ready")
    outer.type("line\r")
    outer.until(lambda rows: rows.count("line") == 2)
    outer.type("\x03")  # alone: the tty throws away what is typed ahead of it
    outer.until(lambda rows: "$" in rows)
    outer.type("echo after $?\r")
    outer.until_line("after 130")
    # Alt+. brings the last word of the line before, alt+b goes back over it.
    outer.type("true last\recho \x1b.\x1bbvery \r")
    outer.until_line("very last")
    outer.type("tty\r")
    outer.until(lambda rows: any(row.startswith("/dev/pts/") for row in rows))


def test_vim_edits_a_file_on_the_alternate_screen(
    start: Callable[..., Outer], tmp_path: Path
) -> None:
    outer = start(*BASH)
    outer.until_line("$")
    path = tmp_path / "note.txt"
    outer.type(f"echo before; vim -u NONE {path}\r")
    outer.until(lambda rows: rows.count("~") > 15)
    outer.type("ihello\rworld\x1b")
    outer.until(lambda rows: rows[:2] == ["hello", "world"])
    outer.type("\x1b[Ax:wq\r")
    rows = outer.until(lambda rows: "before" in rows and rows.count("~") == 0)
    assert "hello" not in rows[0]
    outer.type("echo done\r")
    outer.until_line("done")
    assert path.read_text() == "hell\nworld\n"


def test_less_pages_and_searches(start: Callable[..., Outer]) -> None:
    outer = start(*BASH)
    outer.until_line("$")
    outer.type("seq 1 500 | less\r")
    outer.until(lambda rows: rows[0] == "1" and rows[-1] == ":")
    outer.type(" ")
    outer.until(lambda rows: rows[0] == "24")
    outer.type("/^300$\r")
    outer.until(lambda rows: rows[0] == "300")
    outer.type("q")
    outer.until(lambda rows: rows[-1] != ":")


def test_the_window_and_the_program_grow_together(start: Callable[..., Outer]) -> None:
    outer = start(*BASH)
    outer.until_line("$")
    outer.type("stty size\r")
    outer.until_line("24 80")
    outer.resize(30, 100)
    outer.type("until [ \"$(stty size)\" = '30 100' ]; do sleep 0.1; done; echo grown\r")
    outer.until_line("grown")


def test_a_long_log_ends_with_its_last_lines(start: Callable[..., Outer]) -> None:
    outer = start(*BASH)
    outer.until_line("$")
    outer.type("seq 1 20000\r")
    rows = outer.until(lambda rows: "20000" in rows and rows[-1] == "$")
    assert rows[-3:-1] == ["19999", "20000"]


def test_colours_and_wide_characters_arrive_outside(start: Callable[..., Outer]) -> None:
    outer = start("printf", r"\033[38;2;1;2;3mtrue\033[m \033[1;4mbold\033[m 表\n")
    outer.until(lambda rows: rows[0] == "true bold 表")
    line = outer.screen.line(0)
    assert line.attributes[0].foreground == (1, 2, 3)
    assert line.attributes[5].bold
    assert line.attributes[5].underline == 1
    outer.until(lambda rows: rows[1].startswith("[exited with 0"))
