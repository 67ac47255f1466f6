"""What every engine promises of a distro's changes, shown on real images and sandboxes."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import tarfile
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from core.domain import PullSpec, RunSpec, ShellSpec
from core.errors import Conflict, InvalidInput, NotFound, Refused
from core.verbs.changes import (
    CommitSpec,
    CreateSpec,
    ExportSpec,
    RollbackSpec,
    SnapshotSpec,
    UpgradeSpec,
)
from tests.core.conftest import SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.domain import Job
    from core.engine import Engine


@pytest.fixture
def box(opener, fix):
    """Opens the engine under test with a distro ``box``; distros are stopped at the end."""

    @asynccontextmanager
    async def open_one() -> AsyncIterator[Engine]:
        async with opener() as engine:
            source = f"{fix['registries']['plain']['host']}/lib/busybox"
            await done(engine, await engine.pull(PullSpec(name="box", source=source)))
            try:
                yield engine
            finally:
                for distro in await engine.distros():
                    await engine.stop(distro.name)

    return open_one


async def done(engine: Engine, job: Job) -> Job:
    async with asyncio.timeout(3 * SECONDS):
        return await engine.result(job.id)


async def sh(engine: Engine, script: str, distro: str = "box") -> str:
    result = await engine.run(RunSpec(distro=distro, argv=("sh", "-c", script)))
    assert result.exit_code == 0, result
    return result.stdout.decode().strip()


async def commit(engine: Engine, **fields: Any) -> str:
    spec = CommitSpec(**{"distro": "box", **fields})
    return (await done(engine, await engine.commit(spec))).result


async def snapshot(engine: Engine, name: str = "", **fields: Any) -> str:
    spec = SnapshotSpec(distro="box", name=name, **fields)
    return (await done(engine, await engine.snapshot(spec))).result


async def rollback(engine: Engine, name: str, **fields: Any) -> str:
    spec = RollbackSpec(distro="box", snapshot=name, **fields)
    return (await done(engine, await engine.rollback(spec))).result


# -- commit and create ----------------------------------------------------------------------------


async def test_a_distro_from_a_committed_image_has_the_changes(box) -> None:
    async with box() as engine:
        await sh(engine, "echo new > /new; echo changed > /etc/motd; rm /bin/true")
        digest = await commit(engine, reference="localhost/mine:1")
        job = await engine.create(CreateSpec(name="other", image="localhost/mine:1", pull="never"))
        assert (await done(engine, job)).result == "other"
        assert (await engine.distro("other")).image_digest == digest
        assert await sh(engine, "cat /new /etc/motd", "other") == "new\nchanged"
        assert await sh(engine, "ls /bin/true 2>&1 || echo gone", "other") != "/bin/true"


async def test_a_commit_tells_what_it_is(box) -> None:
    async with box() as engine:
        await sh(engine, "touch /new")
        base = (await engine.distro("box")).image_digest
        before = await engine.history(base)
        digest = await commit(
            engine,
            reference="mine",
            message="the first",
            author="me",
            changes=("ENV A=b", 'CMD ["true"]'),
        )
        image = await engine.image(digest)
        newest, *older = await engine.history(digest)
        job = await engine.create(CreateSpec(name="other", image=digest))
        await done(engine, job)
        assert await sh(engine, "echo $A", "other") == "b"
    assert image.references == ("docker.io/library/mine:latest",)
    assert (image.parent, image.origin) == (base, "commit")
    assert (newest.comment, newest.layer) == ("the first", image.layers[-1])
    assert older == before
    assert len(image.layers) == len({layer.diff_id for layer in image.layers})


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


async def test_what_runs_pauses_for_a_commit_and_goes_on(box) -> None:
    async with box() as engine:
        session = await engine.open(
            ShellSpec(distro="box", argv=("sh", "-c", "while read x; do echo $x > /told; done"))
        )
        await engine.input(session.id, b"first\n")
        while await sh(engine, "cat /told 2>/dev/null; true") != "first":
            pass
        await commit(engine)
        await engine.input(session.id, b"second\n")
        async with asyncio.timeout(SECONDS):
            while await sh(engine, "cat /told") != "second":
                pass
        assert [one.id for one in await engine.sessions() if one.state == "running"] == [session.id]


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


async def test_this_host_is_neither_committed_nor_exported(opener) -> None:
    async with opener() as engine:
        await done(engine, await engine.pull(PullSpec(name="host", source="host:")))
        with pytest.raises(Refused, match="own root"):
            await engine.commit(CommitSpec(distro="host"))
        with pytest.raises(Refused, match="own root"):
            await engine.export(ExportSpec(distro="host", path="/nowhere"))
        with pytest.raises(Refused, match="own means"):
            await engine.upgrade(UpgradeSpec(distro="host"))


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


# -- clone and rename -----------------------------------------------------------------------------


async def test_a_clone_goes_its_own_way(box) -> None:
    async with box() as engine:
        await sh(engine, "echo before > /file; rm /bin/true")
        assert (await done(engine, await engine.clone("box", "twin"))).result == "twin"
        await sh(engine, "echo here > /file")
        assert await sh(engine, "cat /file; ls /bin/true 2>/dev/null; true", "twin") == "before"
        await sh(engine, "echo there > /file", "twin")
        assert await sh(engine, "cat /file") == "here"
        twin, one = await engine.distro("twin"), await engine.distro("box")
        assert (twin.image_digest, twin.url) == (one.image_digest, one.url)
        with pytest.raises(Conflict, match="twin: the name is taken"):
            await engine.clone("box", "twin")


async def test_what_runs_goes_on_under_a_new_name(box) -> None:
    async with box() as engine:
        session = await engine.open(ShellSpec(distro="box", argv=("cat",)))
        renamed = await engine.rename("box", "crate")
        assert (renamed.name, renamed.sessions) == ("crate", 1)
        found = [one for one in await engine.sessions() if one.id == session.id]
        assert [(one.distro, one.state) for one in found] == [("crate", "running")]
        assert await sh(engine, "echo there", "crate") == "there"
        with pytest.raises(NotFound):
            await engine.distro("box")
        await engine.close(session.id)
        assert [one.name for one in await engine.distros()] == ["crate"]


async def test_a_new_name_stays_with_an_engine_that_comes_later(box, opener) -> None:
    async with box() as engine:
        await engine.rename("box", "crate")
        with pytest.raises(InvalidInput):
            await engine.rename("crate", "not a name")
    async with opener() as engine:
        assert [one.name for one in await engine.distros()] == ["crate"]


# -- snapshots ------------------------------------------------------------------------------------


async def test_going_back_brings_the_files_of_then(box) -> None:
    async with box() as engine:
        await sh(engine, "echo one > /file; rm /bin/true")
        assert await snapshot(engine, "first", comment="hello") == "first"
        await sh(engine, "echo two > /file; touch /later; rm /bin/false")
        kept = await rollback(engine, "first", force=True)
        assert await sh(engine, "cat /file; ls /later /bin/true /bin/false 2>/dev/null; true") == (
            "one\n/bin/false"
        )
        names = [(one.name, one.comment) for one in await engine.snapshots("box")]
        assert names == [(kept, "before going back to first"), ("first", "hello")]
        await rollback(engine, kept, force=True)
        assert await sh(engine, "cat /file; ls /later") == "two\n/later"


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


# -- export ---------------------------------------------------------------------------------------


async def test_an_export_pulled_again_is_the_same_system(box, tmp_path: Path) -> None:
    async with box() as engine:
        await sh(engine, "echo new > /new; rm -r /home; ln -s new /link")
        path = str(tmp_path / "box.tar.gz")
        job = await engine.export(ExportSpec(distro="box", path=path, compression="gzip"))
        assert (await done(engine, job)).result == path
        await done(engine, await engine.pull(PullSpec(name="again", source=path)))
        assert await sh(engine, "cat /link; ls -d /home 2>/dev/null; true", "again") == "new"
    assert [found.name for found in tmp_path.iterdir()] == ["box.tar.gz"]


async def test_the_stream_of_an_export_is_the_file(box, tmp_path: Path) -> None:
    async with box() as engine:
        await sh(engine, "echo new > /new")
        await engine.stop("box")
        path = tmp_path / "box.tar"
        await done(engine, await engine.export(ExportSpec(distro="box", path=str(path))))
        streamed = b""
        spec = ExportSpec(distro="box", compression="gzip")
        async with engine.export_stream(spec) as pieces:
            async for piece in pieces:
                streamed += piece
    assert gzip.decompress(streamed) == path.read_bytes()
    with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as archive:
        member = archive.extractfile("new")
        assert member
        assert member.read() == b"new\n"


async def test_a_reader_who_leaves_an_export_stops_it(box) -> None:
    async with box() as engine:
        async with engine.export_stream(ExportSpec(distro="box")) as pieces:
            async for _ in pieces:
                break
        assert await sh(engine, "echo alive") == "alive"


@pytest.mark.parametrize("path", ["relative.tar", "/no/such/folder/x.tar", "/dev/null"])
async def test_an_export_to_nowhere_leaves_nothing(box, path: str) -> None:
    async with box() as engine:
        job = await engine.export(ExportSpec(distro="box", path=path))
        with pytest.raises(InvalidInput):
            await done(engine, job)
