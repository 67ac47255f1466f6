"""Snapshots and the trees of a distro, over crashes too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Conflict, NotFound
from core.store.snapshots import Label, adopt
from core.store.store import Store
from tests.core.images.committing import make_distro

if TYPE_CHECKING:
    from pathlib import Path

    from core.store.records import DistroRecord


async def keep(store: Store, record: DistroRecord, name: str) -> str:
    async with store.copied(record.upper) as stage:
        return await store.add_snapshot(record, stage, Label(name=name))


def trees(store: Store, record: DistroRecord) -> set[str]:
    """The folders of all trees that the distro's folder holds."""
    folder = store.layout.distros / record.id
    found = {path.name for path in (folder / "trees").iterdir()}
    return found | {path.name for path in folder.iterdir() if path.name == "upper"}


async def test_a_change_of_tree_is_whole_at_once(data: Path, tmp_path: Path) -> None:
    async with Store.open(data, privileged=True, idmap="root") as store:
        record = await make_distro(store, tmp_path)
        (record.upper / "one").touch()
        async with store.copied(None, record.image_digest) as stage:
            name = await store.change_tree(record, stage, keep=Label(name=""))
        now = store.distro("box")
        assert not list(now.upper.iterdir())
        _, base, tree = store.find_snapshot(now, name)
        assert base.image == record.image_digest
        assert [path.name for path in tree.iterdir()] == ["one"]
        with pytest.raises(Conflict, match="changed meanwhile"):
            async with store.copied(None) as stage:
                await store.change_tree(record, stage, keep=None)
        assert len(trees(store, now)) == 2
        assert not list(store.layout.staging.iterdir())


async def test_a_tree_that_was_not_shown_goes_at_the_next_opening(
    data: Path, tmp_path: Path
) -> None:
    async with Store.open(data, privileged=True, idmap="root") as store:
        record = await make_distro(store, tmp_path)
        await keep(store, record, "kept")
        before = trees(store, record)
        stage = store.intake.new_stage()
        (stage / "fs").mkdir()
        adopt(store.layout, record.id, stage)
        assert trees(store, record) != before
    async with Store.open(data, privileged=True, idmap="root") as store:
        assert trees(store, record) == before
        assert [one.name for one in store.snapshots()] == ["kept"]


async def test_a_snapshot_keeps_its_image(data: Path, tmp_path: Path) -> None:
    async with Store.open(data, privileged=True, idmap="root") as store:
        record = await make_distro(store, tmp_path)
        other = await make_distro(store, tmp_path, "other")
        name = await keep(store, record, "")
        assert store.snapshots(other) == []
        await store.remove_snapshot(record, name)
        assert store.image(record.image_digest)
        with pytest.raises(NotFound):
            store.find_snapshot(record, name)


async def test_names_of_a_second_are_told_apart(data: Path, tmp_path: Path) -> None:
    async with Store.open(data, privileged=True, idmap="root") as store:
        record = await make_distro(store, tmp_path)
        names = [await keep(store, record, "") for _ in range(3)]
        assert len(set(names)) == 3
        await keep(store, record, "x")
        with pytest.raises(Conflict, match="a snapshot of that name"):
            await keep(store, record, "x")
        assert len(trees(store, record)) == 5
