"""The verbs of :class:`core.verbs.changes.Changes`, asked of another process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.domain import Distro, Job
    from core.serve.native.calls import Calls
    from core.verbs.changes import (
        CommitSpec,
        CreateSpec,
        ExportSpec,
        RollbackSpec,
        Snapshot,
        SnapshotSpec,
        UpgradeSpec,
    )


class RemoteChanges:
    """Mixed into :class:`core.serve.native.client.RemoteEngine`."""

    async def commit(self: Calls, spec: CommitSpec) -> Job:
        return await self._call("commit", spec)

    async def create(self: Calls, spec: CreateSpec) -> Job:
        return await self._call("create", spec)

    async def clone(self: Calls, name: str, new: str, *, pause: bool = True) -> Job:
        return await self._call("clone", name, new, pause)

    async def rename(self: Calls, name: str, new: str) -> Distro:
        return await self._call("rename", name, new)

    async def snapshot(self: Calls, spec: SnapshotSpec) -> Job:
        return await self._call("snapshot", spec)

    async def snapshots(self: Calls, name: str = "") -> list[Snapshot]:
        return await self._call("snapshots", name)

    async def rollback(self: Calls, spec: RollbackSpec) -> Job:
        return await self._call("rollback", spec)

    async def remove_snapshot(self: Calls, name: str, snapshot: str) -> None:
        await self._call("remove_snapshot", name, snapshot)

    async def upgrade(self: Calls, spec: UpgradeSpec) -> Job:
        return await self._call("upgrade", spec)

    async def check(self: Calls, name: str = "") -> Job:
        return await self._call("check", name)

    async def export(self: Calls, spec: ExportSpec) -> Job:
        return await self._call("export", spec)

    @asynccontextmanager
    async def export_stream(self: Calls, spec: ExportSpec) -> AsyncIterator[AsyncIterator[bytes]]:
        async with self._stream("export_stream", spec) as pieces:
            yield pieces
