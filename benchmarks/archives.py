"""Save and load against podman: ``python -m benchmarks.archives [IMAGE]…``.

The same image on the same file system; the two take turns and medians are compared. A save goes
to a new file, which neither side syncs. A load goes into a fresh store: ours ends with everything
synced, podman is timed as it is and with a syncfs at its end. As root.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, get_args

from core.archives.contents import Format
from core.archives.load import load_archive
from core.archives.save import prepare, save_file
from core.images.pull import pull_image
from core.images.reference import parse_reference
from core.store.store import Store
from core.store.sync import sync_filesystem
from tests.conftest import _facts
from tests.host import clear_root, make_root

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 7
TARGETS = {"save": 0.7, "load": 0.7}
FORMATS: tuple[Format, ...] = tuple(one for one in get_args(Format) if one.endswith("-archive"))

Times = dict[str, list[float]]


def podman(root: Path, *words: str | Path) -> None:
    storage = [f"--root={root}/storage", f"--runroot={root}/run", f"--tmpdir={root}/tmp"]
    subprocess.run(["podman", *storage, *words], check=True, stdout=subprocess.DEVNULL)


async def save(store: Store, reference: str, path: Path, format_: Format) -> None:
    async with store.lease() as lease:
        saving = await prepare(store, [reference], lease=lease, format_=format_)
        await save_file(saving, path)


async def measure_save(root: Path, reference: str, format_: Format) -> Times:
    """Seconds to write an archive, by who writes it."""
    found: Times = {"distrodeck": [], "podman": []}
    async with Store.open(root / "data", privileged=True, idmap="root") as store:
        async with store.lease() as lease:
            await pull_image(store, parse_reference(reference), lease=lease, pinned=True)
        podman(root, "pull", "--quiet", "--tls-verify=false", reference)
        for number in range(ROUNDS):
            for name, times in found.items():
                path = root / f"{name}-{number}"
                sync_filesystem(root)
                start = time.perf_counter()
                if name == "distrodeck":
                    await save(store, reference, path, format_)
                else:
                    podman(root, "save", "--quiet", "--format", format_, "-o", path, reference)
                times.append(time.perf_counter() - start)
    (root / "distrodeck-0").rename(root / "archive")
    return found


async def load(root: Path, archive: Path) -> None:
    async with (
        Store.open(root / "data", privileged=True, idmap="root") as store,
        store.lease() as lease,
    ):
        await load_archive(store, archive, name=archive.name, lease=lease)


def measure_load(archive: Path) -> Times:
    """Seconds to read an archive into a fresh store, by who reads it."""
    found: Times = {"distrodeck": [], "podman + sync": [], "podman": []}
    roots = []
    try:
        for _ in range(ROUNDS):
            for name, times in found.items():
                roots.append(root := make_root())
                sync_filesystem(root)
                start = time.perf_counter()
                if name == "distrodeck":
                    asyncio.run(load(root, archive))
                else:
                    podman(root, "load", "--quiet", "--input", archive)
                if name.endswith("sync"):
                    sync_filesystem(root)
                times.append(time.perf_counter() - start)
    finally:
        for root in roots:
            clear_root(root)
    return found


def report(title: str, times: Times, target: float, against: str) -> None:
    """Medians, and their ratio to each of podman's."""
    median = {name: statistics.median(found) for name, found in times.items()}
    print(f"{title}:")
    for name, found in times.items():
        ratio = median["distrodeck"] / median[name]
        print(f"  {name:<14} {median[name]:7.3f} s  (from {min(found):.3f})  ours/this {ratio:.2f}")
    ratio = median["distrodeck"] / median[against]
    print(f"  target <= {target}: {'met' if ratio <= target else 'MISSED'} ({ratio:.2f})")


def main(wanted: list[str]) -> None:
    """Measure the images named, or minbase."""
    host = _facts()["registries"]["plain"]["host"]
    for name in wanted or ["minbase"]:
        for format_ in FORMATS:
            root = make_root()
            try:
                reference = f"{host}/lib/{name}:latest"
                saved = asyncio.run(measure_save(root, reference, format_))
                report(f"{name}, save as {format_}", saved, TARGETS["save"], "podman")
                loaded = measure_load(root / "archive")
                report(f"{name}, load of {format_}", loaded, TARGETS["load"], "podman + sync")
            finally:
                clear_root(root)


if __name__ == "__main__":
    main(sys.argv[1:])
