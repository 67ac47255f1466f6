"""A prune tells what it deletes, deletes just that, and never what somebody needs."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from core.verbs.storage import PruneSpec
from tests.core.store.conftest import add_image, digest_of, nothing_left, stage

if TYPE_CHECKING:
    from pathlib import Path

    from core.store.store import Store

NAME = "q.io/x:1"


async def image(store: Store, *names: str, **more: object) -> str:
    async with store.lease() as lease:
        return await add_image(store, lease, *names, pinned=True, **more)


def on_disk(data: Path) -> dict[str, int]:
    """Every file and folder of the store that is not the index's own."""
    return {
        str(path.relative_to(data)): path.lstat().st_mtime_ns
        for path in data.rglob("*")
        if not path.name.startswith("index.sqlite")
    }


async def test_a_preview_changes_nothing_and_tells_what_then_goes(store: Store, data: Path) -> None:
    named = await image(store, "base", "named", reference=NAME)
    dangling = await image(store, "base", "dangling")
    await store.create_distro("dev", dangling, url="u")
    await store.remove_distro("dev")
    partial = data / "ingest" / ("e" * 64)
    partial.write_bytes(b"x" * 50)
    before = on_disk(data)
    preview = await store.prune(PruneSpec(dry_run=True))
    assert on_disk(data) == before
    assert [one.name for one in store.trash()] == ["dev"]
    kinds = {item.kind: item for item in preview.items}
    assert set(kinds) == {"trash", "image", "partial"}
    assert kinds["image"].name == dangling
    assert kinds["partial"].size == 50
    assert preview.size == sum(item.size for item in preview.items)

    pruned = await store.prune(PruneSpec())
    assert (pruned.items, pruned.size) == (preview.items, preview.size)
    assert [one.digest for one in store.images()] == [named]
    assert store.trash() == []
    assert not partial.exists()
    assert len(list((data / "layers").iterdir())) == 2


async def test_bytes_that_two_images_share_are_told_once(store: Store) -> None:
    await image(store, "base", "one")
    await image(store, "base", "two")
    pruned = await store.prune(PruneSpec())
    assert len(pruned.items) == 2
    assert 300 < pruned.size < 2000


async def test_all_takes_named_images_too_but_none_that_a_distro_uses(
    store: Store, data: Path
) -> None:
    await image(store, "one", reference=NAME)
    used = await image(store, "two", reference="q.io/y:2")
    await store.create_distro("dev", used, url="u")
    assert (await store.prune(PruneSpec())).items == ()
    await store.prune(PruneSpec(all=True))
    assert [one.digest for one in store.images()] == [used]
    await store.remove_distro("dev")
    await store.prune(PruneSpec(all=True))
    assert nothing_left(data) == []


async def test_steps_of_a_build_stay_while_its_result_does(store: Store) -> None:
    step = await image(store, "a", intermediate=True, origin="build")
    result = await image(store, "a", "b", reference=NAME, parent=step, origin="build")
    old = await image(store, "a", "c", intermediate=True, parent=step, origin="build")
    pruned = await store.prune(PruneSpec())
    assert [(item.kind, item.name) for item in pruned.items] == [("build cache", old)]
    assert {one.digest for one in store.images()} == {step, result}
    await store.prune(PruneSpec(all=True))
    assert store.images() == []


async def test_until_spares_what_is_younger(store: Store) -> None:
    await image(store, "a")
    await store.create_distro("x", None, url="host:")
    await store.remove_distro("x")
    assert (await store.prune(PruneSpec(until=time.time() - 3600))).items == ()
    assert len(store.trash()) == 1
    assert len((await store.prune(PruneSpec(until=time.time() + 1))).items) == 2


async def test_what_a_job_holds_survives_a_prune(store: Store, data: Path) -> None:
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a")
        staged = stage(store, "b")
        blob = digest_of("blob")
        await store.intake.hold(lease, [staged.key, blob])
        store.intake.stage(staged)
        store.layout.partial(blob).write_bytes(b"half")
        download = data / "ingest" / "url-abc"
        download.touch()
        assert (await store.prune(PruneSpec(all=True))).items == ()
        assert store.image(digest)
        assert staged.tree.is_dir()
        assert download.exists()
        assert store.intake.received(blob) == 4
    await store.prune(PruneSpec(all=True))
    assert nothing_left(data) == []


async def test_blobs_and_layers_of_no_image_go(store: Store, data: Path) -> None:
    await image(store, "a", reference=NAME)
    loose = data / "blobs/sha256/ff" / ("f" * 64)
    loose.parent.mkdir(exist_ok=True)
    loose.write_bytes(b"12345")
    (item,) = (await store.prune(PruneSpec())).items
    assert (item.kind, item.size) == ("blob", 5)
    assert not loose.exists()


async def test_a_snapshot_keeps_its_image(store: Store) -> None:
    digest = await image(store, "a")
    record = await store.create_distro("dev", None, url="host:")
    with store._index.write() as connection:
        connection.execute(
            "INSERT INTO snapshot (id, distro, name, created, comment, image, repo_digest, version,"
            " os_name, tree, size) VALUES ('1', ?, 'before', 0, '', ?, '', '', '', 'upper', 0)",
            (record.id, digest),
        )
    assert (await store.prune(PruneSpec(all=True))).items == ()
    await store.remove_distro("dev")
    await store.prune(PruneSpec(all=True))
    assert store.images() == []


async def test_old_partials_go_and_leave_the_young(store: Store, data: Path) -> None:
    old, young = data / "ingest/old", data / "ingest/young"
    for path in (old, young):
        path.touch()
    os.utime(old, (1, 1))
    await store.prune(PruneSpec(until=time.time() - 3600))
    assert not old.exists()
    assert young.exists()
