"""Commits against podman's: ``python -m benchmarks.commit [IMAGE] [FOLDER]``.

A distro and a podman container of the same image get the same changes: the whole tree of IMAGE once
more, and one file that differs each time. Both commit by their command line, in turns, and medians
are compared; nothing is deleted in between. Ours has compressed the layer and has all of it on the
disk when it returns; podman keeps layers uncompressed and leaves the disk to the kernel. As root.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core.layers.trees import remove_tree
from tests.conftest import _facts
from tests.host import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 7
TARGET = 0.7
DECK = [sys.executable, "-P", "-m", "tui"]


def run(command: list[str | Path]) -> str:
    """What a command that must work writes."""
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd="/")
    return done.stdout.strip()


class Ours:
    """A distro whose writable layer is written from outside, while it is stopped."""

    def __init__(self, root: Path, source: str) -> None:
        self._deck: list[str | Path] = [*DECK, "--root", root]
        run([*self._deck, "pull", source, "--name", "box"])
        paths = run([*self._deck, "ls", "--format", "jsonl"])
        self.folder = Path(paths.partition('"path": "')[2].partition('"')[0])
        (layer,) = (root / "data" / "layers").glob("*/fs")
        self.tree = layer

    def commit(self, turn: int) -> None:
        """Commit once."""
        run([*self._deck, "commit", "box", f"localhost/mine:{turn}"])

    def close(self) -> None:
        """End the daemon."""
        run([*self._deck, "serve", "--stop"])


class Podman:
    """A container that never runs."""

    def __init__(self, root: Path, source: str) -> None:
        self._podman: list[str | Path] = [
            "podman", "--root", root / "root", "--runroot", root / "run",
            "--storage-driver", "overlay", "--cgroup-manager", "cgroupfs",
        ]  # fmt: skip
        run([*self._podman, "pull", "--tls-verify=false", source])
        run([*self._podman, "create", "--name", "box", source, "true"])
        self.folder = Path(run([*self._podman, "mount", "box"]))

    def commit(self, turn: int) -> None:
        """Commit once."""
        run([*self._podman, "commit", "--quiet", "box", f"localhost/mine:{turn}"])

    def close(self) -> None:
        """Unmount."""
        run([*self._podman, "umount", "box"])


def measure(commit: Callable[[int], None], turn: int) -> float:
    """Seconds on the clock."""
    start = time.perf_counter()
    commit(turn)
    return time.perf_counter() - start


def main(image: str, folder: Path) -> None:
    """Print the table."""
    facts = _facts()
    source = f"{facts['registries']['plain']['host']}/lib/{image}"
    root = folder / f"commit-{time.time_ns()}"
    (root / "podman").mkdir(parents=True)
    ours = Ours(root / "ours", source)
    podman = Podman(root / "podman", source)
    times: dict[str, list[float]] = {"podman": [], "ours": []}
    try:
        for one in (ours, podman):
            target = one.folder / "opt" / "again"
            target.parent.mkdir(exist_ok=True)
            run(["cp", "-a", ours.tree, target])
        for turn in range(ROUNDS):
            for name, one in (("podman", podman), ("ours", ours)):
                (one.folder / "opt" / "turn").write_text(f"{turn}\n")
                times[name].append(measure(one.commit, turn))
    finally:
        for one in (ours, podman):
            with suppress(subprocess.CalledProcessError):
                one.close()
        asyncio.run(remove_tree(root))
    wall = {name: statistics.median(found) for name, found in times.items()}
    print(f"{image} once more as changes, in {folder}")
    print(f"{'':8}{'s':>8}{'ratio':>8}")
    for name, seconds in wall.items():
        print(f"{name:8}{seconds:8.3f}{seconds / wall['podman']:8.2f}")
    met = "met" if wall["ours"] / wall["podman"] <= TARGET else "MISSED"
    print(f"target {TARGET:.2f} of podman: {met}")


if __name__ == "__main__":
    main(*(sys.argv[1:2] or ["minbase"]), *(map(Path, sys.argv[2:3] or [FOLDER])))
