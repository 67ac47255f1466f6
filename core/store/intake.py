"""How content comes into the store: lease, ingest and stage, commit.

A pull or import takes a lease on what it will need, lets blobs grow in ``ingest`` and layers in
``staging``, and shows all of it by one commit. Leaving the lease without a commit throws staged
layers away and keeps the blobs received so far.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import secrets
import sqlite3
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from core.background import background
from core.errors import Conflict
from core.pausing import unheld
from core.store.images import from_text, insert_image, to_text
from core.store.ingest import Ingest, no_space
from core.store.lease import Lease, Leases
from core.store.records import StoredLayer
from core.store.sync import sync_filesystem
from core.store.whole import look_again

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from core.store.index import Index
    from core.store.layout import Layout
    from core.store.records import NewImage, StagedLayer

P = ParamSpec("P")
R = TypeVar("R")

_FULL = (errno.ENOSPC, errno.EDQUOT)


WRITE_BACK_SECONDS = 0.5
"""Between the end of one early sync and the next."""


class Intake:
    """The part of :class:`core.store.store.Store` that pulls and imports use."""

    def __init__(self, layout: Layout, index: Index, changing: asyncio.Lock) -> None:
        self.layout = layout
        self.leases = Leases()
        self.verified: set[str] = set()
        """Partial blobs that are whole and have the right digest."""
        self._index = index
        self._changing = changing

    @contextmanager
    def lease(self) -> Iterator[Lease]:
        """Protect what a job names with :meth:`hold`, until the job is over."""
        lease = Lease()
        self.leases.open.append(lease)
        try:
            yield lease
        finally:
            self.leases.open.remove(lease)
            for staged in self.leases.abandoned():
                self.layout.discard(staged.folder)

    async def hold(self, lease: Lease, digests: Iterable[str]) -> None:
        """Add to a lease; what is there when this returns stays until the lease ends."""
        async with self._changing:
            lease.digests.update(digests)

    @asynccontextmanager
    async def still(self) -> AsyncIterator[None]:
        """While inside, no commit moves staged trees and no collection removes stored ones."""
        async with self._changing:
            with unheld():
                yield

    @asynccontextmanager
    async def writing_back(self) -> AsyncIterator[None]:
        """While inside, what is written goes to the disk as it comes.

        Otherwise the disk would rest until the commit's sync, and that would have it all to do.
        """
        async with background() as tasks:
            tasks.start(self._write_back())
            yield

    async def _write_back(self) -> None:
        while True:
            await asyncio.sleep(WRITE_BACK_SECONDS)
            await in_thread(self.layout, sync_filesystem, self.layout.data)

    def lock(self, digest: str) -> asyncio.Lock:
        """Held by whoever fetches or unpacks ``digest``, so that it is done once."""
        return self.leases.lock(digest)

    def blob(self, digest: str) -> Path | None:
        """The file of a committed blob."""
        path = self.layout.blob(digest)
        return path if path.exists() else None

    def ingest(self, digest: str, *, name: str) -> Ingest:
        """The partial blob ``digest``, made if need be; ``name`` is for errors."""
        return Ingest(self.layout.partial(digest), name=name)

    def received(self, digest: str) -> int:
        """Bytes of ``digest`` that are here, committed or partial."""
        for path in (self.layout.blob(digest), self.layout.partial(digest)):
            if path.exists():
                return path.stat().st_size
        return 0

    def condemn(self, digest: str) -> None:
        """Delete whatever is here under a digest that its bytes do not have."""
        self.forget(digest)
        self.layout.blob(digest).unlink(missing_ok=True)

    def forget(self, digest: str) -> None:
        """Delete a partial blob."""
        self.verified.discard(digest)
        self.layout.partial(digest).unlink(missing_ok=True)

    def take(self, digest: str, path: Path) -> None:
        """Hand over a whole file that has this digest, which must be leased, or drop it.

        The caller holds the digest's lock.
        """
        if self.blob(digest):
            path.unlink()
            return
        path.rename(self.layout.partial(digest))
        self.verified.add(digest)

    def layer(self, key: str) -> StoredLayer | None:
        """The layer unpacked under ``key``: committed, or staged by a running job."""
        staged = self.leases.staged.get(key)
        if staged:
            return StoredLayer(
                key=key, tree=staged.tree, size=staged.size, warnings=staged.warnings
            )
        row = self._index.row("SELECT * FROM layer WHERE key = ?", key)
        tree = self.layout.layer(key) / "fs"
        if row is None or not tree.is_dir():
            return None
        return StoredLayer(
            key=key,
            tree=tree,
            size=row["size"],
            warnings=from_text(row["warnings"], tuple[str, ...]),
        )

    def new_stage(self) -> Path:
        """A fresh folder to unpack a layer in: its tree goes to ``fs``, which is not there yet."""
        folder = self.layout.staging / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
        return folder

    def stage(self, staged: StagedLayer) -> None:
        """Hand over a layer that is whole; its key must be leased."""
        if self.layer(staged.key):
            self.layout.discard(staged.folder)
        else:
            self.leases.staged[staged.key] = staged

    async def commit(
        self,
        image: NewImage,
        *,
        documents: Mapping[str, bytes],
        pinned: bool,
    ) -> None:
        """Show an image: all of it is on the disk and visible when this returns, or nothing is.

        ``documents`` are its manifest, config and index by digest.

        Raises:
            NoSpace: the disk is full; partial blobs stay.
            Conflict: a layer it needs is not there.
        """
        async with self._changing:
            keys = set(image.layer_keys)
            blobs = self.verified & {layer.digest for layer in image.layers}
            staged = [self.leases.staged[key] for key in keys & self.leases.staged.keys()]
            try:
                await in_thread(self.layout, self._commit, image, staged, documents, blobs, pinned)
            finally:
                for layer in staged:
                    if not layer.folder.exists():
                        self.leases.staged.pop(layer.key, None)
                self.verified -= {digest for digest in blobs if self.blob(digest)}

    def _commit(
        self,
        image: NewImage,
        staged: list[StagedLayer],
        documents: Mapping[str, bytes],
        blobs: Collection[str],
        pinned: bool,
    ) -> None:
        layout = self.layout
        for digest, body in documents.items():
            if not layout.blob(digest).exists():
                layout.partial(digest).write_bytes(body)
        coming = [digest for digest in {*documents, *blobs} if layout.partial(digest).exists()]
        if coming or staged:
            sync_filesystem(layout.data)
        for digest in coming:
            path = layout.blob(digest)
            path.parent.mkdir(exist_ok=True, mode=0o700)
            layout.partial(digest).rename(path)
        for layer in staged:
            layout.discard(layout.layer(layer.key))
            layer.folder.rename(layout.layer(layer.key))
        if coming or staged:
            sync_filesystem(layout.data)
        with self._index.write() as connection:
            for layer in staged:
                self._insert_layer(connection, layer)
            self._check_layers(connection, image)
            insert_image(connection, image, pinned=pinned)
            look_again(connection, layout)

    def _insert_layer(self, connection: sqlite3.Connection, layer: StagedLayer) -> None:
        number = connection.execute(
            "INSERT INTO layer (key, diff_id, size, entries, tar_size, warnings)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET size = excluded.size,"
            " warnings = excluded.warnings RETURNING number",
            (
                layer.key,
                layer.diff_id,
                layer.size,
                layer.entries,
                layer.tar_size,
                to_text(layer.warnings),
            ),
        ).fetchone()["number"]
        link = self.layout.link(number)
        link.unlink(missing_ok=True)
        link.symlink_to(f"../layers/{self.layout.layer(layer.key).name}/fs")

    def _check_layers(self, connection: sqlite3.Connection, image: NewImage) -> None:
        for key in image.layer_keys:
            if not connection.execute("SELECT 1 FROM layer WHERE key = ?", (key,)).fetchone():
                raise Conflict(image.digest, f"layer {key} went away while it was pulled")


async def in_thread(
    layout: Layout, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """Run a blocking change of the store in a thread.

    A thread cannot be cancelled: a cancelled caller waits for its end, so that whoever comes
    next finds the change made or not made.

    Raises:
        NoSpace: instead of whatever a full disk raised.
    """
    call = functools.partial(function, *args, **kwargs)
    work = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise no_space("the store", layout.index) from error
        raise
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise no_space("the store", layout.index) from error
        raise
