"""A real PTY with the key echo application on it."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0


class Typist:
    """Types into the application's terminal and reads what the application saw."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._facts: list[dict[str, Any]] = []
        self._tail = b""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._reports, writer = os.pipe()
        try:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("key_echo.py")), str(writer)],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                pass_fds=(writer,),
                start_new_session=True,
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": str(ROOT),
                    "TERM": "xterm-256color",
                    "LC_ALL": "C.UTF-8",
                    **environ,
                },
            )
        finally:
            os.close(writer)
            os.close(slave)

    def type(self, data: bytes) -> float:
        """Press keys; the moment they were sent."""
        at = time.monotonic()
        os.write(self.master, data)
        return at

    def expect(self, kind: str) -> dict[str, Any]:
        """The next fact of ``kind``; others before it are dropped."""
        until = time.monotonic() + PATIENCE
        while True:
            while self._facts:
                fact = self._facts.pop(0)
                if fact["kind"] == kind:
                    return fact
            self._read(until)

    def expect_bytes(self, count: int) -> bytes:
        """The raw bytes of the next keys, until there are ``count`` of them."""
        raw = b""
        while len(raw) < count:
            raw += bytes.fromhex(self.expect("key")["raw"])
        return raw

    def _read(self, until: float) -> None:
        ready, _, _ = select.select(
            [self._reports, self.master], [], [], max(0.0, until - time.monotonic())
        )
        assert ready, "the application said nothing"
        if self.master in ready:
            os.read(self.master, 65536)
        if self._reports in ready:
            data = os.read(self._reports, 65536)
            assert data, "the application ended"
            *lines, self._tail = (self._tail + data).split(b"\n")
            self._facts += [json.loads(line) for line in lines]

    def close_terminal(self) -> None:
        """Hang up, as a terminal emulator that is closed does."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def close(self) -> None:
        self.close_terminal()
        os.close(self._reports)
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def make_typist() -> Iterator[Any]:
    """Start applications with extra environment variables; all end with the test."""
    typists: list[Typist] = []

    def make(**environ: str) -> Typist:
        typist = Typist(environ)
        typists.append(typist)
        typist.expect("ready")
        return typist

    yield make
    for typist in typists:
        typist.close()
