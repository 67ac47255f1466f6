"""On a full disk a store can be opened, listed and cleared."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from core.errors import NoSpace
from core.store.reserve import SIZE, Reserve
from core.store.store import Store
from core.verbs.storage import PruneSpec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> None:
    with (folder / "fill").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


async def test_a_distro_can_be_removed_from_a_full_disk(small_disk: Path) -> None:
    async with Store.open(small_disk / "data", privileged=True, idmap="root") as store:
        await store.create_distro("deck", None, url="host:")
        fill(small_disk)
        with pytest.raises(NoSpace):
            await store.create_distro("more", None, url="host:")
    async with Store.open(small_disk / "data", privileged=True, idmap="root") as store:
        assert [one.name for one in store.distros()] == ["deck"]
        await store.remove_distro("deck")
        assert store.distros() == []


async def test_a_full_disk_names_prune_and_a_prune_makes_room(small_disk: Path) -> None:
    async with Store.open(small_disk / "data", privileged=True, idmap="root") as store:
        await store.create_distro("deck", None, url="host:")
        (store.distro("deck").upper / "big").write_bytes(bytes(2 << 20))
        await store.measure_distro("deck")
        fill(small_disk)
        with pytest.raises(NoSpace) as caught:
            await store.create_distro("more", None, url="host:")
        assert "distrodeck prune" in caught.value.hint
        await store.remove_distro("deck")
        pruned = await store.prune(PruneSpec())
        assert [item.name for item in pruned.items] == ["deck"]
        assert pruned.size >= 2 << 20
        await store.create_distro("more", None, url="host:")
        assert (await store.fsck()).problems == ()


async def test_the_reserve_comes_back_with_the_space(small_disk: Path) -> None:
    async with Store.open(small_disk / "data", privileged=True, idmap="root") as store:
        reserve = store.layout.reserve
        assert reserve.stat().st_blocks * 512 >= SIZE
        assert Reserve(reserve).spend()
        assert not Reserve(reserve).spend()
        fill(small_disk)
        await store.empty_trash()
        assert not reserve.exists()
        (small_disk / "fill").unlink()
        await store.empty_trash()
        assert reserve.exists()
