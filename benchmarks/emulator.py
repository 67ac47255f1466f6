"""Parse speed against plain pyte in the same run: ``python -m benchmarks.emulator``.

Workloads are 350 kB of data that does not repeat, fed in pieces of 16 KiB (several reads of a
PTY), to fresh terminals; the two take turns, and medians are compared. Last comes the memory of
10,000 lines of history, 120 columns wide, of plain text and of text in colours.
"""

from __future__ import annotations

import gc
import random
import statistics
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING

import pyte

from core.terminal.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS, COLUMNS = 24, 80
SIZE = 350_000
PIECE = 16384
ROUNDS = 5
TARGETS = {
    "log lines": 100,
    "ls colour": 40,
    "ls columns": 20,
    "tui frames": 15,
    "scroll (yes)": 15,
    "scroll in region": 25,
    "cursor motion": 6,
    "unicode": 10,
    "dense 256-colour": 4,
    "dense truecolour": 5,
}

WORDS = [
    "".join(random.Random(number).choices("abcdefghijklmnopqrstuvwxyz", k=2 + number % 9))
    for number in range(4000)
]


def words(pick: random.Random, length: int) -> str:
    """Words of about ``length`` characters in all."""
    text = ""
    while len(text) < length:
        text += pick.choice(WORDS) + " "
    return text[:length]


def log_lines(pick: random.Random) -> str:
    """Plain lines of a log."""
    stamp = f"2026-01-{pick.randrange(1, 29):02d}T{pick.randrange(24):02d}:{pick.randrange(60):02d}"
    return f"{stamp} {words(pick, pick.randrange(30, 90))}\r\n"


def ls_colour(pick: random.Random) -> str:
    """A line of ``ls -l --color``."""
    name = f"\x1b[0m\x1b[01;{pick.randrange(31, 37)}m{pick.choice(WORDS)}\x1b[0m"
    size, day, hour = pick.randrange(99_999), pick.randrange(1, 29), pick.randrange(24)
    return f"-rw-r--r-- 1 user user {size:6} Jan {day:2} {hour:02}:{day:02} {name}\r\n"


def columns_colour(pick: random.Random) -> str:
    """Names in colours and columns, as plain ``ls --color`` prints them."""
    names = [f"\x1b[01;{pick.randrange(31, 37)}m{pick.choice(WORDS):<12}\x1b[0m" for _ in range(6)]
    return " ".join(names) + "\r\n"


def tui_frames(pick: random.Random) -> str:
    """A table drawn row by row, as htop does it."""
    rows = [
        f"\x1b[{y};1H\x1b[3{pick.randrange(8)}m{pick.randrange(99999):5d}\x1b[39m "
        f"\x1b[1m{pick.choice(WORDS):10}\x1b[m {pick.random():.3f}\x1b[K"
        for y in range(1, ROWS + 1)
    ]
    return "".join(rows)


def scroll(pick: random.Random) -> str:
    """Very short lines."""
    return f"{pick.choice('yYnN')}\r\n"


def scroll_region(pick: random.Random) -> str:
    """Lines that scroll between two margins."""
    return f"\x1b[3;20r\x1b[20;1H\r\n{words(pick, 70)}\x1b[r"


def cursor_motion(pick: random.Random) -> str:
    """One character here, one there."""
    place = f"\x1b[{pick.randrange(1, ROWS + 1)};{pick.randrange(1, COLUMNS + 1)}H"
    return f"{place}{pick.choice('abcdefgh')}\x1b[{pick.randrange(1, 9)}{pick.choice('ABCD')}"


def unicode_text(pick: random.Random) -> str:
    """Narrow, wide and combining characters."""
    parts = ["привет мир ", "漢字かな交じり ", "─│┌┐└┘ ", "cafe\u0301 ", "한국어 ", "ascii "]
    return "".join(pick.choices(parts, k=8)) + pick.choice(WORDS) + "\r\n"


def dense_256(pick: random.Random) -> str:
    """Every cell in another palette colour."""
    cells = [
        f"\x1b[38;5;{pick.randrange(256)};48;5;{pick.randrange(256)}m{pick.choice('abc#')}"
        for _ in range(COLUMNS)
    ]
    return f"\x1b[{pick.randrange(1, ROWS + 1)};1H" + "".join(cells)


