"""What was removed comes back for a while, and then no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Conflict, NotFound
from core.store.store import Store
from tests.core.store.conftest import add_image, nothing_left

if TYPE_CHECKING:
    from pathlib import Path

NAME = "q.io/x:1"


async def distro(store: Store, name: str = "dev") -> str:
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a", "b", reference=NAME)
        record = await store.create_distro(name, digest, url=NAME)
    (record.upper / "work").write_text("of months")
    return digest


async def test_a_distro_comes_back_with_all_that_was_written_in_it(store: Store) -> None:
    digest = await distro(store)
    before = store.distro("dev")
    await store.remove_distro("dev")
    assert store.distros() == []
    (entry,) = store.trash()
    assert (entry.what, entry.name) == ("distro", "dev")
    assert entry.until - entry.removed == store.trash_seconds
    assert (await store.undo()).name == "dev"
    assert store.distro("dev") == before
    assert (before.upper / "work").read_text() == "of months"
    assert store.image(digest).distros == ("dev",)
    assert store.trash() == []


async def test_a_name_taken_meanwhile_is_told_and_another_will_do(store: Store) -> None:
    await distro(store)
    await store.remove_distro("dev")
    await store.create_distro("dev", None, url="host:")
    with pytest.raises(Conflict, match="taken meanwhile") as caught:
        await store.undo("dev")
    assert "--name" in caught.value.hint
    assert (await store.undo("dev", rename="old")).name == "old"
    assert {one.name for one in store.distros()} == {"dev", "old"}


async def test_undo_takes_the_last_or_what_is_named(store: Store) -> None:
    for name in ("one", "two", "three"):
        await store.create_distro(name, None, url="host:")
        await store.remove_distro(name)
    assert [entry.name for entry in store.trash()] == ["three", "two", "one"]
    assert (await store.undo("two")).name == "two"
    assert (await store.undo()).name == "three"
    (left,) = store.trash()
    assert (await store.undo(left.id)).name == "one"
    with pytest.raises(NotFound, match="is empty"):
        await store.undo()
    with pytest.raises(NotFound, match="nothing of that name"):
        await store.undo("two")


async def test_after_its_time_a_distro_goes_with_its_image_and_blobs(data: Path) -> None:
    async with Store.open(data, privileged=True, idmap="root", trash_seconds=0) as store:
        await distro(store)
        await store.remove_distro("dev")
        await store.expire_trash()
        await store.empty_trash()
        assert store.trash() == []
        assert nothing_left(data) == []


async def test_before_its_time_nothing_goes_also_over_a_restart(data: Path) -> None:
    async with Store.open(data, privileged=True, idmap="root") as store:
        await distro(store)
        await store.remove_distro("dev")
        await store.expire_trash()
    async with Store.open(data, privileged=True, idmap="root") as store:
        await store.undo("dev")
        assert (store.distro("dev").upper / "work").exists()


async def test_an_image_comes_back_with_its_names_and_stays_if_it_stayed(store: Store) -> None:
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a", reference=NAME, pinned=True)
    await store.tag_image(digest, "q.io/y:2")
    before = store.image(digest)
    await store.remove_image(digest, force=True)
    assert store.images() == []
    await store.undo("q.io/x:1")
    assert store.image(digest) == before
    await store.create_distro("x", None, url="host:")
    await store.remove_distro("x", now=True)
    assert store.image(digest) == before


async def test_a_reference_comes_back_unless_it_is_taken(store: Store) -> None:
    async with store.lease() as lease:
        first = await add_image(store, lease, "a", reference=NAME, pinned=True)
        second = await add_image(store, lease, "b", pinned=True)
    await store.untag_image(NAME)
    await store.tag_image(second, NAME)
    with pytest.raises(Conflict, match="another image"):
        await store.undo()
    await store.untag_image(NAME)
    entries = [entry.id for entry in store.trash()]
    assert len(entries) == 2
    await store.undo(entries[-1])
    assert store.find_image(NAME).digest == first


async def test_a_reference_that_comes_back_brings_its_image_back(store: Store) -> None:
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a", reference=NAME, pinned=True)
    await store.untag_image(NAME)
    await store.remove_image(digest)
    await store.undo(NAME)
    assert store.image(digest).references == (NAME,)


async def test_an_image_pulled_again_is_no_longer_removed(store: Store, data: Path) -> None:
    for _ in range(2):
        async with store.lease() as lease:
            digest = await add_image(store, lease, "a", reference=NAME, pinned=True)
        assert store.image(digest).references == (NAME,)
        await store.remove_image(digest)
    async with store.lease() as lease:
        await add_image(store, lease, "a", reference=NAME, pinned=True)
    store.trash_seconds = 0
    await store.expire_trash()
    assert store.image(digest).references == (NAME,)
    assert len(list((data / "layers").iterdir())) == 1


async def test_what_was_deleted_for_good_leaves_nothing_to_undo(store: Store) -> None:
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a", reference=NAME, pinned=True)
    await store.untag_image(NAME)
    await store.remove_image(digest, now=True)
    assert store.trash() == []
