"""Time to the first paint, against a bare Textual app: ``python -m benchmarks.startup``.

Each program runs on a PTY of 24 x 80; the clock stops at the first visible character after it
switched to the alternate screen. The two take turns; medians are compared. The engine daemon runs
already, as it does for all but the first start of a day; its own start is measured once, apart.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.host import clear_root, make_root

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDS = 15
PATIENCE = 30.0
BARE = """
from textual.app import App
from textual.widgets import Static

class Bare(App):
    def compose(self):
        yield Static("ready")

Bare().run()
"""

ALTERNATE_SCREEN = b"\x1b[?1049h"
SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x07|\x1b\\)|[ -/]*[0-~])|[\x00-\x20]", re.DOTALL
)


def first_paint(command: Sequence[str | Path]) -> float:
    """Seconds from the start of ``command`` to its first visible character; then it is killed."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=environ
    )
    os.close(slave)
    try:
        wait_for_text(master, start + PATIENCE)
        return time.perf_counter() - start
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(master)


def wait_for_text(master: int, deadline: float) -> None:
    """Read until something visible stands on the alternate screen."""
    seen = b""
    while select.select([master], [], [], max(0.0, deadline - time.perf_counter()))[0]:
        try:
            seen += os.read(master, 65536)
        except OSError:
            break
        _, switched, after = seen.partition(ALTERNATE_SCREEN)
        # a sequence that is cut at the end is not text yet
        if switched and SEQUENCE.sub(b"", after).partition(b"\x1b")[0]:
            return
    raise SystemExit(f"nothing was painted: {seen[-2000:].decode(errors='replace')}")


def end_to_end(command: Sequence[str | Path]) -> float:
    """Seconds that ``command`` takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    root = make_root()
    deck: list[str | Path] = [Path(sys.executable).with_name("distrodeck"), "--root", root]
    list_distros = [*deck, "ls", "--format", "json"]
    try:
        cold = end_to_end(list_distros)
        first_paint(deck)
        first_paint([sys.executable, "-c", BARE])
        paints: list[tuple[float, float]] = []
        lists: list[tuple[float, float]] = []
        for _ in range(ROUNDS):
            paints.append((first_paint([sys.executable, "-c", BARE]), first_paint(deck)))
            lists.append((end_to_end([sys.executable, "-c", ""]), end_to_end(list_distros)))
    finally:
        clear_root(root)
    print(f"{'what':28} {'bare':>8} {'ours':>8} {'ratio':>7}   (ms)")
    print_row("the console / a Textual app", paints)
    print_row("ls / an empty Python", lists)
    print(f"{'ls that starts the daemon':28} {'':8} {cold * 1e3:8.0f}")


def print_row(name: str, pairs: list[tuple[float, float]]) -> None:
    """Medians in milliseconds, and the median of the ratios of the turns."""
    bare, ours = (statistics.median(column) * 1e3 for column in zip(*pairs, strict=True))
    ratio = statistics.median(ours / bare for bare, ours in pairs)
    print(f"{name:28} {bare:8.0f} {ours:8.0f} {ratio:6.2f}x")


if __name__ == "__main__":
    main()
