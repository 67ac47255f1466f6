"""How long it takes to list, inspect and care for a store of ten thousand images.

    python -m benchmarks.store [IMAGES]

Rows as pulls leave them: five layers each, of which images share the lower three. Medians of ten;
*engine* is the daemon's own call, *client* the same over its socket. If podman is there it lists
:data:`PODMAN` images of its own, and so does a store of ours.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.connect import open_engine
from core.domain import Layer, Platform
from core.store.images import insert_image
from core.store.records import HistoryStep, ImageConfig, NewImage
from core.store.store import Store
from core.verbs.storage import PruneSpec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.engine import Engine

IMAGES = 10_000
PODMAN = 50
ROUNDS = 10
TARGETS = {
    "list, engine": 50.0,
    "list after a tag, engine": 50.0,
    "inspect, engine": 10.0,
    "history, engine": 10.0,
}
"""Milliseconds."""


def digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def image(number: int) -> tuple[NewImage, list[str]]:
    names = [f"base {number % 50} {k}" for k in range(3)] + [f"own {number} {k}" for k in range(2)]
    keys = [digest(f"tree {name}") for name in names]
    layers = tuple(
        Layer(digest=digest(f"blob {name}"), diff_id=key, size=3_000_000, media_type="tar+gzip")
        for name, key in zip(names, keys, strict=True)
    )
    steps = tuple(HistoryStep(created_by=f"RUN step {k}", layer=k) for k in range(5))
    whole = digest(f"manifest {number}")
    return NewImage(
        digest=whole,
        config_digest=digest(f"config {number}"),
        platform=Platform(),
        created=1.7e9 + number,
        layers=layers,
        layer_keys=tuple(keys),
        history=steps,
        config=ImageConfig(cmd=("sh",), env=(("PATH", "/usr/bin:/bin"),)),
        references=(f"registry.example.com/team{number % 100}/app{number}:1",),
        repo_digest=f"registry.example.com/team{number % 100}/app{number}@{whole}",
    ), keys


async def fill(data: Path, count: int) -> None:
    async with Store.open(data, privileged=True, idmap="root") as store:
        with store._index.write() as connection:
            for number in range(count):
                one, keys = image(number)
                connection.executemany(
                    "INSERT OR IGNORE INTO layer (key, diff_id, size, entries, tar_size, warnings)"
                    " VALUES (?, ?, 9000000, 1, 1, '[]')",
                    [(key, key) for key in keys],
                )
                insert_image(connection, one, pinned=True)
        for row in store._index.rows("SELECT key FROM layer"):
            (store.layout.layer(row["key"]) / "fs").mkdir(parents=True)


async def timed(rounds: int, call: Callable[[], Awaitable[Any]]) -> float:
    """Median, in milliseconds."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        await call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1000


async def relisted(engine: Engine) -> None:
    """A change, then the list; the change is a small part of it."""
    await engine.tag(image(1)[0].digest, f"localhost/again:{time.perf_counter_ns()}")
    await engine.images()


async def measure(root: Path, count: int) -> dict[str, float]:
    one = image(count // 2)[0].references[0]
    found: dict[str, float] = {}
    for place, embedded in (("engine", True), ("client", False)):
        async with open_engine(root=root, embedded=embedded) as engine:
            found[f"first list, {place}"] = await timed(1, engine.images)
            found[f"list, {place}"] = await timed(ROUNDS, engine.images)
            found[f"list after a tag, {place}"] = await timed(ROUNDS, partial(relisted, engine))
            found[f"inspect, {place}"] = await timed(ROUNDS, partial(engine.image, one))
            found[f"history, {place}"] = await timed(ROUNDS, partial(engine.history, one))
            if embedded:
                found["df, engine"] = await timed(3, engine.usage)
                preview = partial(engine.prune, PruneSpec(all=True, dry_run=True))
                found["prune, preview"] = await timed(3, preview)
                found["fsck, quick"] = await timed(1, partial(engine.fsck, quick=True))
            elif shutdown := getattr(engine, "shutdown", None):
                await shutdown()
    return found


def command(*argv: str) -> float:
    """Median of three, in milliseconds."""
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1000


def against_podman(root: Path) -> tuple[float, float]:
    """``images`` of as many images as a process: podman's and ours, milliseconds."""
    podman = ("podman", "--root", str(root / "podman"), "--runroot", str(root / "podman-run"))
    empty = root / "empty.tar"
    subprocess.run(["tar", "-cf", empty, "-T", "/dev/null"], check=True)
    for number in range(PODMAN):
        change = f"LABEL number={number}"
        argv = [*podman, "import", "-q", "--change", change, str(empty), f"localhost/app{number}:1"]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    asyncio.run(fill(root / "few" / "data", PODMAN))
    deck = (sys.executable, "-m", "tui", "--root", str(root / "few"))
    subprocess.run([*deck, "images", "-q"], check=True, stdout=subprocess.DEVNULL)  # starts it
    try:
        return command(*podman, "images"), command(*deck, "images")
    finally:
        subprocess.run([*deck, "serve", "--stop"], check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="distrodeck-bench-") as name:
        root = Path(name)
        asyncio.run(fill(root / "many" / "data", count))
        found = asyncio.run(measure(root / "many", count))
        print(f"{count} images, medians")
        for label, took in found.items():
            target = TARGETS.get(label)
            told = f"  target {target:.0f} ms" if target else ""
            missed = "  MISSED" if target and took > target else ""
            print(f"{label:24}{took:10.1f} ms{told}{missed}")
        if shutil.which("podman"):
            theirs, ours = against_podman(root)
            told = json.dumps({"podman": round(theirs, 1), "distrodeck": round(ours, 1)})
            print(f"`images` of {PODMAN} images as a process: {told}, {ours / theirs:.2f}x")


if __name__ == "__main__":
    main()
