"""Unpacking one layer against GNU tar: ``python -m benchmarks.unpack [IMAGE] [FOLDER]``.

The blob lies on disk; all write to the same file system and take turns; medians are compared.
GNU tar neither hashes nor checks what it unpacks. The lower bound decompresses and hashes with the
same libraries and writes the archive as one file. Trees of earlier rounds are only deleted at the
end: deleting while timing would be measured too. As root.
"""

from __future__ import annotations

import asyncio
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from core.layers.trees import remove_tree
from core.layers.unpack import open_unpacker
from tests.conftest import _facts
from tests.host import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 9
TARGET = 1.0
CHUNK = 256 << 10

BOUND = """
import hashlib, os, sys
from core.layers.compression import expand
def source():
    while chunk := os.read(0, 256 << 10):
        yield chunk
digest = hashlib.sha256()
with open(sys.argv[1], "wb") as archive:
    for chunk in expand(source()):
        digest.update(chunk)
        archive.write(chunk)
"""


def ours(blob: Path, target: Path) -> None:
    """As a pull does it: feed a worker from the event loop."""

    async def unpack() -> None:
        async with open_unpacker(target, privileged=True) as unpacker:
            with blob.open("rb") as file:
                while chunk := file.read(CHUNK):
                    await unpacker.write(chunk)
            await unpacker.finish()

    asyncio.run(unpack())


def gnu_tar(blob: Path, target: Path) -> None:
    """GNU tar with everything that a layer needs."""
    target.mkdir()
    subprocess.run(
        ["tar", "-xpf", blob, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C", target],
        check=True,
    )


def bound(blob: Path, target: Path) -> None:
    """Decompress, hash, write one file."""
    with blob.open("rb") as file:
        subprocess.run([sys.executable, "-P", "-c", BOUND, target], check=True, stdin=file)


def measure(run: Callable[[Path, Path], None], blob: Path, target: Path) -> tuple[float, float]:
    """Seconds on the clock and of CPU, children included."""
    before, start = cpu_seconds(), time.perf_counter()
    run(blob, target)
    return time.perf_counter() - start, cpu_seconds() - before


def cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main(image: str, folder: Path) -> None:
    """Print the table."""
    facts = _facts()
    layer = facts["images"][image]["layers"][0]
    store = Path(facts["dir"]) / facts["images"][image]["oci_layout"] / "blobs" / "sha256"
    blob = store / layer["digest"].removeprefix("sha256:")
    root = folder / f"unpack-{time.time_ns()}"
    root.mkdir()
    runs = {"GNU tar": gnu_tar, "ours": ours, "lower bound": bound}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    try:
        for turn in range(ROUNDS):
            for name, run in runs.items():
                times[name].append(measure(run, blob, root / f"{name} {turn}"))
    finally:
        asyncio.run(remove_tree(root))
    megabytes = layer["tar_size"] / 1e6
    print(f"{image}, {megabytes:.0f} MB unpacked, {layer['compression']}, in {folder}")
    print(f"{'':14}{'s':>8}{'MB/s':>8}{'ratio':>8}{'CPU s':>8}")
    wall = {name: statistics.median(pair[0] for pair in times[name]) for name in runs}
    for name in runs:
        cpu = statistics.median(pair[1] for pair in times[name])
        print(
            f"{name:14}{wall[name]:8.3f}{megabytes / wall[name]:8.0f}"
            f"{wall[name] / wall['GNU tar']:8.2f}{cpu:8.3f}"
        )
    met = "met" if wall["ours"] / wall["GNU tar"] <= TARGET else "MISSED"
    print(f"target {TARGET:.2f} of GNU tar: {met}")


if __name__ == "__main__":
    main(*(sys.argv[1:2] or ["minbase"]), *(map(Path, sys.argv[2:3] or [FOLDER])))
