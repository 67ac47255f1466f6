"""``fsck`` finds what is broken, mends what it can, and loses nobody's work."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from core.errors import Corrupt
from core.store.snapshots import Label
from tests.core.store.conftest import add_image, digest_of
from tests.core.store.test_prune import on_disk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.store.store import Store
    from core.verbs.storage import Checkup

NAME = "q.io/x:1"


@pytest.fixture
async def digest(store: Store) -> str:
    async with store.lease() as lease:
        found = await add_image(store, lease, "a", "b", reference=NAME, pinned=True)
        await store.create_distro("dev", found, url=NAME)
    (store.distro("dev").upper / "work").write_text("of months")
    return found


def kinds(checkup: Checkup) -> list[str]:
    return [problem.kind for problem in checkup.problems]


async def test_a_store_in_order_has_no_problems_and_all_of_it_is_read(
    store: Store, digest: str
) -> None:
    checkup = await store.fsck()
    assert checkup.problems == ()
    assert (checkup.images, checkup.layers, checkup.blobs, checkup.distros) == (1, 2, 4, 1)
    assert checkup.hashed > 50
    assert (await store.fsck(quick=True)).hashed == 0


def lose_layer(data: Path) -> None:
    shutil.rmtree(data / "layers" / digest_of("tree a")[7:])


def lose_blob(data: Path) -> None:
    blob = digest_of("blob a")[7:]
    (data / "blobs/sha256" / blob[:2] / blob).unlink()


def damage_blob(data: Path) -> None:
    blob = digest_of("blob a")[7:]
    (data / "blobs/sha256" / blob[:2] / blob).write_bytes(b"blob b")


def cut_blob(data: Path) -> None:
    blob = digest_of("blob a")[7:]
    (data / "blobs/sha256" / blob[:2] / blob).write_bytes(b"blo")


def wrong_link(data: Path) -> None:
    first, second = sorted((data / "l").iterdir())
    target = second.readlink()
    first.unlink()
    first.symlink_to(target)


def stray_layer(data: Path) -> None:
    (data / "layers" / ("f" * 64) / "fs").mkdir(parents=True)


def stray_blob(data: Path) -> None:
    (data / "blobs/sha256/ff").mkdir()
    (data / "blobs/sha256/ff/notes.txt").touch()


def lose_folders(data: Path) -> None:
    (folder,) = (data / "distros").iterdir()
    shutil.rmtree(folder / "work")
    shutil.rmtree(folder / "home")


HARM = {
    lose_layer: ["image"],
    lose_blob: ["image"],
    damage_blob: ["blob"],
    cut_blob: ["image", "blob"],
    wrong_link: ["layer"],
    stray_layer: ["orphan"],
    stray_blob: ["orphan"],
    lose_folders: ["distro", "distro"],
}


@pytest.mark.parametrize(
    ("harm", "found"), HARM.items(), ids=lambda one: getattr(one, "__name__", "")
)
async def test_harm_is_found_and_told_without_a_change(
    store: Store, data: Path, digest: str, harm: Callable[[Path], None], found: list[str]
) -> None:
    harm(data)
    before = on_disk(data)
    checkup = await store.fsck()
    assert kinds(checkup) == found
    assert all(one.what and one.why and one.repair for one in checkup.problems)
    assert not any(one.repaired for one in checkup.problems)
    assert on_disk(data) == before


@pytest.mark.parametrize("harm", HARM, ids=lambda one: one.__name__)
async def test_after_a_repair_and_a_pull_all_is_well(
    store: Store, data: Path, digest: str, harm: Callable[[Path], None]
) -> None:
    harm(data)
    checkup = await store.fsck(repair=True)
    assert all(one.repaired for one in checkup.problems)
    left = (await store.fsck()).problems
    assert all("pull it again" in one.repair for one in left)
    async with store.lease() as lease:
        await add_image(store, lease, "a", "b", reference=NAME, pinned=True)
    await store.empty_trash()
    assert (await store.fsck()).problems == ()
    assert [path.is_dir() for path in store.layer_paths(digest)] == [True, True]
    assert (store.distro("dev").upper / "work").read_text() == "of months"


async def test_a_distro_whose_layer_is_missing_says_so(
    store: Store, data: Path, digest: str
) -> None:
    lose_layer(data)
    await store.fsck(repair=True)
    assert "missing" in store.image(digest).broken
    with pytest.raises(Corrupt, match="missing") as caught:
        store.layer_paths(digest)
    assert "pull" in caught.value.hint


async def test_a_distro_whose_blob_is_missing_still_runs(
    store: Store, data: Path, digest: str
) -> None:
    lose_blob(data)
    await store.fsck(repair=True)
    assert store.image(digest).broken
    assert len(store.layer_paths(digest)) == 2


async def test_a_writable_layer_of_no_distro_is_never_deleted(store: Store, data: Path) -> None:
    work = data / "distros/lost/upper/work"
    work.parent.mkdir(parents=True)
    work.write_text("of months")
    (problem,) = (await store.fsck(repair=True)).problems
    assert problem.kind == "orphan"
    assert not problem.repaired
    assert work.exists()


async def test_what_a_job_brings_in_is_no_problem(store: Store) -> None:
    async with store.lease():
        store.intake.new_stage()
        assert (await store.fsck(repair=True)).problems == ()


async def test_an_index_of_sqlite_that_lacks_rows_is_made_again(
    store: Store, data: Path, digest: str
) -> None:
    with store._index.write() as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = sql || ' AND name != ''dev''' WHERE name = ?",
            ("distro_name",),
        )
        connection.execute("PRAGMA writable_schema = OFF")
        connection.execute("PRAGMA schema_version = 9999")
    index, store._index = store._index, type(store._index)(data / "index.sqlite")
    try:
        assert set(kinds(await store.fsck())) == {"index"}
        assert all(problem.repaired for problem in (await store.fsck(repair=True)).problems)
        assert (await store.fsck()).problems == ()
    finally:
        store._index.close()
        store._index = index


async def test_clones_and_snapshots_have_their_folders_and_one_that_lost_it_is_forgotten(
    store: Store, digest: str
) -> None:
    record = store.distro("dev")
    async with store.copied(record.upper) as stage:
        await store.clone_distro(record, "twin", stage)
    async with store.copied(record.upper) as stage:
        await store.add_snapshot(record, stage, Label(name="kept"))
    assert (await store.fsck()).problems == ()
    assert (store.distro("twin").upper / "work").read_text() == "of months"
    snapshot, _, tree = store.find_snapshot(record, "kept")
    shutil.rmtree(tree)
    (problem,) = (await store.fsck(repair=True)).problems
    assert (problem.kind, problem.what, problem.repaired) == ("snapshot", "kept of dev", True)
    assert store.snapshots() == []
    assert (await store.fsck()).problems == ()
    assert snapshot.name == "kept"
