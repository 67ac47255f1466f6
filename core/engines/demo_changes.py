"""Clones and new names of made-up distros; what writes trees needs a real store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import Conflict, Unsupported
from core.events import DistroRemoved

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from core.domain import Distro, Job
    from core.events import Event
    from core.verbs.changes import (
        CommitSpec,
        CreateSpec,
        ExportSpec,
        RollbackSpec,
        Snapshot,
        SnapshotSpec,
        UpgradeSpec,
    )


class DemoChanges:
    """Mixed into :class:`core.engines.demo.DemoEngine`."""

    _distros: dict[str, Distro]

    def _set_distro(self, distro: Distro) -> Distro:
        raise NotImplementedError

    def _publish(self, event: Event) -> None:
        raise NotImplementedError

    async def distro(self, name: str) -> Distro:
        """One distro."""
        raise NotImplementedError

    async def commit(self, spec: CommitSpec) -> Job:
        """Not here."""
        raise _unsupported(spec.distro)

    async def create(self, spec: CreateSpec) -> Job:
        """Not here."""
        raise _unsupported(spec.name)

    async def clone(self, name: str, new: str, *, pause: bool = True) -> Job:
        """Not here."""
        raise _unsupported(name)

    async def rename(self, name: str, new: str) -> Distro:
        """Give a distro another name."""
        distro = await self.distro(name)
        if new in self._distros:
            raise Conflict(new, "the name is taken", hint="choose another")
        del self._distros[name]
        self._publish(DistroRemoved(name=name))
        return self._set_distro(replace(distro, name=new))

    async def snapshot(self, spec: SnapshotSpec) -> Job:
        """Not here."""
        raise _unsupported(spec.distro)

    async def snapshots(self, name: str = "") -> list[Snapshot]:
        """None."""
        if name:
            await self.distro(name)
        return []

    async def rollback(self, spec: RollbackSpec) -> Job:
        """Not here."""
        raise _unsupported(spec.distro)

    async def remove_snapshot(self, name: str, snapshot: str) -> None:
        """Not here."""
        raise _unsupported(name)

    async def upgrade(self, spec: UpgradeSpec) -> Job:
        """Not here."""
        raise _unsupported(spec.distro)

    async def check(self, name: str = "") -> Job:
        """Not here."""
        raise _unsupported(name or "check")

    async def export(self, spec: ExportSpec) -> Job:
        """Not here."""
        raise _unsupported(spec.distro)

    def export_stream(self, spec: ExportSpec) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Not here."""
        raise _unsupported(spec.distro)


def _unsupported(what: str) -> Unsupported:
    return Unsupported(what, "the demonstration does not do this")
