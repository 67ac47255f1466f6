"""A real terminal to test in: one private tmux server, one window of a given size."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PATIENCE = 30.0
_NUMBERS = itertools.count()


class Tmux:
    """Type keys, read the screen, wait for what should appear."""

    def __init__(self, folder: Path, command: Sequence[str], *, columns: int, rows: int) -> None:
        self._socket = folder / f"tmux-{next(_NUMBERS)}"
        line = f"cd /; {shlex.join(command)}; echo ENDED WITH $?; exec sleep 600"
        environment = {
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "SHELL": "/bin/sh",
        }
        subprocess.run(
            [
                *("tmux", "-S", self._socket, "-f", "/dev/null"),
                *("new-session", "-d", "-x", str(columns), "-y", str(rows), line),
            ],
            check=True,
            env=environment,
        )

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout

    def keys(self, *keys: str) -> None:
        """Press keys by tmux's names (``Enter``, ``C-]``, ``BTab``)."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type text as it is."""
        self._tmux("send-keys", "-l", text)

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self) -> str:
        """What is to be seen, one line a row."""
        return self._tmux("capture-pane", "-p")

    def wait(self, pattern: str, *, seconds: float = PATIENCE) -> str:
        """Wait until the screen shows ``pattern``; the screen then."""
        return self._wait(pattern, wanted=True, seconds=seconds)

    def wait_gone(self, pattern: str, *, seconds: float = PATIENCE) -> str:
        """Wait until the screen does not show ``pattern``; the screen then."""
        return self._wait(pattern, wanted=False, seconds=seconds)

    def _wait(self, pattern: str, *, wanted: bool, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while True:
            screen = self.screen()
            if bool(re.search(pattern, screen, re.MULTILINE)) is wanted:
                return screen
            if time.monotonic() > deadline:
                say = "not shown" if wanted else "still shown"
                raise AssertionError(f"{pattern!r} {say} after {seconds} s:\n{screen}")
            time.sleep(0.05)

    def pid(self) -> int:
        """The process in the window: a shell, whose child the command is."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def close(self) -> None:
        """End the server and what runs in it."""
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], check=False)
