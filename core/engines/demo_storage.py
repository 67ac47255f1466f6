"""Removal and undo of made-up distros; the rest of the care needs a real store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import NotFound, Unsupported
from core.verbs.storage import DistroSpace, Pruned, Space, Trashed, Usage

if TYPE_CHECKING:
    from core.domain import Distro, Image
    from core.verbs.storage import Checkup, PruneSpec, Removal

_DAY = 86400.0


class DemoStorage:
    """Mixed into :class:`core.engines.demo.DemoEngine`."""

    now: float
    _distros: dict[str, Distro]

    def __init__(self) -> None:
        self._removed: list[Distro] = []

    def _set_distro(self, distro: Distro) -> Distro:
        raise NotImplementedError

    async def tag(self, name: str, reference: str) -> Image:
        """Not here."""
        raise _unsupported(reference)

    async def untag(self, reference: str) -> Removal:
        """Not here."""
        raise _unsupported(reference)

    async def remove_image(
        self, name: str, *, force: bool = False, prune: bool = True, now: bool = False
    ) -> Removal:
        """Not here."""
        raise _unsupported(name)

    async def trash(self) -> list[Trashed]:
        """The distros that were removed, newest first."""
        return [
            Trashed(
                id=f"{number:08x}",
                what="distro",
                name=distro.name,
                removed=self.now,
                until=self.now + _DAY,
                size=distro.unique_size,
            )
            for number, distro in reversed(list(enumerate(self._removed)))
        ]

    async def undo(self, name: str = "", *, rename: str = "") -> Trashed:
        """Bring a distro back under its own name."""
        for entry in await self.trash():
            if not name or name in (entry.name, entry.id):
                self._set_distro(self._removed.pop(int(entry.id, 16)))
                return entry
        raise NotFound(name or "trash", "nothing to bring back")

    async def prune(self, spec: PruneSpec) -> Pruned:
        """Nothing to prune."""
        return Pruned(items=(), size=0, dry_run=spec.dry_run)

    async def usage(self) -> Usage:
        """The distros' sizes."""
        distros = tuple(
            DistroSpace(
                name=distro.name,
                writable=distro.unique_size,
                unique=distro.unique_size,
                shared=distro.shared_size,
            )
            for distro in self._distros.values()
        )
        size = sum(distro.unique for distro in distros)
        count = len(distros)
        space = Space(kind="distros", count=count, active=count, size=size, reclaimable=0)
        return Usage(spaces=(space,), images=(), distros=distros, size=size, free=0)

    async def fsck(self, *, repair: bool = False, quick: bool = False) -> Checkup:
        """Not here."""
        raise _unsupported("store")


def _unsupported(what: str) -> Unsupported:
    return Unsupported(what, "the demonstration does not do this")
