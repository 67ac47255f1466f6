"""A distro's changes, made and kept: what tests of several places do with an engine."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from core.domain import PullSpec, RunSpec
from core.verbs.changes import CommitSpec, RollbackSpec, SnapshotSpec
from tests.core.conftest import SECONDS, busybox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from core.domain import Job
    from core.engine import Engine


@asynccontextmanager
async def boxed(
    opener: Callable[[], AbstractAsyncContextManager[Engine]], fix: dict[str, Any]
) -> AsyncIterator[Engine]:
    """An engine with a distro ``box``; all distros are stopped at the end."""
    async with opener() as engine:
        await done(engine, await engine.pull(PullSpec(name="box", source=busybox(fix))))
        try:
            yield engine
        finally:
            for distro in await engine.distros():
                await engine.stop(distro.name)


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
