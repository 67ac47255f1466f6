"""How long ``true`` takes: in a distro that runs, in one that has to start, and by others.

    python -m benchmarks.run [ROUNDS]

As root, with the fixture's registry up for podman. Medians of one run and their ratios to bare
bubblewrap on the same files; each round measures everything once, so that load hits all alike.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.domain import ShellSpec
from core.runtimes.bwrap import bwrap_path
from core.runtimes.idmap import decide
from core.shells.attachment import HolderAttachment
from core.shells.launch import HolderSpec, dial, ensure_holder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.shells.link import HolderLink

ARCHIVE = "http://127.0.0.1:5604/rootfs/busybox-amd64.tar.gz"
IMAGE = "127.0.0.1:5600/lib/busybox:latest"
ULIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")
"""A root without CAP_SYS_RESOURCE may not raise any, and podman does by default."""
ROUNDS = 20


async def run_true(link: HolderLink, number: int) -> None:
    spec = ShellSpec(distro="bench", argv=("true",), tty=False, bound=True)
    await link.open(number, spec)
    connection = await dial(link.folder, number)
    async with HolderAttachment.from_socket(connection) as attachment:
        async for _ in attachment.output():
            pass
        if await attachment.exit_code():
            raise SystemExit("true was false")


async def call(*argv: str) -> None:
    process = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.DEVNULL)
    if await process.wait():
        raise SystemExit(f"{argv[0]} failed")


async def measure(root: Path, rounds: int) -> dict[str, list[float]]:
    layer = root / "layer"
    spec = HolderSpec(
        run=root / "run",
        distro="warm",
        name="bench",
        layers=(layer,),
        upper=root / "upper",
        work=root / "work",
        idmap=decide(),
        held=True,
    )
    numbers = iter(range(2, 1 << 20))
    if shutil.which("podman"):
        await call("podman", "pull", "-q", "--tls-verify=false", IMAGE)
    warm = await ensure_holder(spec)

    async def fresh() -> None:
        cold = replace(spec, distro="cold", upper=root / "up2", work=root / "work2", held=False)
        async with await ensure_holder(cold) as link:
            await run_true(link, next(numbers))

    async def stop_cold() -> None:
        async with await ensure_holder(replace(spec, distro="cold")) as link:
            await link.stop()

    bare = [bwrap_path(), "--unshare-all", "--share-net", "--ro-bind", str(layer), "/"]
    bare += ["--proc", "/proc", "--dev", "/dev", "true"]
    cases: dict[str, Callable[[], Awaitable[None]]] = {
        "bare bubblewrap": lambda: call(*bare),
        "running distro": lambda: run_true(warm, next(numbers)),
        "stopped distro": fresh,
    }
    if shutil.which("podman"):
        podman = ("podman", "run", "--rm", "--network=host", *ULIMITS, IMAGE, "true")
        cases["podman run"] = lambda: call(*podman)
    found: dict[str, list[float]] = {name: [] for name in cases}
    try:
        for _ in range(rounds):
            for name, case in cases.items():
                begin = time.perf_counter()
                await case()
                found[name].append(time.perf_counter() - begin)
            await stop_cold()
    finally:
        await warm.stop()
        warm.disconnect()
    return found


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="distrodeck-bench-") as name:
        root = Path(name)
        (root / "layer").mkdir()
        with urllib.request.urlopen(ARCHIVE) as answer:
            data = answer.read()
        unpack = ["tar", "-xz", "--exclude=./dev/*", "-C", str(root / "layer")]
        subprocess.run(unpack, input=data, check=True)
        found = asyncio.run(measure(root, rounds))
    base = statistics.median(found["bare bubblewrap"])
    print(f"`true`, medians of {rounds} rounds")
    for label, times in found.items():
        median = statistics.median(times)
        print(f"{label:18}{median * 1000:8.1f} ms{median / base:8.2f}x")


if __name__ == "__main__":
    main()
