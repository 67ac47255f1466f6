"""The store as the engine uses it.

Ingest, then commit: content is written aside, verified, synced, renamed into place and then told
to the index in one transaction. Before that nothing of it is visible; a crash at any instant
leaves a store that the next opening brings in order, and transfers that go on where they were.

Blobs stay after they were unpacked: they are what is pushed and saved. Reading methods answer at
once from the index; methods that write are coroutines and block in a thread.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from core.domain import Platform
from core.errors import Conflict, DeckError, NoSpace, NotFound
from core.layers.trees import remove_tree, tree_bytes
from core.store.collect import collect
from core.store.distros import (
    finish_removals,
    load_distro,
    load_distros,
    make_distro,
    mark_removed,
    new_folder,
    touch,
)
from core.store.history import load_history
from core.store.images import load_images, unpin
from core.store.index import Index
from core.store.intake import Intake, in_thread
from core.store.layout import Layout
from core.store.osrelease import OsRelease, read_os_release
from core.store.records import DistroRecord
from core.store.recover import check_idmap, recorded_idmap, recover
from core.store.reserve import Reserve
from core.store.sizes import distro_sizes, image_sizes, total_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from core.domain import HistoryEntry, Image
    from core.store.lease import Lease
    from core.store.records import Sizes

P = ParamSpec("P")
R = TypeVar("R")

_SHORTEST_PREFIX = 3
_SINGLE = ("unshare", "--user", "--map-root-user")


class Store:
    """One open store; there is only one of it at a time (:meth:`open`)."""

    def __init__(
        self, layout: Layout, index: Index, *, enter: tuple[str, ...], privileged: bool, idmap: str
    ) -> None:
        self.layout = layout
        self.enter = enter
        """Command that enters the user namespace in which trees are written; empty: none."""
        self.privileged = privileged
        """Real root: owners and devices are the host's."""
        self.idmap = idmap
        self._index = index
        self._changing = asyncio.Lock()
        self._litter = asyncio.Event()
        self.intake = Intake(layout, index, self._changing)
        """How content comes in: leases, partial blobs, staged layers, commit."""

    @property
    def owners(self) -> bool:
        """Whether trees keep the owners that images say: as root, or with subordinate ids."""
        return self.idmap != "single"

    @property
    def reading(self) -> tuple[str, ...]:
        """Command prefix of who reads trees whole, whatever modes their files have."""
        return self.enter or (() if self.owners else _SINGLE)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, data: Path, *, enter: tuple[str, ...] = (), privileged: bool, idmap: str
    ) -> AsyncIterator[Store]:
        """Open the store in ``data``, make it if need be, and bring it in order.

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
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(
                    str(data),
                    "another engine has this store open",
                    hint="do without --embedded, or end it: distrodeck serve --stop",
                ) from None
            index = await _despite_full_disk(layout, Index, layout.index)
            try:
                await in_thread(layout, check_idmap, index, layout, idmap)
                await _despite_full_disk(layout, recover, index, layout)
                await asyncio.to_thread(Reserve(layout.reserve).keep)
                yield cls(layout, index, enter=enter, privileged=privileged, idmap=idmap)
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
                yield lease
        finally:
            self._litter.set()

    @property
    def index(self) -> Index:
        """For questions that only one verb asks."""
        return self._index

    # -- images ---------------------------------------------------------------------------

    def images(self) -> list[Image]:
        """All images, newest first."""
        return load_images(self._index)

    def image(self, digest: str) -> Image:
        """The image with this manifest digest. Raises: NotFound."""
        found = load_images(self._index, digest) if digest else []
        if not found:
            raise NotFound(digest, "no such image")
        return found[0]

    def find_image(self, name: str) -> Image:
        """An image by full reference, repository digest, distro name, digest or its beginning.

        :func:`core.images.find.find_image` takes references as people shorten them.

        Raises:
            NotFound: nothing has that name.
            Conflict: several digests begin so.
        """
        for query in (
            "SELECT image FROM distro WHERE name = ? AND image IS NOT NULL AND NOT removed",
            "SELECT image FROM reference WHERE name = ?",
            "SELECT image FROM repo_digest WHERE name = ?",
        ):
            if row := self._index.row(query, name):
                return self.image(row["image"])
        start = name.removeprefix("sha256:").lower()
        if len(start) >= _SHORTEST_PREFIX and all(c in "0123456789abcdef" for c in start):
            found = [
                image
                for image in self.images()
                if image.digest.startswith(f"sha256:{start}")
                or image.config_digest.startswith(f"sha256:{start}")
            ]
            if len(found) > 1:
                raise Conflict(
                    name, f"{len(found)} images begin so", hint="give more of the digest"
                )
            if found:
                return found[0]
        hint = "distrodeck ls and distrodeck images show what is there"
        raise NotFound(name, "no such distro or image", hint=hint)

    def history(self, digest: str) -> list[HistoryEntry]:
        """An image's history, newest first; an entry without a layer changed only metadata."""
        self.image(digest)
        return load_history(self._index, digest)

    def layer_keys(self, image_digest: str) -> tuple[str, ...]:
        """The keys of an image's layers, bottom to top, as many as its config has diff_ids."""
        rows = self._index.rows(
            "SELECT key FROM image_layer JOIN layer ON number = layer WHERE image = ?"
            " ORDER BY position",
            image_digest,
        )
        return tuple(row["key"] for row in rows)

    def layer_paths(self, image_digest: str) -> list[Path]:
        """The unpacked layers of an image by their short names, bottom to top.

        A layer that an image holds twice is given once, at its upper place: all that the lower
        one shows or hides, the upper one does too, and overlay refuses the same layer twice.
        """
        rows = self._index.rows(
            "SELECT layer FROM image_layer WHERE image = ? ORDER BY position DESC", image_digest
        )
        numbers = list(dict.fromkeys(row["layer"] for row in rows))
        return [self.layout.link(number) for number in reversed(numbers)]

    def os_release(self, image_digest: str) -> OsRelease:
        """What system an image holds; of this machine for an empty digest."""
        return read_os_release(self.layer_paths(image_digest) if image_digest else [Path("/")])

    # -- distros --------------------------------------------------------------------------

    def distros(self) -> list[DistroRecord]:
        """All installed distros by name."""
        return load_distros(self._index, self.layout)

    def distro(self, name: str) -> DistroRecord:
        """One distro. Raises: NotFound."""
        return load_distro(self._index, self.layout, name)

    async def create_distro(
        self,
        name: str,
        image_digest: str | None,
        *,
        url: str,
        version: str = "",
        repo_digest: str = "",
        platform: Platform | None = None,
        warnings: Sequence[str] = (),
    ) -> DistroRecord:
        """Install an image (None: this machine's own root) under a name.

        ``version`` is used where its os-release has none. Cancelled or not, there is either a
        whole distro or none.

        Raises:
            Conflict: the name is taken.
            NotFound: there is no such image.
        """
        async with self._changing:
            image = self.image(image_digest) if image_digest else None
            layers = self.layer_paths(image.digest) if image else []
            release = await asyncio.to_thread(self.os_release, image.digest if image else "")
            ident, folder = new_folder(self.layout)
            record = DistroRecord(
                id=ident,
                name=name,
                upper=folder / "upper",
                work=folder / "work",
                home=folder / "home",
                image_digest=image.digest if image else "",
                repo_digest=repo_digest
                or (image.repo_digests[0] if image and image.repo_digests else ""),
                url=url,
                version=release.version_id or version,
                os_name=release.pretty_name,
                platform=image.platform if image else platform or Platform(),
                created=time.time(),
                used=0.0,
                warnings=tuple(warnings),
            )
            root = layers[0] if layers else None
            await in_thread(self.layout, make_distro, self._index, self.layout, record, root)
        return self.distro(name)

    async def remove_distro(self, name: str, *, keep_image: bool = False) -> None:
        """Take a distro away; its image too, unless something else uses it.

        Its folders are renamed at once and deleted by :meth:`sweep`. The caller sees to it
        that nothing runs in it.

        Raises:
            NotFound: there is none.
        """
        async with self._changing:
            record = self.distro(name)
            await _despite_full_disk(self.layout, mark_removed, self._index, self.layout, name)
            await _despite_full_disk(self.layout, finish_removals, self._index, self.layout)
            if not keep_image and record.image_digest:
                await in_thread(
                    self.layout, collect, self._index, self.layout, self.intake.leases.digests
                )
        self._litter.set()

    async def touch_distro(self, name: str) -> None:
        """Note that a distro was used now."""
        await in_thread(self.layout, touch, self._index, name)

    async def measure_distro(self, name: str) -> int:
        """Count the bytes of its writable layer and homes anew; :meth:`distro_sizes` has them."""
        record = self.distro(name)
        size = 0
        for path in (record.upper, record.home):
            size += await tree_bytes(path, enter=self.enter)
        with suppress(NotFound):
            await in_thread(self.layout, self._set_size, record.id, size)
        return size

    def _set_size(self, ident: str, size: int) -> None:
        with self._index.write(durable=False) as connection:
            connection.execute("UPDATE distro SET upper_size = ? WHERE id = ?", (size, ident))

    # -- sizes, sessions ------------------------------------------------------------------

    def distro_sizes(self) -> dict[str, Sizes]:
        """Bytes of each distro by name; its writable layer as last measured."""
        return distro_sizes(self._index)

    def image_sizes(self) -> dict[str, Sizes]:
        """Bytes of the layers of each image by digest."""
        return image_sizes(self._index)

    def total_bytes(self) -> int:
        """Bytes of everything: layers, blobs, writable layers as last measured."""
        return total_bytes(self._index)

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

    # -- what is to go --------------------------------------------------------------------

    async def remove_image(self, digest: str) -> None:
        """Take an image away, with the layers and blobs that only it uses.

        Raises:
            NotFound: there is none.
            Conflict: distros are installed from it, or a job is using it.
        """
        async with self._changing:
            image = self.image(digest)
            if image.distros:
                names = ", ".join(image.distros)
                raise Conflict(digest, f"in use by {names}", hint="remove these distros first")
            if digest in self.intake.leases.digests:
                raise Conflict(digest, "a running job needs it", hint="wait, or cancel the job")
            await _despite_full_disk(self.layout, unpin, self._index, digest)
            await in_thread(
                self.layout, collect, self._index, self.layout, self.intake.leases.digests
            )
        self._litter.set()

    async def sweep(self, period: float = 60.0) -> None:
        """Delete what is in the trash, whenever something comes and every ``period`` seconds.

        Runs until cancelled. What cannot be deleted now is tried again.
        """
        while True:
            self._litter.clear()
            await self.empty_trash()
            with suppress(TimeoutError):
                async with asyncio.timeout(period):
                    await self._litter.wait()

    async def empty_trash(self) -> None:
        """Delete what is in the trash now."""
        with suppress(OSError):
            for path in list(self.layout.trash.iterdir()):
                with suppress(DeckError, OSError):
                    await remove_tree(path, enter=self.enter)
        await asyncio.to_thread(Reserve(self.layout.reserve).keep)


async def _despite_full_disk(
    layout: Layout, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """:func:`core.store.intake.in_thread`, a second time with the reserve if the disk is full."""
    try:
        return await in_thread(layout, function, *args, **kwargs)
    except NoSpace:
        if not Reserve(layout.reserve).spend():
            raise
    return await in_thread(layout, function, *args, **kwargs)
