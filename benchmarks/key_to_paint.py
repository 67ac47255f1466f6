"""From a key pressed to the character on the outer terminal, against a bare Textual Input.

``python -m benchmarks.key_to_paint [KEYS]``: each application runs on its own PTY of 200x50; a
key is a letter not typed before, and it is painted when its bytes come out of the PTY.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass

FLOOD = "while :; do seq 1 100000; done"
APPS = {
    "textual input": ["benchmarks.bare_input"],
    "shell, idle": ["benchmarks.pane_app", "cat"],
    "shell beside a flood": ["benchmarks.pane_app", "cat", "--", "sh", "-c", FLOOD],
    "shell beside ten floods": ["benchmarks.pane_app", "cat", *(["--", "sh", "-c", FLOOD] * 10)],
}
PATIENCE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one application did."""

    waits: list[float]
    """Seconds from key to paint."""
    idle_cpu: float
    """Share of one processor without keys."""
    idle_bytes: int
    """Bytes a second sent to the terminal without keys."""


class Outer:
    """The outer terminal: drains the PTY and looks for letters."""

    def __init__(self, module: list[str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environ.pop("SSH_CONNECTION", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", *module],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environ,
            start_new_session=True,
        )
        os.close(slave)
        self.received = 0

    def drain(self, seconds: float, wanted: bytes = b"") -> bool:
        """Read for that long, or until ``wanted`` comes."""
        end = time.perf_counter() + seconds
        tail = b""
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.master], [], [], left)[0]:
                data = os.read(self.master, 65536)
                self.received += len(data)
                tail = tail[-8:] + data
                if wanted and wanted in tail:
                    return True
        return False

    def press(self, letter: str) -> float:
        """Seconds until the letter is painted."""
        start = time.perf_counter()
        os.write(self.master, letter.encode())
        if not self.drain(PATIENCE, letter.encode()):
            sys.exit(f"{letter!r} was never painted")
        return time.perf_counter() - start

    def cpu(self) -> float:
        """Seconds of processor time used so far."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End the application; it ends its shells."""
        self.process.send_signal(signal.SIGTERM)
        os.close(self.master)
        self.process.wait()


def measure(module: list[str], keys: int) -> Result:
    """Run one application and press ``keys`` keys."""
    outer = Outer(module)
    try:
        outer.drain(3.0)
        cpu, received = outer.cpu(), outer.received
        outer.drain(3.0)
        idle_cpu = (outer.cpu() - cpu) / 3.0
        idle_bytes = round((outer.received - received) / 3.0)
        waits = []
        for number in range(keys):
            waits.append(outer.press(chr(0x100 + number)))
            outer.drain(random.uniform(0.02, 0.06))
        return Result(waits=waits, idle_cpu=idle_cpu, idle_bytes=idle_bytes)
    finally:
        outer.close()


def main() -> None:
    """Print a table; ratios are to the bare Input."""
    keys = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    print(f"{'':26}{'median':>10}{'p95':>10}{'ratio':>8}{'ratio p95':>11}{'cpu':>8}{'bytes/s':>11}")
    base: tuple[float, float] | None = None
    for name, module in APPS.items():
        result = measure(module, keys)
        median = statistics.median(result.waits)
        p95 = statistics.quantiles(result.waits, n=20)[-1]
        base = base or (median, p95)
        print(
            f"{name:26}{median * 1e3:7.1f} ms{p95 * 1e3:7.1f} ms"
            f"{median / base[0]:7.2f}x{p95 / base[1]:10.2f}x"
            f"{result.idle_cpu:8.1%}{result.idle_bytes:11,}"
        )


if __name__ == "__main__":
    main()
