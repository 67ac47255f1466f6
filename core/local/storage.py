"""Names of images, removal and undo, and the care of the store, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import InvalidInput
from core.events import DistroChanged
from core.images.find import find_image, find_named
from core.images.reference import parse_reference
from core.local.parts import Bound
from core.sources import check_name

if TYPE_CHECKING:
    from core.domain import Image
    from core.verbs.storage import Checkup, Pruned, PruneSpec, Removal, Trashed, Usage


class StorageVerbs(Bound):
    """The verbs of :class:`core.verbs.storage.Storage`."""

    async def tag(self, name: str, reference: str) -> Image:
        self._may_change(name)
        full = _full(reference)
        store = self._parts.store
        return await store.tag_image(find_image(store, name).digest, full)

    async def untag(self, reference: str) -> Removal:
        self._may_change(reference)
        return await self._parts.store.untag_image(_full(reference))

    async def remove_image(
        self, name: str, *, force: bool = False, prune: bool = True, now: bool = False
    ) -> Removal:
        self._may_change(name)
        store = self._parts.store
        found, reference = find_named(store, name)
        return await self._parts.tasks.see_through(
            store.remove_image(
                found.digest, name=name, reference=reference, force=force, prune=prune, now=now
            )
        )

    async def trash(self) -> list[Trashed]:
        return self._parts.store.trash()

    async def undo(self, name: str = "", *, rename: str = "") -> Trashed:
        self._may_change(name or "trash")
        if rename:
            check_name(rename)
        undone = await self._parts.tasks.see_through(self._parts.store.undo(name, rename=rename))
        if undone.what == "distro":
            distro = self._parts.describer.distro(undone.name)
            self._parts.bus.publish(DistroChanged(distro=distro))
        return undone

    async def prune(self, spec: PruneSpec) -> Pruned:
        if not spec.dry_run:
            self._may_change("store")
        return await self._parts.tasks.see_through(self._parts.store.prune(spec))

    async def usage(self) -> Usage:
        return await self._parts.store.usage()

    async def fsck(self, *, repair: bool = False, quick: bool = False) -> Checkup:
        if repair:
            self._may_change("store")
        return await self._parts.tasks.see_through(
            self._parts.store.fsck(repair=repair, quick=quick)
        )


def _full(text: str) -> str:
    """A reference as the index has it. Raises: InvalidInput."""
    reference = parse_reference(text)
    if reference.digest:
        raise InvalidInput(text, "has a digest", hint="a name for an image ends with :TAG")
    return str(reference)
