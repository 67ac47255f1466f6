"""The verbs of :mod:`core.verbs.contents`, asked of another process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.serve.native.calls import Calls
    from core.verbs.contents import (
        Extracted,
        ExtractSpec,
        FieldChange,
        FileChange,
        FileEntry,
        FilesSpec,
        ImageWaste,
        Inspection,
    )


class RemoteContents:
    """Mixed into the remote engine."""

    @asynccontextmanager
    async def files(
        self: Calls, spec: FilesSpec
    ) -> AsyncIterator[AsyncIterator[tuple[FileEntry, ...]]]:
        async with self._stream("files", spec) as pieces:
            yield pieces

    @asynccontextmanager
    async def read_file(self: Calls, spec: FilesSpec) -> AsyncIterator[AsyncIterator[bytes]]:
        async with self._stream("read_file", spec) as pieces:
            yield pieces

    @asynccontextmanager
    async def pack(self: Calls, spec: FilesSpec) -> AsyncIterator[AsyncIterator[bytes]]:
        async with self._stream("pack", spec) as pieces:
            yield pieces

    async def extract(self: Calls, spec: ExtractSpec) -> Extracted:
        return await self._call("extract", spec)

    @asynccontextmanager
    async def diff(
        self: Calls, old: str, new: str = ""
    ) -> AsyncIterator[AsyncIterator[tuple[FileChange, ...]]]:
        async with self._stream("diff", old, new) as pieces:
            yield pieces

    async def diff_config(self: Calls, old: str, new: str) -> list[FieldChange]:
        return await self._call("diff_config", old, new)

    async def waste(self: Calls, name: str) -> ImageWaste:
        return await self._call("waste", name)

    async def inspect(self: Calls, name: str) -> Inspection:
        return await self._call("inspect", name)
