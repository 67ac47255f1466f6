"""Run the command line as people and programs do: as a process."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[3]
DECK = [sys.executable, "-m", "tests.tui.cli.host_engine"]


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def talk(self) -> str:
        return self.err.decode()

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        return json.loads(self.err)["error"]


def environment(**more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DISTRODECK")}
    return {**kept, "PYTHONPATH": str(CHECKOUT), "TERM": "xterm-256color", **more}


@pytest.fixture
def deck():
    """``distrodeck WORDS`` on an engine without sandboxes, with pipes for all three streams."""

    def run(*words: str, given: bytes = b"", env: dict[str, str] | None = None) -> Ended:
        done = subprocess.run(
            [*DECK, *words],
            input=given,
            capture_output=True,
            cwd=CHECKOUT,
            env=environment(**(env or {})),
            timeout=60,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


class Tty:
    """``distrodeck WORDS`` in a terminal of its own."""

    def __init__(
        self, argv: list[str], env: dict[str, str], rows: int = 24, columns: int = 80
    ) -> None:
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (rows, columns))
        self.seen = b""
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=CHECKOUT,
            env=env,
            close_fds=True,
        )
        self.slave = slave

    def type(self, data: bytes) -> None:
        os.write(self.master, data)

    def until(self, pattern: bytes, seconds: float = 30) -> bytes:
        """What was written up to the end of ``pattern``; later calls go on from there."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.seen)):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise AssertionError(f"{pattern!r} not in {self.seen!r}")
            self.seen += os.read(self.master, 65536)
        told, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return told

    def resize(self, rows: int, columns: int) -> None:
        termios.tcsetwinsize(self.master, (rows, columns))

    def attributes(self) -> list[Any]:
        return termios.tcgetattr(self.slave)

    def wait(self) -> int:
        return self.process.wait(30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def deck_tty():
    """The same with a terminal at all three streams."""
    opened: list[Tty] = []

    def run(*words: str, rows: int = 24, columns: int = 80, env: dict[str, str] | None = None):
        opened.append(Tty([*DECK, *words], environment(**(env or {})), rows, columns))
        return opened[-1]

    yield run
    for one in opened:
        one.close()
