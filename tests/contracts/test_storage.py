"""Names, removal and care, as every engine has to do them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.domain import PullSpec, RunSpec
from core.errors import Conflict, InvalidInput, NotFound
from core.verbs.storage import ImageQuery, PruneSpec, Removal

if TYPE_CHECKING:
    from core.engine import Engine


async def pull(engine: Engine, fix: dict[str, Any], name: str = "") -> str:
    source = f"{fix['registries']['plain']['host']}/lib/busybox"
    job = await engine.pull(PullSpec(name=name, source=source, image_only=not name))
    await engine.result(job.id)
    return f"{source}:latest"


async def test_an_image_is_named_unnamed_removed_and_brought_back(opener, fix) -> None:
    async with opener() as engine:
        reference = await pull(engine, fix)
        image = await engine.tag(reference, "mine:1")
        mine = "docker.io/library/mine:1"
        assert image.references == (reference, mine)
        with pytest.raises(InvalidInput, match="digest"):
            await engine.tag(reference, f"mine@{image.digest}")
        assert await engine.untag("mine:1") == Removal(untagged=(mine,))
        assert (await engine.undo()).name == mine
        with pytest.raises(Conflict):
            await engine.remove_image(image.digest)
        removal = await engine.remove_image(image.digest, force=True)
        assert removal.deleted == (image.digest,)
        assert await engine.images() == []
        (entry,) = await engine.trash()
        await engine.undo(entry.id)
        found = await engine.images(ImageQuery(filters=(("reference", "mine"),)))
        assert [one.digest for one in found] == [image.digest]


async def test_a_removed_distro_comes_back_with_its_changes(opener, fix) -> None:
    async with opener() as engine:
        await pull(engine, fix, "bb")
        write = RunSpec(distro="bb", argv=("sh", "-c", "echo kept >/root/kept"))
        assert (await engine.run(write)).exit_code == 0
        await engine.remove("bb", force=True)
        with pytest.raises(NotFound):
            await engine.distro("bb")
        undone = await engine.undo("bb", rename="again")
        assert (undone.what, undone.name) == ("distro", "again")
        read = RunSpec(distro="again", argv=("cat", "/root/kept"))
        assert (await engine.run(read)).stdout == b"kept\n"


async def test_an_image_in_use_is_refused_and_a_distro_is_no_image(opener, fix) -> None:
    async with opener() as engine:
        reference = await pull(engine, fix, "bb")
        with pytest.raises(Conflict, match="in use by bb"):
            await engine.remove_image(reference, force=True)
        with pytest.raises(NotFound):
            await engine.remove_image("bb")


async def test_what_prune_and_usage_tell_agrees_and_fsck_is_content(opener, fix) -> None:
    async with opener() as engine:
        await pull(engine, fix, "bb")
        assert (await engine.fsck()).problems == ()
        await engine.remove("bb")
        usage = await engine.usage()
        plan = await engine.prune(PruneSpec(all=True, dry_run=True))
        assert plan.size == usage.size > 1_000_000
        pruned = await engine.prune(PruneSpec(all=True))
        assert pruned.items == plan.items
        assert (await engine.usage()).size == 0
        assert await engine.trash() == []
        assert (await engine.fsck(repair=True)).problems == ()
