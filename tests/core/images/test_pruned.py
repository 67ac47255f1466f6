"""A prune while something comes in: neither loses what the other needs."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from core.images.pull import pull_image
from core.images.reference import parse_reference
from core.images.tarball import import_tarball
from core.verbs.storage import PruneSpec
from tests.core.images.serving import tar
from tests.core.images.test_resume import arrival

if TYPE_CHECKING:
    from pathlib import Path

    from core.images.transport import Patience
    from core.store.store import Store
    from tests.core.images.serving import Served

EVERYTHING = PruneSpec(all=True)
LAYER = tar({"noise": os.urandom(600_000)})


async def install(store: Store, text: str, patience: Patience) -> str:
    """Pull, and install what came, as a job does."""
    async with store.lease() as lease:
        pulled = await pull_image(store, parse_reference(text), lease=lease, patience=patience)
        await asyncio.sleep(0)
        await store.create_distro("dev", pulled.digest, url=text)
        return pulled.digest


async def test_a_prune_in_the_middle_of_a_blob_leaves_it_to_go_on(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_image(tar({"first": b"x" * 1000}), LAYER, compress=False)
    digest = served.layers()[1]
    served.gates[digest] = gate = asyncio.Event()
    installing = asyncio.ensure_future(install(store, f"{served.host}/t/x", patience))
    await arrival(store, digest, len(LAYER) // 2)
    assert (await store.prune(EVERYTHING)).items == ()
    assert store.intake.received(digest) >= len(LAYER) // 2
    gate.set()
    image = await installing
    assert len(served.asked(digest)) == 1
    assert len(store.layer_paths(image)) == 2
    assert (await store.fsck()).problems == ()


async def test_prunes_all_through_a_pull_take_nothing_of_it(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_image(*(tar({f"f{n}": os.urandom(50_000)}) for n in range(6)))
    installing = asyncio.ensure_future(install(store, f"{served.host}/t/x", patience))
    while not installing.done():
        await store.prune(EVERYTHING)
    image = await installing
    assert (await store.prune(EVERYTHING)).items == ()
    assert store.image(image).distros == ("dev",)
    assert len(store.layer_paths(image)) == 6
    assert (await store.fsck()).problems == ()


async def test_prunes_all_through_an_import_take_nothing_of_it(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "rootfs.tar"
    path.write_bytes(tar({f"etc/f{n}": os.urandom(20_000) for n in range(40)}))

    async def bring() -> str:
        async with store.lease() as lease:
            found = await import_tarball(store, str(path), lease=lease)
            await store.create_distro("dev", found.digest, url=str(path))
            return found.digest

    importing = asyncio.ensure_future(bring())
    while not importing.done():
        await store.prune(EVERYTHING)
    assert len(store.layer_paths(await importing)) == 1
    assert (await store.fsck()).problems == ()
