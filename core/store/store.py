"""The store as the engine uses it.

Ingest, then commit: content is written aside, verified, synced, renamed into place and then told
to the index in one transaction. Before that nothing of it is visible; a crash at any instant
leaves a store that the next opening brings in order, and transfers that go on where they were.

Blobs stay after they were unpacked: they are what is pushed and saved. Reading methods answer at
once from the index; methods that write are coroutines and block in a thread. The concerns are a
class each, one on top of the other: images, distros, care.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from core.errors import Conflict
from core.store.care import Care
from core.store.index import Index
from core.store.intake import in_thread
from core.store.layout import Layout
from core.store.opened import TRASH_SECONDS, despite_full_disk
from core.store.recover import check_idmap, recorded_idmap, recover
from core.store.reserve import Reserve
from core.store.stored_snapshots import StoredSnapshots

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.store.lease import Lease


LOCK_SECONDS = 1.0
"""How long a lock may outlive the engine that had it."""


class Store(Care, StoredSnapshots):
    """One open store; there is only one of it at a time (:meth:`open`)."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        data: Path,
        *,
        enter: tuple[str, ...] = (),
        privileged: bool,
        idmap: str,
        trash_seconds: float = TRASH_SECONDS,
    ) -> AsyncIterator[Store]:
        """Open the store in ``data``, make it if need be, and bring it in order.

        ``trash_seconds``: how long what was removed can come back.

        Raises:
            Conflict: another process has it open, or the id mapping changed.
            Corrupt: the index is damaged.
            NoSpace: the disk is full, and the reserve is spent.
            Unsupported: a later distrodeck made it.
        """
        layout = Layout(data)
        layout.make()
        lock = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await _take(lock, data)
            index = await despite_full_disk(layout, Index, layout.index)
            try:
                await in_thread(layout, check_idmap, index, layout, idmap)
                await despite_full_disk(layout, recover, index, layout)
                await asyncio.to_thread(Reserve(layout.reserve).keep)
                yield cls(
                    layout,
                    index,
                    enter=enter,
                    privileged=privileged,
                    idmap=idmap,
                    trash_seconds=trash_seconds,
                )
            finally:
                index.close()
        finally:
            os.close(lock)

    @staticmethod
    def recorded_idmap(data: Path) -> str:
        """The id mapping that the store in ``data`` was made with; empty if there is none yet."""
        return recorded_idmap(Layout(data))

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Lease]:
        """Protect what a job brings in, from its pull until its distro is made."""
        try:
            with self.intake.lease() as lease:
                async with self.intake.still():
                    pass  # a prune that knows nothing of the lease is over
                yield lease
        finally:
            self._litter.set()


async def _take(lock: int, data: Path) -> None:
    """Lock the store.

    An engine that was killed may leave a child just forked, which has the lock until it executes
    something: that is waited for. Raises: Conflict.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Conflict(
                    str(data),
                    "another engine has this store open",
                    hint="do without --embedded, or end it: distrodeck serve --stop",
                ) from None
            await asyncio.sleep(0.02)
        else:
            return
