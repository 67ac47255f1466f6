"""Changes of a distro in the engine of this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from core.domain import ShellSpec
from core.errors import Conflict, InvalidInput, NotFound
from core.verbs.changes import CommitSpec, CreateSpec, ExportSpec, RollbackSpec, SnapshotSpec
from tests.core.changing import boxed, commit, done, rollback, sh, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from core.engine import Engine
    from tests.core.conftest import Deck


@pytest.fixture
def opener(deck: Deck) -> Callable[[], AbstractAsyncContextManager[Engine]]:
    """Opens an engine in this process."""
    return lambda: deck.open(embedded=True)


@pytest.fixture
def box(opener: Any, fix: dict[str, Any]) -> Callable[[], AbstractAsyncContextManager[Engine]]:
    """Opens it with a distro ``box``."""
    return lambda: boxed(opener, fix)


async def test_a_commit_of_nothing_adds_no_layer(box) -> None:
    async with box() as engine:
        base = await engine.image((await engine.distro("box")).image_digest)
        image = await engine.image(await commit(engine))
        newest = (await engine.history(image.digest))[0]
    assert image.layers == base.layers
    assert newest.layer is None


async def test_a_squashed_commit_is_one_layer(box) -> None:
    async with box() as engine:
        await sh(engine, "echo new > /new; rm -r /home")
        digest = await commit(engine, squash=True)
        image = await engine.image(digest)
        await done(engine, await engine.create(CreateSpec(name="other", image=digest)))
        assert await sh(engine, "cat /new; ls -d /home 2>/dev/null; true", "other") == "new"
    assert len(image.layers) == 1


async def test_a_whole_config_replaces_the_one_of_the_image(box) -> None:
    async with box() as engine:
        digest = await commit(engine, config=json.dumps({"Env": ["ONLY=this"], "User": "root"}))
        await done(engine, await engine.create(CreateSpec(name="other", image=digest)))
        assert await sh(engine, "echo $ONLY", "other") == "this"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"distro": "nobody"}, NotFound),
        ({"reference": "UPPER case"}, InvalidInput),
        ({"reference": "a@sha256:" + 64 * "0"}, InvalidInput),
        ({"changes": ("RUN true",)}, InvalidInput),
        ({"config": "{"}, InvalidInput),
    ],
)
async def test_a_commit_that_cannot_be_meant_starts_nothing(
    box, fields: dict[str, Any], error: type[Exception]
) -> None:
    async with box() as engine:
        with pytest.raises(error):
            await engine.commit(CommitSpec(**{"distro": "box", **fields}))
        assert not [job for job in await engine.jobs() if job.kind == "commit"]


async def test_create_pulls_what_is_missing_unless_told_never_to(opener, fix) -> None:
    source = f"{fix['registries']['plain']['host']}/lib/busybox"
    async with opener() as engine:
        job = await engine.create(CreateSpec(name="new", image=source, pull="never"))
        with pytest.raises(NotFound):
            await done(engine, job)
        await done(engine, await engine.create(CreateSpec(name="new", image=source)))
        assert (await engine.distro("new")).url == source
        with pytest.raises(Conflict, match="new: the name is taken"):
            await engine.create(CreateSpec(name="new", image=source))


async def test_a_new_name_stays_with_an_engine_that_comes_later(box, opener) -> None:
    async with box() as engine:
        await engine.rename("box", "crate")
        with pytest.raises(InvalidInput):
            await engine.rename("crate", "not a name")
    async with opener() as engine:
        assert [one.name for one in await engine.distros()] == ["crate"]


async def test_what_is_there_can_be_thrown_away(box) -> None:
    async with box() as engine:
        await snapshot(engine, "empty")
        await sh(engine, "echo two > /file")
        assert await rollback(engine, "empty", force=True, discard=True) == ""
        assert [one.name for one in await engine.snapshots("box")] == ["empty"]
        assert await sh(engine, "ls /file 2>/dev/null; true") == ""


async def test_nobody_goes_back_under_a_running_session(box) -> None:
    async with box() as engine:
        await snapshot(engine, "first")
        session = await engine.open(ShellSpec(distro="box", argv=("cat",)))
        job = await engine.rollback(RollbackSpec(distro="box", snapshot="first"))
        with pytest.raises(Conflict, match="1 session running"):
            await done(engine, job)
        await engine.close(session.id)


async def test_snapshots_are_found_by_name_and_id_until_removed(box) -> None:
    async with box() as engine:
        unnamed = await snapshot(engine)
        await snapshot(engine, "named")
        with pytest.raises(Conflict, match="a snapshot of that name"):
            await engine.snapshot(SnapshotSpec(distro="box", name="named"))
        ids = {one.name: one.id for one in await engine.snapshots()}
        await engine.remove_snapshot("box", ids[unnamed])
        await engine.remove_snapshot("box", "named")
        assert await engine.snapshots("box") == []
        with pytest.raises(NotFound, match="no such snapshot"):
            await engine.remove_snapshot("box", "named")
        with pytest.raises(NotFound, match="no such snapshot"):
            await engine.rollback(RollbackSpec(distro="box", snapshot="named"))


@pytest.mark.parametrize("path", ["relative.tar", "/no/such/folder/x.tar", "/dev/null"])
async def test_an_export_to_nowhere_leaves_nothing(box, path: str) -> None:
    async with box() as engine:
        job = await engine.export(ExportSpec(distro="box", path=path))
        with pytest.raises(InvalidInput):
            await done(engine, job)


async def test_a_reader_who_takes_his_time_keeps_nobody_waiting(box) -> None:
    async with box() as engine:
        await engine.start("box")
        async with engine.export_stream(ExportSpec(distro="box")) as pieces:
            assert await anext(aiter(pieces))
            assert await sh(engine, "echo runs") == "runs"
            await engine.stop("box")
            assert await sh(engine, "echo starts") == "starts"


async def test_going_back_to_two_snapshots_is_two_jobs(box) -> None:
    async with box() as engine:
        for name in ("one", "two"):
            await snapshot(engine, name=name)
        jobs = [
            await engine.rollback(RollbackSpec(distro="box", snapshot=name))
            for name in ("one", "two", "two")
        ]
        assert jobs[0].id != jobs[1].id == jobs[2].id
        for job in jobs:
            await done(engine, job)


async def test_a_distro_is_said_to_come_from_the_name_it_was_made_by(box) -> None:
    async with box() as engine:
        image = (await engine.distro("box")).image_digest
        for name in ("a.io/x:1", "b.io/x:2"):
            await engine.tag(image, name)
        await done(engine, await engine.create(CreateSpec(name="other", image="b.io/x:2")))
        assert (await engine.distro("other")).url == "b.io/x:2"
