"""The verbs of :mod:`core.verbs.archives`, asked of another process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

from core.serve.native.calls import Calls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.domain import Job
    from core.verbs.archives import ImportSpec, LoadSpec, SaveSpec


class _Feeds(Calls, Protocol):
    async def _feed(self, verb: str, *arguments: object, content: AsyncIterator[bytes]) -> Any: ...


class RemoteArchives:
    """Mixed into the remote engine."""

    async def load(
        self: _Feeds, spec: LoadSpec, content: AsyncIterator[bytes] | None = None
    ) -> Job:
        if content is None:
            return await self._call("load", spec)
        return await self._feed("load", spec, content=content)

    async def save(self: Calls, spec: SaveSpec) -> Job:
        return await self._call("save", spec)

    @asynccontextmanager
    async def archive(self: Calls, spec: SaveSpec) -> AsyncIterator[AsyncIterator[bytes]]:
        async with self._stream("archive", spec) as pieces:
            yield pieces

    async def import_image(
        self: _Feeds, spec: ImportSpec, content: AsyncIterator[bytes] | None = None
    ) -> Job:
        if content is None:
            return await self._call("import_image", spec)
        return await self._feed("import_image", spec, content=content)
