"""What every engine promises of a distro's changes, shown on real images and sandboxes."""

from __future__ import annotations

import asyncio
import gzip
import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from core.domain import PullSpec, ShellSpec
from core.errors import Conflict, NotFound, Refused
from core.verbs.changes import (
    CommitSpec,
    CreateSpec,
    ExportSpec,
    UpgradeSpec,
)
from tests.core.changing import boxed, commit, done, rollback, sh, snapshot
from tests.core.conftest import SECONDS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def box(opener, fix):
    """Opens the engine under test with a distro ``box``."""
    return lambda: boxed(opener, fix)


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
    assert [one.created_by for one in older] == [one.created_by for one in before]
    assert len(image.layers) == len({layer.diff_id for layer in image.layers})


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


async def test_this_host_is_neither_committed_nor_exported(opener) -> None:
    async with opener() as engine:
        await done(engine, await engine.pull(PullSpec(name="host", source="host:")))
        with pytest.raises(Refused, match="own root"):
            await engine.commit(CommitSpec(distro="host"))
        with pytest.raises(Refused, match="own root"):
            await engine.export(ExportSpec(distro="host", path="/nowhere"))
        with pytest.raises(Refused, match="own means"):
            await engine.upgrade(UpgradeSpec(distro="host"))


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
