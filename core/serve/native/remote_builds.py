"""The verbs of :class:`core.verbs.builds.Builds`, asked of another process."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.domain import Job
    from core.verbs.builds import BuildLine, BuildSpec


class RemoteBuilds:
    """Mixed into the remote engine."""

    async def _call(self, verb: str, *arguments: object) -> Any:
        raise NotImplementedError

    async def _feed(self, verb: str, *arguments: object, content: AsyncIterator[bytes]) -> Any:
        raise NotImplementedError

    def _stream(
        self, verb: str, *arguments: object
    ) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        raise NotImplementedError

    async def build(self, spec: BuildSpec, content: AsyncIterator[bytes] | None = None) -> Job:
        job: Job
        if content is not None:
            job = await self._feed("build", spec, content=content)
        else:
            job = await self._call("build", spec)
        return job

    @asynccontextmanager
    async def build_output(self, job: str) -> AsyncIterator[AsyncIterator[BuildLine]]:
        async with self._stream("build_output", job) as lines:
            yield lines
