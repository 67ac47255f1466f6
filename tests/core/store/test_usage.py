"""Where the space goes: each byte once, shared or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.verbs.storage import PruneSpec
from tests.core.store.conftest import add_image

if TYPE_CHECKING:
    from pathlib import Path

    from core.store.store import Store


async def test_layers_and_blobs_are_counted_once_and_told_by_image(store: Store) -> None:
    async with store.lease() as lease:
        first = await add_image(store, lease, "base", "one", reference="q.io/1:1", pinned=True)
        await add_image(store, lease, "base", "two", pinned=True)
        await store.create_distro("dev", first, url="u")
    usage = await store.usage()
    spaces = {space.kind: space for space in usage.spaces}
    assert (spaces["images"].count, spaces["images"].active) == (2, 1)
    assert (spaces["layers"].count, spaces["layers"].size) == (3, 300)
    assert (spaces["layers"].active, spaces["layers"].reclaimable) == (2, 100)
    assert spaces["images"].size == spaces["layers"].size + spaces["blobs"].size
    assert usage.size == sum(space.size for space in usage.spaces[1:])
    (one,) = [image for image in usage.images if image.references]
    base = len(b"blob base")
    assert one.shared == 100 + base
    assert one.distros == 1
    assert usage.free > 0


async def test_what_is_reclaimable_is_what_a_prune_of_all_gives_back(
    store: Store, data: Path
) -> None:
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a", "b", reference="q.io/1:1", pinned=True)
    await store.create_distro("dev", digest, url="u")
    (store.distro("dev").upper / "file").write_bytes(b"x" * 10_000)
    await store.measure_distro("dev")
    await store.remove_distro("dev")
    (data / "ingest" / ("e" * 64)).write_bytes(b"x" * 70)
    usage = await store.usage()
    promised = sum(space.reclaimable for space in usage.spaces[1:])
    assert promised == usage.size > 10_270
    assert (await store.prune(PruneSpec(all=True))).size == promised
    assert (await store.usage()).size == 0
