"""The verbs of :class:`core.verbs.storage.Storage`, asked of another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.domain import Image
    from core.serve.native.calls import Calls
    from core.verbs.storage import Checkup, Pruned, PruneSpec, Removal, Trashed, Usage


class RemoteStorage:
    """Mixed into :class:`core.serve.native.client.RemoteEngine`."""

    async def tag(self: Calls, name: str, reference: str) -> Image:
        return await self._call("tag", name, reference)

    async def untag(self: Calls, reference: str) -> Removal:
        return await self._call("untag", reference)

    async def remove_image(
        self: Calls, name: str, *, force: bool = False, prune: bool = True, now: bool = False
    ) -> Removal:
        return await self._call("remove_image", name, force, prune, now)

    async def trash(self: Calls) -> list[Trashed]:
        return await self._call("trash")

    async def undo(self: Calls, name: str = "", *, rename: str = "") -> Trashed:
        return await self._call("undo", name, rename)

    async def prune(self: Calls, spec: PruneSpec) -> Pruned:
        return await self._call("prune", spec)

    async def usage(self: Calls) -> Usage:
        return await self._call("usage")

    async def fsck(self: Calls, *, repair: bool = False, quick: bool = False) -> Checkup:
        return await self._call("fsck", repair, quick)
