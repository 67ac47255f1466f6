"""The store's owner is killed at any instant of its work: the next one finds it in order."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.store.store import Store
from tests.core.store.conftest import add_image

if TYPE_CHECKING:
    from core.verbs.storage import Checkup

CHECKOUT = Path(__file__).parents[3]

CHURN = """
import asyncio, pathlib, random, sys
from core.errors import DeckError
from core.store.store import Store
from core.verbs.storage import PruneSpec
from tests.core.store.conftest import add_image

async def step(store, kind, number):
    name = f"d{number % 3}"
    found = [one for one in store.images(steps=True) if "q.io/keep:1" not in one.references]
    image = found[number % len(found)].digest if found else ""
    if kind == "commit":
        async with store.lease() as lease:
            parts = "base", f"layer{number % 7}"
            reference = f"q.io/x:{number % 5}"
            await add_image(store, lease, *parts, reference=reference, pinned=number % 2 == 0)
    elif kind == "create":
        await store.create_distro(name, image or None, url="u")
    elif kind == "remove":
        await store.remove_distro(name, now=number % 3 == 0)
    elif kind == "tag":
        await store.tag_image(image, f"q.io/t:{number % 4}")
    elif kind == "untag":
        await store.untag_image(f"q.io/t:{number % 4}")
    elif kind == "rmi":
        await store.remove_image(image, force=True, now=number % 3 == 0)
    elif kind == "undo":
        await store.undo()
    elif kind == "prune":
        await store.prune(PruneSpec(all=number % 2 == 0))
    elif kind == "fsck":
        await store.fsck(repair=True)
    elif kind == "sweep":
        store.trash_seconds = number % 2
        await store.expire_trash()
        await store.empty_trash()

async def main(data, seed, kinds):
    dice = random.Random(int(seed))
    async with Store.open(pathlib.Path(data), privileged=True, idmap="root") as store:
        print("ready", flush=True)
        while True:
            try:
                await step(store, dice.choice(kinds.split()), dice.randrange(1000))
            except DeckError:
                pass

asyncio.run(main(*sys.argv[1:]))
"""

KINDS = "commit commit create remove tag untag rmi undo prune fsck sweep"


async def prepare(data: Path) -> None:
    """A store with a distro in which somebody worked."""
    async with Store.open(data, privileged=True, idmap="root") as store:
        async with store.lease() as lease:
            digest = await add_image(store, lease, "base", "kept", reference="q.io/keep:1")
            record = await store.create_distro("keep", digest, url="u")
        (record.upper / "work").write_text("of months")


async def churn_and_kill(data: Path, seed: int, kinds: str = KINDS) -> None:
    """Let another process work on the store, and kill it a moment later."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CHURN, data, str(seed), kinds),
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"ready\n"
        await asyncio.sleep(random.Random(seed).uniform(0.0, 0.4))
        assert process.returncode is None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def look(data: Path) -> Checkup:
    """Open the store and look all of it over; the kept distro has to be whole."""
    async with Store.open(data, privileged=True, idmap="root") as store:
        checkup = await store.fsck()
        record = store.distro("keep")
        assert (record.upper / "work").read_text() == "of months"
        assert len(store.layer_paths(record.image_digest)) == 2
    return checkup


@pytest.mark.soak
async def test_a_store_killed_in_any_change_is_in_order_when_opened(data: Path, soak: bool) -> None:
    await prepare(data)
    for seed in range(60 if soak else 5):
        await churn_and_kill(data, seed)
        assert (await look(data)).problems == (), f"seed {seed}"


@pytest.mark.soak
@pytest.mark.parametrize("kinds", ["commit prune", "commit tag rmi undo"])
async def test_a_store_killed_in_one_kind_of_change_is_in_order(
    data: Path, soak: bool, kinds: str
) -> None:
    await prepare(data)
    for seed in range(50 if soak else 2):
        await churn_and_kill(data, seed, kinds)
        assert (await look(data)).problems == (), f"seed {seed}"
