"""Opening after a crash: what was not committed is gone, what was is whole."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from core.errors import NotFound
from core.store.store import Store
from tests.core.store.conftest import add_image

if TYPE_CHECKING:
    from pathlib import Path


async def image_in(data: Path, *names: str, distro: str = "") -> str:
    async with (
        Store.open(data, privileged=True, idmap="root") as store,
        store.lease() as lease,
    ):
        digest = await add_image(store, lease, *names, reference="q.io/x:1")
        if distro:
            await store.create_distro(distro, digest, url="u")
    return digest


async def test_uncommitted_layers_go_and_committed_ones_stay(data: Path) -> None:
    digest = await image_in(data, "a")
    for stray in (data / "staging/x/fs", data / "layers" / ("f" * 64) / "fs"):
        stray.mkdir(parents=True)
    (data / "l" / "999").symlink_to("../layers/nowhere/fs")
    async with Store.open(data, privileged=True, idmap="root") as store:
        assert not list((data / "staging").iterdir())
        assert len(list((data / "layers").iterdir())) == 1
        assert len(list((data / "l").iterdir())) == 1
        assert store.layer_paths(digest)[0].is_dir()


async def test_a_short_name_that_is_missing_is_made_again(data: Path) -> None:
    digest = await image_in(data, "a")
    next((data / "l").iterdir()).unlink()
    async with Store.open(data, privileged=True, idmap="root") as store:
        assert store.layer_paths(digest)[0].is_dir()


async def test_a_removal_that_was_cut_is_finished(data: Path) -> None:
    await image_in(data, "a", distro="x")
    async with Store.open(data, privileged=True, idmap="root") as store:
        with store._index.write() as connection:
            connection.execute("UPDATE distro SET removed = 1")
    async with Store.open(data, privileged=True, idmap="root") as store:
        with pytest.raises(NotFound):
            store.distro("x")
        assert not list((data / "distros").iterdir())


async def test_a_writable_layer_with_work_in_it_is_never_thrown_away(data: Path) -> None:
    full, empty = data / "distros/full/upper", data / "distros/empty/upper"
    for folder in (full, empty):
        folder.mkdir(parents=True)
    (full / "work-of-months").touch()
    async with Store.open(data, privileged=True, idmap="root"):
        assert (full / "work-of-months").exists()
        assert not empty.exists()


async def test_work_outlives_the_loss_of_the_index_in_whichever_tree_it_is(data: Path) -> None:
    await image_in(data, "a", distro="x")
    async with Store.open(data, privileged=True, idmap="root") as store:
        (store.distro("x").upper / "work").touch()
        async with store.copied(store.distro("x").upper) as stage:
            await store.change_tree(store.distro("x"), stage, keep=None)
        async with store.copied(store.distro("x").upper) as stage:
            await store.clone_distro(store.distro("x"), "y", stage)
    for path in data.glob("index.sqlite*"):
        path.unlink()
    async with Store.open(data, privileged=True, idmap="root") as store:
        assert len(list((data / "distros").glob("*/trees/*/fs/work"))) == 2
        found = (await store.fsck(repair=True)).problems
        assert {problem.what.partition("/")[0] for problem in found} == {"distros"}
    assert len(list((data / "distros").glob("*/trees/*/fs/work"))) == 2


async def test_a_clone_that_was_cut_before_it_had_a_row_goes(data: Path) -> None:
    tree = data / "distros/half/trees/x/fs"
    tree.mkdir(parents=True)
    (tree / "copy").touch()
    (data / "distros/half/unfinished").touch()
    async with Store.open(data, privileged=True, idmap="root"):
        assert not list((data / "distros").iterdir())


async def test_partial_blobs_are_kept_for_two_weeks(data: Path) -> None:
    (data / "ingest").mkdir(parents=True)
    new, old = data / "ingest/new", data / "ingest/old"
    new.touch()
    old.touch()
    os.utime(old, (time.time() - 30 * 86400,) * 2)
    async with Store.open(data, privileged=True, idmap="root"):
        assert new.exists()
        assert not old.exists()