def dense_rgb(pick: random.Random) -> str:
    """Every cell in another of sixteen million colours."""

    def rgb() -> str:
        return ";".join(str(pick.randrange(256)) for _ in range(3))

    cells = [f"\x1b[38;2;{rgb()};48;2;{rgb()}m{pick.choice('abc#')}" for _ in range(COLUMNS)]
    return f"\x1b[{pick.randrange(1, ROWS + 1)};1H" + "".join(cells)


WORKLOADS: dict[str, Callable[[random.Random], str]] = dict(
    zip(
        TARGETS,
        (
            log_lines,
            ls_colour,
            columns_colour,
            tui_frames,
            scroll,
            scroll_region,
            cursor_motion,
            unicode_text,
            dense_256,
            dense_rgb,
        ),
        strict=True,
    )
)


def data_of(name: str) -> bytes:
    """The bytes of a workload, always the same."""
    pick = random.Random(name)
    make = WORKLOADS[name]
    parts: list[str] = []
    size = 0
    while size < SIZE:
        parts.append(make(pick))
        size += len(parts[-1].encode())
    return "".join(parts).encode()


def seconds(feed: Callable[[bytes], None], data: bytes) -> float:
    """CPU time of feeding the data piece by piece."""
    pieces = [data[start : start + PIECE] for start in range(0, len(data), PIECE)]
    gc.collect()
    start = time.process_time()
    for piece in pieces:
        feed(piece)
    return time.process_time() - start


def plain(data: bytes) -> float:
    """Plain pyte with history."""
    screen = pyte.HistoryScreen(COLUMNS, ROWS, history=10_000)
    return seconds(pyte.ByteStream(screen).feed, data)


def ours(data: bytes) -> float:
    """This emulator."""
    return seconds(Terminal(ROWS, COLUMNS).feed, data)


HISTORY = 10_000
WIDE = 120
MEMORY_TARGET = 8.0


def history_megabytes(make: Callable[[random.Random], str]) -> float:
    """Memory that a full history takes, in lines cut or padded to the width."""
    pick = random.Random(HISTORY)
    lines = [make(pick).encode() for _ in range(HISTORY + ROWS)]
    gc.collect()
    tracemalloc.start()
    terminal = Terminal(ROWS, WIDE, scrollback=HISTORY)
    for line in lines:
        terminal.feed(line)
    gc.collect()
    used, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    if terminal.history_size != HISTORY:
        raise SystemExit(f"the history has {terminal.history_size} lines")
    return used / 1e6


def full_line(pick: random.Random) -> str:
    """Plain text in every column."""
    return words(pick, WIDE) + "\r\n"


def coloured_line(pick: random.Random) -> str:
    """Every column written, about every sixth word in a colour."""
    text = words(pick, WIDE).split(" ")
    for place in range(0, len(text), 6):
        text[place] = f"\x1b[{pick.randrange(31, 37)}m{text[place]}\x1b[m"
    return " ".join(text) + "\r\n"


def main(names: list[str]) -> None:
    """Print the table; with ``--ours``, this emulator alone."""
    alone = "--ours" in names
    print(f"{'workload':18} {'plain':>7} {'ours':>8} {'ratio':>7} {'target':>7}   (MB/s)")
    for name, target in TARGETS.items():
        data = data_of(name)
        # Plain pyte is slow enough to be timed on a part of the data.
        part = data[: len(data) // 4]
        ratios: list[tuple[float, float]] = []
        for _ in range(ROUNDS):
            mine = len(data) / ours(data) / 1e6
            theirs = mine if alone else len(part) / plain(part) / 1e6
            ratios.append((theirs, mine))
        theirs = statistics.median(pair[0] for pair in ratios)
        mine = statistics.median(pair[1] for pair in ratios)
        ratio = statistics.median(pair[1] / pair[0] for pair in ratios)
        print(f"{name:18} {theirs:7.2f} {mine:8.2f} {ratio:6.1f}x {target:6d}x")
    for title, make in (("plain", full_line), ("in colours", coloured_line)):
        used = history_megabytes(make)
        print(f"{HISTORY:,} lines, {title}: {used:.1f} MB (target {MEMORY_TARGET:.0f})")


if __name__ == "__main__":
    main(sys.argv[1:])
