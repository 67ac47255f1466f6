"""What every engine promises of builds."""

from __future__ import annotations

import asyncio
import io
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import DeckError, InvalidInput, NotFound
from core.verbs.builds import BuildSpec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def busybox(fix: dict[str, Any]) -> str:
    return f"{fix['registries']['plain']['host']}/lib/busybox"


async def context(dockerfile: str) -> AsyncIterator[bytes]:
    """An archive, in more pieces than fit into the pipe at once."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, body in (("Dockerfile", dockerfile.encode()), ("big", bytes(3 << 20))):
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    data = made.getvalue()
    for start in range(0, len(data), 100_000):
        yield data[start : start + 100_000]


async def test_a_build_is_a_job_whose_result_is_the_image(opener, fix) -> None:
    async with opener() as engine:
        text = f"FROM {busybox(fix)}\nRUN echo hello\nCMD true\n"
        job = await engine.build(BuildSpec(dockerfile=text, tags=("127.0.0.1:1/t/made:1",)))
        assert (job.kind, job.title) == ("build", "127.0.0.1:1/t/made:1")
        async with engine.build_output(job.id) as lines, asyncio.timeout(60):
            said = [line async for line in lines]
        done = await engine.result(job.id)
        assert (done.step, done.steps, done.doing) == (3, 3, "CMD true")
        assert (await engine.image("127.0.0.1:1/t/made:1")).digest == done.result
        steps = [(line.step, line.text, line.line) for line in said if line.kind == "step"]
        assert steps[1:] == [(2, "RUN echo hello", 2), (3, "CMD true", 3)]
        assert [line.text for line in said if line.kind == "output"] == ["hello"]
        # who comes late hears all of it
        async with engine.build_output(job.id) as lines, asyncio.timeout(60):
            assert [line async for line in lines] == said


async def test_content_is_the_context(opener) -> None:
    async with opener() as engine:
        job = await engine.build(BuildSpec(), context("FROM scratch\nCOPY big /\n"))
        image = await engine.image((await engine.result(job.id)).result)
        assert image.size == 3 << 20


async def test_what_is_wrong_with_a_build_is_told_at_once_or_by_the_job(opener) -> None:
    async with opener() as engine:
        with pytest.raises(InvalidInput):
            await engine.build(BuildSpec(dockerfile="FROM scratch", tags=("UPPER//",)))
        with pytest.raises(InvalidInput, match="content as well"):
            await engine.build(BuildSpec(context="/tmp"), context("FROM scratch"))
        assert await engine.jobs() == []
        job = await engine.build(BuildSpec(dockerfile="FROM scratch\nNO\n"))
        with pytest.raises(DeckError, match="Dockerfile:2"):
            await engine.result(job.id)
        with pytest.raises(NotFound):
            async with engine.build_output("build-99") as lines:
                await anext(aiter(lines))
