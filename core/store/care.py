"""The care of the store: trash, prune, what takes how much, checks."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from core.errors import DeckError, NoSpace
from core.layers.trees import remove_tree, tree_bytes
from core.store.build_caches import find_caches
from core.store.check import Inspector, hash_blobs
from core.store.collect import expire
from core.store.intake import in_thread
from core.store.opened import despite_full_disk
from core.store.prune import Needs, preview, prune, told
from core.store.reserve import Reserve
from core.store.sizes import image_sizes, total_bytes
from core.store.stored_distros import StoredDistros
from core.store.trash import bring_back, find_trashed, load_trash
from core.store.usage import usage
from core.verbs.storage import Checkup, PruneSpec

if TYPE_CHECKING:
    from core.store.build_caches import BuildCache
    from core.verbs.storage import Pruned, Trashed, Usage


class Care(StoredDistros):
    """The part of :class:`core.store.store.Store` that looks after it."""

    def total_bytes(self) -> int:
        """Bytes of everything: layers, blobs, writable layers as last measured."""
        return total_bytes(self._index)

    async def usage(self) -> Usage:
        """Where the space goes."""
        spec, trash, caches = PruneSpec(all=True), self.trash(), await self._caches()
        async with self._changing:
            plan = await despite_full_disk(
                self.layout, preview, self._index, self.layout, self._needs(), spec, trash, caches
            )
            return await in_thread(
                self.layout, usage, self._index, self.layout, plan, trash, caches
            )

    # -- the trash ------------------------------------------------------------------------

    def trash(self) -> list[Trashed]:
        """What can come back, newest first."""
        sizes = {digest: found.unique for digest, found in image_sizes(self._index).items()}
        return load_trash(self._index, self.trash_seconds, sizes)

    async def undo(self, name: str = "", *, rename: str = "") -> Trashed:
        """Bring back what was removed last, or what has that name or id.

        Raises:
            NotFound: there is nothing of that name.
            Conflict: its name was taken meanwhile.
        """

        def undo(entry: Trashed) -> Trashed:
            with self._index.write() as connection:
                return bring_back(connection, entry, rename)

        async with self._changing:
            entry = find_trashed(self.trash(), name)
            return await in_thread(self.layout, undo, entry)

    # -- what is to go --------------------------------------------------------------------

    async def prune(self, spec: PruneSpec) -> Pruned:
        """Delete what nothing uses, or only tell; the space is there when this returns."""
        caches = await self._caches() if spec.all else {}
        async with self._changing:
            plan = await despite_full_disk(
                self.layout,
                preview if spec.dry_run else prune,
                self._index,
                self.layout,
                self._needs(),
                spec,
                self.trash(),
                caches,
            )
        if not spec.dry_run:
            await self.empty_trash()
        return told(plan, dry_run=spec.dry_run)

    async def _caches(self) -> dict[BuildCache, int]:
        """What builds keep, and its bytes."""
        found = {}
        for cache in await asyncio.to_thread(find_caches, self.layout.build_caches):
            with suppress(DeckError):  # a command that runs may take files away meanwhile
                found[cache] = await tree_bytes(cache.path, enter=self.enter)
        return found

    def _needs(self) -> Needs:
        leases = self.intake.leases
        return Needs(leased=leases.digests, busy=bool(leases.open))

    async def sweep(self, period: float = 60.0) -> None:
        """Delete what is to go, whenever something comes and every ``period`` seconds.

        That is litter, and what was in the trash for long enough. Runs until cancelled. What
        cannot be deleted now is tried again.
        """
        while True:
            self._litter.clear()
            with suppress(NoSpace):  # next time there may be room
                await self.expire_trash()
            await self.empty_trash()
            with suppress(TimeoutError):
                async with asyncio.timeout(period):
                    await self._litter.wait()

    async def expire_trash(self) -> None:
        """Let go what has been in the trash for longer than it can come back."""
        async with self._changing:
            await despite_full_disk(
                self.layout,
                expire,
                self._index,
                self.layout,
                self.intake.leases.digests,
                time.time() - self.trash_seconds,
            )

    async def empty_trash(self) -> None:
        """Delete the litter now."""
        with suppress(OSError):
            for path in list(self.layout.trash.iterdir()):
                with suppress(DeckError, OSError):
                    await remove_tree(path, enter=self.enter)
        await asyncio.to_thread(Reserve(self.layout.reserve).keep)

    # -- checks ---------------------------------------------------------------------------

    async def fsck(self, *, repair: bool = False, quick: bool = False) -> Checkup:
        """Compare the index with the disk; ``quick``: contents are not read.

        Without ``repair`` nothing is changed; with it, what can be mended is.
        """
        corrupt: set[str] = set()
        hashed = 0
        if not quick:
            corrupt, hashed = await asyncio.to_thread(hash_blobs, self.layout)

        def check() -> Checkup:
            busy = bool(self.intake.leases.open)
            inspector = Inspector(self._index, self.layout, busy=busy, corrupt=corrupt)
            found = list(inspector.look(quick=quick))
            problems = [one.mended() if repair else one.problem for one in found]
            return Checkup(problems=tuple(problems), hashed=hashed, **inspector.counts())

        async with self._changing:
            checkup = await despite_full_disk(self.layout, check)
        self._litter.set()
        return checkup

    # -- sessions -------------------------------------------------------------------------

    async def next_session_id(self) -> int:
        """A number no session had before in this store; the first is 2."""

        def count() -> int:
            with self._index.write(durable=False) as connection:
                row = connection.execute(
                    "INSERT INTO meta VALUES ('session', '2') ON CONFLICT DO UPDATE"
                    " SET value = value + 1 RETURNING CAST(value AS INTEGER) AS number"
                ).fetchone()
            return int(row["number"])

        return await in_thread(self.layout, count)
