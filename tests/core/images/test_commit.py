"""Committed images: read by other tools, whole or absent whatever happens."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from core.errors import NoSpace
from core.store.store import Store
from tests.core.images.committing import (
    CHANGE,
    change,
    commit,
    listing,
    make_distro,
    write_layout,
)
from tests.core.images.test_resume import check_consistent, small_disk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["small_disk"]

KILLS = 5
KILLS_SOAK = 50
SEED = 7

COMMITTER = """
import asyncio, pathlib, sys
from core.store.store import Store
from tests.core.images.committing import commit

async def main(data):
    async with Store.open(pathlib.Path(data), privileged=True, idmap="root") as store:
        print("open", flush=True)
        image = await commit(store, store.distro("box"), reference="localhost/mine:1")
        print("done", flush=True)
        await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("squash", [False, True])
async def test_umoci_unpacks_what_the_distro_shows(
    store: Store, make_root: Callable[..., Path], squash: bool
) -> None:
    root = make_root()
    record = await make_distro(store, root)
    seen = change(store, record, root / "merged")
    image = await commit(store, record, squash=squash)
    write_layout(store, image, root / "layout")
    subprocess.run(
        ["umoci", "unpack", "--image", f"{root}/layout:it", root / "bundle"],
        check=True,
        capture_output=True,
    )
    assert listing(root / "bundle" / "rootfs") == seen


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
async def test_podman_shows_what_the_distro_shows(
    store: Store, make_root: Callable[..., Path], compression: str
) -> None:
    root = make_root()
    record = await make_distro(store, root)
    seen = change(store, record, root / "merged")
    fields = {"author": "me", "message": "first", "changes": ("ENV A=b",)}
    image = await commit(store, record, compression=compression, **fields)
    write_layout(store, image, root / "layout")
    options = ["--root", root / "podman", "--runroot", root / "run", "--storage-driver", "vfs"]

    def podman(*words: str | Path) -> str:
        done = subprocess.run(
            ["podman", *options, *words], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done
        return done.stdout.strip()

    podman("pull", f"oci:{root}/layout:it")
    name = podman("images", "--quiet", "--no-trunc")
    assert name == image.config_digest
    assert podman("inspect", "--format", "{{.Author}} {{.Config.Env}}", name) == "me [A=b]"
    mounted = podman("image", "mount", name)
    try:
        assert listing(root / mounted) == seen
    finally:
        podman("image", "umount", name)


async def test_the_same_changes_are_the_same_layer(
    store: Store, make_root: Callable[..., Path]
) -> None:
    root = make_root()
    record = await make_distro(store, root)
    change(store, record, root / "merged")
    first = await commit(store, record)
    second = await commit(store, record, message="again", stopped=False)
    assert first.layers == second.layers
    assert first.digest != second.digest


async def test_a_full_disk_leaves_no_image_and_no_litter(
    small_disk: Path, make_root: Callable[..., Path]
) -> None:
    root = make_root()
    async with Store.open(small_disk / "data", privileged=True, idmap="root") as store:
        subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
        record = await make_distro(store, root)
        change(store, record, root / "merged", "head -c 900000 /dev/urandom > noise")
        ballast = small_disk / "ballast"
        for room in (300_000, 1_200_000, 1_850_000):  # full in the copy, in the blob, at the end
            free = os.statvfs(small_disk)
            ballast.write_bytes(bytes(free.f_bavail * free.f_bsize - room))
            with suppress(NoSpace):
                await commit(store, record, reference="localhost/mine:1")
                assert room > 1_800_000
            ballast.unlink()
            await store.empty_trash()
            check_consistent(store)
        image = await commit(store, record, reference="localhost/mine:1")
        check_consistent(store)
        assert store.find_image("localhost/mine:1").digest == image.digest


async def test_a_cancelled_commit_leaves_nothing(
    store: Store, make_root: Callable[..., Path]
) -> None:
    root = make_root()
    record = await make_distro(store, root)
    change(store, record, root / "merged", f"{CHANGE}\nhead -c 30000000 /dev/urandom > noise")
    for delay in (0.0, 0.05, 0.2, 0.3):
        task = asyncio.ensure_future(commit(store, record))
        await asyncio.sleep(delay)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        check_consistent(store)
        if any(image.origin == "commit" for image in store.images()):
            break  # it was in its last step, or faster
        assert len(list(store.layout.layers.iterdir())) == 1


async def test_killed_at_any_instant_it_is_whole_or_absent(
    make_root: Callable[..., Path], soak: bool
) -> None:
    root = make_root()
    async with Store.open(root / "data", privileged=True, idmap="root") as store:
        record = await make_distro(store, root)
        change(store, record, root / "merged", f"{CHANGE}\nhead -c 9000000 /dev/urandom > noise")
    instants = random.Random(SEED)
    for _ in range(KILLS_SOAK if soak else KILLS):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", COMMITTER, str(root / "data"), stdout=subprocess.PIPE
        )
        assert process.stdout
        try:
            assert await process.stdout.readline() == b"open\n"
            with suppress(TimeoutError):
                async with asyncio.timeout(instants.uniform(0, 0.5)):
                    await process.stdout.readline()
        finally:
            process.send_signal(signal.SIGKILL)
            await process.wait()
        async with Store.open(root / "data", privileged=True, idmap="root") as store:
            check_consistent(store)
            for image in store.images():
                if image.origin == "commit":
                    assert image.references == ("localhost/mine:1",)
                    await store.remove_image(image.digest)
