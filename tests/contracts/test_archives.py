"""What every engine promises of archives."""

from __future__ import annotations

import asyncio
import io
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from core.domain import PullSpec
from core.errors import Cancelled, Corrupt, InvalidInput, NotFound
from core.verbs.archives import ImportSpec, LoadSpec, SaveSpec
from tests.core.conftest import SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.domain import Image
    from core.engine import Engine


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 100_000):
        yield body[start : start + 100_000]


async def fetch(engine: Engine, fix: dict[str, Any]) -> Image:
    source = f"{fix['registries']['plain']['host']}/lib/busybox"
    job = await engine.pull(PullSpec(source=source, image_only=True))
    return await engine.image((await engine.result(job.id)).result)


async def test_an_image_is_saved_removed_and_loaded(
    opener: Any, fix: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "x.tar"
    async with opener() as engine:
        image = await fetch(engine, fix)
        (name,) = image.references
        job = await engine.save(SaveSpec(names=(name,), path=str(path)))
        assert (await engine.result(job.id)).result == str(path)
        await engine.remove_image(name, now=True)
        assert await engine.images() == []
        job = await engine.load(LoadSpec(path=str(path)))
        loaded = await engine.image((await engine.result(job.id)).result)
    assert (loaded.references, loaded.origin) == ((name,), "load")
    assert loaded.config_digest == image.config_digest
    assert [one.diff_id for one in loaded.layers] == [one.diff_id for one in image.layers]


async def test_an_archive_goes_out_and_in_as_a_stream(opener: Any, fix: dict[str, Any]) -> None:
    async with opener() as engine:
        image = await fetch(engine, fix)
        spec = SaveSpec(names=image.references, format="oci-archive", compression="zstd")
        async with engine.archive(spec) as pieces:
            body = b"".join([piece async for piece in pieces])
        await engine.remove_image(image.digest, force=True, now=True)
        job = await engine.load(LoadSpec(), in_pieces(body))
        assert (await engine.result(job.id)).result == image.digest
        assert (await engine.image(image.digest)).references == image.references


async def test_a_bad_archive_is_told_by_the_job_before_all_of_it_came(opener: Any) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"no archive at all" * 4096

    async with opener() as engine, asyncio.timeout(30):
        job = await engine.load(LoadSpec(), endless())
        with pytest.raises(Corrupt, match="standard input"):
            await engine.result(job.id)


async def test_whoever_goes_away_with_half_an_archive_leaves_nothing(
    opener: Any, fix: dict[str, Any]
) -> None:
    halfway = asyncio.Event()

    async def half(body: bytes) -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        halfway.set()
        await asyncio.Event().wait()

    async with opener() as engine:
        image = await fetch(engine, fix)
        async with engine.archive(SaveSpec(names=image.references)) as pieces:
            body = b"".join([piece async for piece in pieces])
        await engine.remove_image(image.digest, force=True, now=True)
        loading = asyncio.create_task(engine.load(LoadSpec(), half(body)))
        async with asyncio.timeout(SECONDS):
            await halfway.wait()
            while not (jobs := [job for job in await engine.jobs() if job.kind == "load"]):
                await asyncio.sleep(0.01)
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        (job,) = jobs
        with pytest.raises(Cancelled):
            await engine.result(job.id)
        assert await engine.images() == []


def rootfs() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in ("etc/hostname", "bin/sh"):
            member = tarfile.TarInfo(name)
            member.size = 5
            archive.addfile(member, io.BytesIO(b"hello"))
    return out.getvalue()


@pytest.mark.parametrize("piped", [False, True], ids=["path", "stream"])
async def test_a_root_file_system_becomes_an_image(
    opener: Any, tmp_path: Path, piped: bool
) -> None:
    (tmp_path / "root.tar").write_bytes(rootfs())
    spec = ImportSpec(
        source="" if piped else str(tmp_path / "root.tar"),
        reference="q.io/made:1",
        message="by hand",
        changes=('CMD ["/bin/sh"]', "ENV A=1"),
        platform="linux/arm64",
    )
    async with opener() as engine:
        job = await engine.import_image(spec, in_pieces(rootfs()) if piped else None)
        digest = (await engine.result(job.id)).result
        image = await engine.image("q.io/made:1")
        (step,) = await engine.history("q.io/made:1")
    assert (image.digest, image.origin) == (digest, "import")
    assert str(image.platform) == "linux/arm64"
    assert step.comment == "by hand"


async def test_what_cannot_be_is_refused_before_a_job_is_made(opener: Any) -> None:
    async with opener() as engine:
        for call in (
            engine.load(LoadSpec(path="x.tar")),
            engine.load(LoadSpec()),
            engine.load(LoadSpec(path="/x", platform="nonsense")),
            engine.save(SaveSpec(names=(), path="/x")),
            engine.import_image(ImportSpec(source="x.tar")),
            engine.import_image(ImportSpec(source="/x", changes=("RUN make",))),
            engine.import_image(ImportSpec(source="/x", reference="UPPER")),
            engine.import_image(ImportSpec(source="/x", checksum="md5:1")),
        ):
            with pytest.raises(InvalidInput):
                await call
        with pytest.raises(NotFound):
            await engine.save(SaveSpec(names=("q.io/none:1",), path="/x"))
        assert await engine.jobs() == []
