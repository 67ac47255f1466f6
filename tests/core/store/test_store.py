"""The store: images come in whole, distros are made of them, and everything goes again."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from core.errors import Conflict, Corrupt, NotFound, Unsupported
from core.store.store import Store
from tests.core.store.conftest import add_image, digest_of, nothing_left, stage

if TYPE_CHECKING:
    from pathlib import Path

NAME = "q.io/x:latest"


async def test_an_image_is_found_by_everything_that_names_it(store: Store) -> None:
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a", "b", reference=NAME)
        image = store.image(digest)
        await store.create_distro("mine", digest, url="u")
    names = (digest, digest[7:19], NAME, f"q.io/x@{digest}", image.config_digest[:20], "mine")
    assert {store.find_image(name).digest for name in names} == {digest}
    assert image.size == 200
    assert image.references == (NAME,)
    for name in ("", "sha256:", "zz", "q.io/y:latest", "0" * 64):
        with pytest.raises(NotFound):
            store.find_image(name)


async def test_a_beginning_that_fits_two_images_is_refused(store: Store) -> None:
    seen: dict[str, str] = {}
    for number in range(10_000):
        name = f"n{number}"
        start = digest_of(json.dumps(["manifest", name]))[7:10]
        if start in seen:
            break
        seen[start] = name
    async with store.lease() as lease:
        for one in (name, seen[start]):
            await add_image(store, lease, one)
        with pytest.raises(Conflict, match="2 images begin so"):
            store.find_image(start)


async def test_layers_are_given_bottom_to_top_by_short_names(store: Store, data: Path) -> None:
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a", "b", "c")
    paths = store.layer_paths(digest)
    assert [next(path.iterdir()).name for path in paths] == ["a", "b", "c"]
    assert all(len(str(path.relative_to(data))) <= 4 for path in paths)


async def test_a_layer_that_comes_twice_is_stacked_once_at_the_top(store: Store) -> None:
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a", "b", "a")
    assert [next(path.iterdir()).name for path in store.layer_paths(digest)] == ["b", "a"]


async def test_history_is_newest_first_and_marks_empty_layers(store: Store) -> None:
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a", "b")
    lines = store.history(digest)
    assert [line.created_by for line in lines] == ["CMD sh", "add b", "add a"]
    assert lines[0].layer is None
    assert lines[1].layer is not None
    assert [line.size for line in lines] == [0, 100, 100]
    with pytest.raises(NotFound):
        store.history("sha256:x")


async def test_a_distro_has_its_folders_and_its_images_config(store: Store) -> None:
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a", reference=NAME)
        made = await store.create_distro("dev", digest, url=NAME, version="latest")
    assert store.distro("dev") == made
    assert made.upper.is_dir()
    assert made.work.is_dir()
    assert made.home.is_dir()
    assert made.upper.stat().st_mode & 0o777 == 0o755
    assert made.config.cmd == ("sh",)
    assert made.config.env == (("A", "1"),)
    assert made.repo_digest == f"q.io/x@{digest}"
    assert made.version == "latest"
    assert made.used == 0
    await store.touch_distro("dev")
    assert store.distro("dev").used > 0


async def test_this_host_is_a_distro_without_an_image(store: Store) -> None:
    made = await store.create_distro("host", None, url="host:")
    assert made.image_digest == ""
    assert made.version == store.os_release("").version_id
    await store.remove_distro("host")
    assert store.distros() == []


async def test_a_taken_name_is_refused_and_nothing_is_left(store: Store, data: Path) -> None:
    await store.create_distro("x", None, url="host:")
    with pytest.raises(Conflict, match="x: the name is taken"):
        await store.create_distro("x", None, url="host:")
    assert len(list((data / "distros").iterdir())) == 1


async def test_removing_the_last_distro_for_good_removes_its_image_and_blobs(
    store: Store, data: Path
) -> None:
    async with store.lease() as lease:
        first = await add_image(store, lease, "base", "one")
        second = await add_image(store, lease, "base", "two")
        await store.create_distro("one", first, url="1")
        await store.create_distro("two", second, url="2")
    await store.remove_distro("one", now=True)
    assert [image.digest for image in store.images()] == [second]
    assert len(list((data / "layers").iterdir())) == len(list((data / "l").iterdir())) == 2
    await store.remove_distro("two", now=True)
    await store.empty_trash()
    assert nothing_left(data) == []
    with pytest.raises(NotFound):
        await store.remove_distro("two")


async def test_an_image_pulled_for_its_own_sake_stays(store: Store) -> None:
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a", reference=NAME, pinned=True)
        await store.create_distro("x", digest, url="u")
    await store.remove_distro("x")
    assert store.image(digest)
    await store.remove_image(digest)
    assert store.images() == []


async def test_an_image_in_use_is_not_removed(store: Store) -> None:
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a")
        with pytest.raises(Conflict, match="a running job"):
            await store.remove_image(digest)
        await store.create_distro("x", digest, url="u")
    with pytest.raises(Conflict, match="in use by x"):
        await store.remove_image(digest)


async def test_what_is_leased_survives_a_collection(store: Store) -> None:
    await store.create_distro("other", None, url="host:")
    async with store.lease() as lease:
        digest = await add_image(store, lease, "a")
        other = await add_image(store, lease, "b")
        await store.create_distro("b", other, url="u")
        await store.remove_distro("b", now=True)
        assert store.layer_paths(digest)[0].is_dir()
        await store.create_distro("a", digest, url="u")
    assert [image.digest for image in store.images()] == [other, digest]


async def test_a_lease_that_ends_without_commit_leaves_no_layer(store: Store, data: Path) -> None:
    async with store.lease() as lease:
        staged = stage(store, "a")
        lease.digests.add(staged.key)
        store.intake.stage(staged)
        assert store.intake.layer(staged.key) is not None
    assert store.intake.layer(staged.key) is None
    assert not list((data / "staging").iterdir())


async def test_a_tag_that_moves_lets_the_old_image_go(store: Store) -> None:
    async with store.lease() as lease:
        await add_image(store, lease, "old", reference=NAME, pinned=True)
    async with store.lease() as lease:
        new = await add_image(store, lease, "new", reference=NAME, pinned=True)
        await store.create_distro("x", new, url="u")
    assert store.find_image(NAME).digest == new
    await store.remove_distro("x", now=True)
    assert [image.digest for image in store.images()] == [new]


async def test_sizes_tell_unique_from_shared(store: Store) -> None:
    async with store.lease() as lease:
        first = await add_image(store, lease, "base", "one")
        second = await add_image(store, lease, "base", "two")
        await store.create_distro("one", first, url="1")
    sizes = store.distro_sizes()["one"]
    assert (sizes.unique, sizes.shared) == (100, 100)
    spaces = {space.digest: space for space in (await store.usage()).images}
    assert spaces[second].unique > sizes.unique
    assert spaces[second].unique + spaces[second].shared > 200
    (store.distro("one").upper / "file").write_bytes(b"x" * 10_000)
    await store.measure_distro("one")
    assert store.distro_sizes()["one"].unique >= 10_100
    assert store.total_bytes() >= 10_300


async def test_session_numbers_start_at_2_and_never_come_again(data: Path) -> None:
    seen = []
    for _ in range(2):
        async with Store.open(data, privileged=True, idmap="root") as store:
            seen += [await store.next_session_id() for _ in range(3)]
    assert seen == [2, 3, 4, 5, 6, 7]


async def test_only_one_process_has_a_store_open(store: Store, data: Path) -> None:
    with pytest.raises(Conflict, match="another engine"):
        async with Store.open(data, privileged=True, idmap="root"):
            pass


async def test_another_id_mapping_is_refused_once_there_is_something(data: Path) -> None:
    async with Store.open(data, privileged=False, idmap="single"):
        pass
    async with Store.open(data, privileged=False, idmap="subuid") as store:
        await store.create_distro("x", None, url="host:")
    assert Store.recorded_idmap(data) == "subuid"
    with pytest.raises(Conflict, match=r"'subuid', now it is 'single'"):
        async with Store.open(data, privileged=False, idmap="single"):
            pass
    assert Store.recorded_idmap(data.with_name("none")) == ""


async def test_a_damaged_index_is_told(data: Path) -> None:
    data.mkdir()
    (data / "index.sqlite").write_bytes(b"x" * 8192)
    with pytest.raises(Corrupt, match="not a database"):
        async with Store.open(data, privileged=True, idmap="root"):
            pass


async def test_the_store_of_a_later_version_is_left_alone(store: Store, data: Path) -> None:
    with store._index.write() as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(Unsupported, match="later distrodeck"):
        type(store._index)(data / "index.sqlite")


async def test_the_sweeper_empties_the_trash_when_something_comes(store: Store, data: Path) -> None:
    sweeping = asyncio.ensure_future(store.sweep())
    await store.create_distro("x", None, url="host:")
    await store.remove_distro("x", now=True)
    async with asyncio.timeout(10):
        while list((data / "trash").iterdir()):
            await asyncio.sleep(0.01)
    sweeping.cancel()
