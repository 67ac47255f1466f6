"""Leases: what running jobs still need, so that nothing collects it under their hands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from core.store.records import StagedLayer


class Lease:
    """The digests of images and blobs and the keys of layers that one job needs."""

    def __init__(self) -> None:
        self.digests: set[str] = set()


class Leases:
    """All leases, the layers staged under them, and one lock for each digest in work."""

    def __init__(self) -> None:
        self.open: list[Lease] = []
        self.staged: dict[str, StagedLayer] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def digests(self) -> set[str]:
        """Everything that is leased."""
        return set[str]().union(*(lease.digests for lease in self.open))

    def lock(self, digest: str) -> asyncio.Lock:
        """The lock of whoever fetches or unpacks ``digest``."""
        lock = self._locks.get(digest)
        if lock is None:
            self._locks[digest] = lock = asyncio.Lock()
        return lock

    def abandoned(self) -> list[StagedLayer]:
        """Staged layers that no lease names any more, taken out of the list."""
        wanted = self.digests
        return [self.staged.pop(key) for key in list(self.staged) if key not in wanted]
