"""References given, taken and moved; images removed as docker and podman do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Conflict, NotFound
from core.verbs.storage import Removal
from tests.core.store.conftest import add_image, nothing_left

if TYPE_CHECKING:
    from pathlib import Path

    from core.store.store import Store

ONE, TWO = "q.io/one:1", "q.io/two:2"


async def image(store: Store, *names: str, reference: str = ONE, **more: str) -> str:
    async with store.lease() as lease:
        return await add_image(store, lease, *names, reference=reference, pinned=True, **more)


async def test_a_tag_is_one_more_name(store: Store) -> None:
    digest = await image(store, "a")
    assert (await store.tag_image(digest, TWO)).references == (ONE, TWO)
    assert store.find_image(TWO).digest == digest
    with pytest.raises(NotFound):
        await store.tag_image("sha256:" + "0" * 64, TWO)


async def test_a_tag_moves_from_one_image_to_the_other(store: Store) -> None:
    first = await image(store, "a")
    second = await image(store, "b", reference=TWO)
    await store.tag_image(second, ONE)
    assert store.image(first).references == ()
    assert store.image(second).references == (ONE, TWO)


async def test_an_image_that_cannot_be_pulled_again_outlives_its_last_name(store: Store) -> None:
    made = await image(store, "a", origin="commit")
    await store.tag_image(await image(store, "b", reference=TWO), ONE)
    await store.create_distro("x", None, url="host:")
    await store.remove_distro("x", now=True)
    assert store.image(made).references == ()


async def test_untag_leaves_the_image(store: Store) -> None:
    digest = await image(store, "a")
    assert await store.untag_image(ONE) == Removal(untagged=(ONE,))
    assert store.image(digest).references == ()
    with pytest.raises(NotFound):
        await store.untag_image(ONE)


async def test_one_name_of_several_is_only_untagged(store: Store) -> None:
    digest = await image(store, "a")
    await store.tag_image(digest, TWO)
    assert await store.remove_image(digest, reference=ONE) == Removal(untagged=(ONE,))
    removal = await store.remove_image(digest, reference=TWO)
    assert removal == Removal(untagged=(TWO,), deleted=(digest,))
    with pytest.raises(NotFound):
        store.image(digest)


async def test_a_digest_with_several_names_needs_force(store: Store) -> None:
    digest = await image(store, "a")
    await store.tag_image(digest, TWO)
    with pytest.raises(Conflict, match="2 names") as caught:
        await store.remove_image(digest)
    assert "--force" in caught.value.hint
    removal = await store.remove_image(digest, force=True)
    assert removal == Removal(untagged=(ONE, TWO), deleted=(digest,))


async def test_an_image_that_distros_use_is_refused_and_names_them(store: Store) -> None:
    digest = await image(store, "a")
    await store.create_distro("dev", digest, url="u")
    for force in (False, True):
        with pytest.raises(Conflict, match="in use by dev"):
            await store.remove_image(digest, reference=ONE, force=force)
    assert store.image(digest).references == (ONE,)


async def test_what_a_job_needs_is_refused(store: Store) -> None:
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a", reference=ONE, pinned=True)
        with pytest.raises(Conflict, match="a running job"):
            await store.remove_image(digest)


async def test_an_image_others_were_made_from_only_loses_its_names(store: Store) -> None:
    base = await image(store, "a")
    child = await image(store, "a", "b", reference=TWO, parent=base)
    assert await store.remove_image(base, reference=ONE) == Removal(untagged=(ONE,))
    assert store.image(child).parent == base
    with pytest.raises(Conflict, match="made from it"):
        await store.remove_image(base)
    assert await store.remove_image(base, force=True) == Removal()
    assert store.image(base)


async def chain(store: Store) -> list[str]:
    """A base with a name, two parents without, and a child with one."""
    base = await image(store, "a")
    first = await image(store, "a", "b", reference="", parent=base)
    second = await image(store, "a", "b", "c", reference="", parent=first)
    return [base, first, second, await image(store, "a", "d", reference=TWO, parent=second)]


async def test_parents_without_a_name_go_with_their_last_child(store: Store) -> None:
    base, first, second, child = await chain(store)
    removal = await store.remove_image(child, reference=TWO)
    assert removal == Removal(untagged=(TWO,), deleted=(child, second, first))
    assert [one.digest for one in store.images()] == [base]


async def test_no_prune_keeps_the_parents(store: Store) -> None:
    *parents, child = await chain(store)
    removal = await store.remove_image(child, reference=TWO, prune=False)
    assert removal.deleted == (child,)
    assert {one.digest for one in store.images()} == set(parents)


async def test_a_parent_that_another_image_needs_stays(store: Store) -> None:
    _, _, second, child = await chain(store)
    other = await image(store, "a", "e", reference="q.io/other:1", parent=second)
    removal = await store.remove_image(child, reference=TWO)
    assert removal.deleted == (child,)
    assert store.image(second)
    assert store.image(other)


async def test_removed_now_nothing_is_left_on_the_disk(store: Store, data: Path) -> None:
    digest = await image(store, "a", "b")
    await store.remove_image(digest, now=True)
    await store.empty_trash()
    assert nothing_left(data) == []
    assert store.trash() == []


async def test_an_image_that_a_distro_in_the_trash_needs_cannot_go_for_good(store: Store) -> None:
    digest = await image(store, "a")
    await store.create_distro("dev", digest, url="u")
    await store.remove_distro("dev")
    with pytest.raises(Conflict, match=r"dev .* can still come back"):
        await store.remove_image(digest, now=True)
    await store.remove_image(digest)
    await store.undo("dev")
    assert store.image(digest).distros == ("dev",)
