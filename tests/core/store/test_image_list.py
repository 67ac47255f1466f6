"""The kept list of images is what the index says, after every change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.store.images import load_images
from core.verbs.storage import PruneSpec
from tests.core.store.conftest import add_image

if TYPE_CHECKING:
    from core.store.store import Store


async def test_the_list_follows_every_change(store: Store) -> None:
    async def same() -> None:
        assert store.images() == load_images(store._index)

    await same()
    async with store.lease() as lease:
        first = await add_image(store, lease, "a", reference="q.io/a:1", pinned=True)
        await same()
        second = await add_image(store, lease, "a", "b", reference="q.io/b:1", parent=first)
        await same()
        await store.create_distro("dev", second, url="u")
        await same()
    for change in (
        store.tag_image(first, "q.io/b:1"),
        store.remove_distro("dev"),
        store.undo("dev"),
        store.untag_image("q.io/a:1"),
        store.remove_image(first, force=True),
        store.undo(),
        store.remove_distro("dev", now=True),
        store.prune(PruneSpec(all=True)),
    ):
        await change
        await same()
    assert store.images() == []
