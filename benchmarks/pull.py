"""Pull and unpack against ``podman pull``: ``python -m benchmarks.pull [IMAGE]…``.

The same loopback registry, a fresh store for each pull, on the same file system; the two take
turns and medians are compared. Ours ends with everything synced; podman does not sync, so it is
timed twice: as it is, and with a syncfs at its end, which is the same promise. Stores of earlier
rounds are only deleted at the end: deleting while timing would be measured too. As root.
"""

from __future__ import annotations

import asyncio
import resource
import statistics
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from core.images.pull import pull_image
from core.images.reference import parse_reference
from core.store.store import Store
from core.store.sync import sync_filesystem
from tests.conftest import _facts
from tests.host import clear_root, make_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUNDS = 7
TARGETS = {"minbase": 0.5, "large": 0.4}
Times = tuple[float, float, float]
"""Seconds of the first pull, of a second one of what is there, and of CPU for both.

The CPU seconds are what a loaded machine distorts least: podman's threads get more shares of it.
"""


def cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def distrodeck(root: Path, reference: str) -> Times:
    """Open a store and pull in this process, which is loaded already, as the daemon is."""

    async def pull_twice() -> Times:
        times, cpu = [], cpu_seconds()
        start = time.perf_counter()
        async with Store.open(root / "data", privileged=True, idmap="root") as store:
            for _ in range(2):
                async with store.lease() as lease:
                    await pull_image(store, parse_reference(reference), lease=lease, pinned=True)
                times.append(time.perf_counter() - start)
                start = time.perf_counter()
        return times[0], times[1], cpu_seconds() - cpu

    return asyncio.run(pull_twice())


def podman(root: Path, reference: str, *, sync: bool = False) -> Times:
    """``podman pull`` with its storage in ``root``."""
    storage = [f"--root={root}/storage", f"--runroot={root}/run", f"--tmpdir={root}/tmp"]
    argv = ["podman", *storage, "pull", "--quiet", "--tls-verify=false", reference]
    times, cpu = [], cpu_seconds()
    for _ in range(2):
        start = time.perf_counter()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        if sync:
            sync_filesystem(root)
        times.append(time.perf_counter() - start)
    return times[0], times[1], cpu_seconds() - cpu


VARIANTS: dict[str, Callable[[Path, str], Times]] = {
    "distrodeck": distrodeck,
    "podman + sync": partial(podman, sync=True),
    "podman": podman,
}


def measure(reference: str) -> dict[str, list[Times]]:
    """Times by variant."""
    found: dict[str, list[Times]] = {name: [] for name in VARIANTS}
    roots = []
    try:
        for _ in range(ROUNDS):
            for name, pull in VARIANTS.items():
                roots.append(root := make_root())
                sync_filesystem(root)
                found[name].append(pull(root, reference))
    finally:
        for root in roots:
            clear_root(root)
    return found


def report(title: str, times: dict[str, list[float]], target: float) -> None:
    """Medians, and their ratio to each of podman's."""
    median = {name: statistics.median(found) for name, found in times.items()}
    print(f"{title}:")
    for name, found in times.items():
        ratio = median["distrodeck"] / median[name]
        print(f"  {name:<14} {median[name]:7.3f} s  (from {min(found):.3f})  ours/this {ratio:.2f}")
    ratio = median["distrodeck"] / median["podman + sync"]
    print(f"  target <= {target}: {'met' if ratio <= target else 'MISSED'} ({ratio:.2f})")


def main(wanted: list[str]) -> None:
    """Measure the images named, or minbase and (where it was built) large."""
    facts = _facts()
    host = facts["registries"]["plain"]["host"]
    for name in wanted or [name for name in TARGETS if name in facts["images"]]:
        found = measure(f"{host}/lib/{name}:latest")
        columns = {variant: list(zip(*times, strict=True)) for variant, times in found.items()}
        for column, title, target in (
            (0, "pull and unpack into a fresh store", TARGETS.get(name, 0.5)),
            (1, "pull of what is there", 0.5),
            (2, "CPU of both", TARGETS.get(name, 0.5)),
        ):
            report(f"{name}, {title}", {v: list(c[column]) for v, c in columns.items()}, target)


if __name__ == "__main__":
    main(sys.argv[1:])
