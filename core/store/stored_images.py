"""The store's images: find, list, name and remove them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from core.domain import Layer
from core.errors import Conflict, Corrupt, NotFound
from core.store.collect import collect
from core.store.history import load_history
from core.store.images import (
    add_repo_digest,
    digests_beginning,
    from_text,
    load_image,
    siblings,
)
from core.store.intake import in_thread
from core.store.naming import Asked, add_reference, drop_image, drop_reference
from core.store.opened import Opened, despite_full_disk
from core.store.osrelease import OsRelease, read_os_release
from core.store.query import choose_images

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.domain import HistoryEntry, Image
    from core.verbs.storage import ImageQuery, Removal

_SHORTEST_PREFIX = 3
_BY_NAME = (
    "SELECT image FROM distro WHERE name = ? AND image IS NOT NULL AND NOT removed",
    "SELECT image FROM reference WHERE name = ?",
    "SELECT image FROM repo_digest JOIN image ON digest = image WHERE name = ? AND trashed IS NULL",
)


class StoredImages(Opened):
    """The part of :class:`core.store.store.Store` that knows images."""

    def images(self, *, steps: bool = True) -> list[Image]:
        """All images, newest first; ``steps``: those of builds too."""
        found = self._list.all()
        return found if steps else [image for image in found if not image.intermediate]

    async def choose_images(
        self, query: ImageQuery, find: Callable[[str], Image] | None = None
    ) -> list[Image]:
        """The images that a query asks for, newest first; ``find`` gives those that it names.

        Raises:
            InvalidInput: a filter that cannot be.
            NotFound: no such image as a filter names.
        """
        found = self.images(steps=query.all)
        if not query.filters:
            return found
        return await asyncio.to_thread(
            choose_images, found, query, find or self.find_image, self.layout
        )

    def image(self, digest: str) -> Image:
        """The image with this manifest digest. Raises: NotFound."""
        found = load_image(self._index, digest)
        if not found:
            raise NotFound(digest, "no such image", hint="distrodeck images shows what is there")
        return found

    def referred(self, reference: str) -> Image | None:
        """The image that a reference, in full, leads to."""
        row = self._index.row("SELECT image FROM reference WHERE name = ?", reference)
        return self.image(row["image"]) if row else None

    def siblings(self, digest: str) -> list[Image]:
        """The images of other platforms that came from one index with this one, newest first."""
        return [self.image(one) for one in siblings(self._index, digest)]

    def find_image(self, name: str, *, distros: bool = True) -> Image:
        """An image by full reference, repository digest, distro name, digest or its beginning.

        :func:`core.images.find.find_image` takes references as people shorten them. ``distros``:
        the name may be a distro's.

        Raises:
            NotFound: nothing has that name.
            Conflict: several digests begin so.
        """
        for query in _BY_NAME if distros else _BY_NAME[1:]:
            if row := self._index.row(query, name):
                return self.image(row["image"])
        start = name.removeprefix("sha256:").lower()
        if len(start) >= _SHORTEST_PREFIX and all(c in "0123456789abcdef" for c in start):
            found = digests_beginning(self._index, start)
            if len(found) > 1:
                raise Conflict(
                    name, f"{len(found)} images begin so", hint="give more of the digest"
                )
            if found:
                return self.image(found[0])
        if distros:
            hint = "distrodeck ls and distrodeck images show what is there"
            raise NotFound(name, "no such distro or image", hint=hint)
        if self._index.row(_BY_NAME[0], name):
            raise NotFound(name, "a distro, not an image", hint=f"distrodeck rm {name}")
        raise NotFound(name, "no such image", hint="distrodeck images shows what is there")

    async def add_repo_digest(self, digest: str, repo_digest: str) -> None:
        """Note that an image can be pulled as ``repository@digest``; again: nothing changes."""
        await in_thread(self.layout, add_repo_digest, self._index, digest, repo_digest)

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

    def layers_of(self, diff_id: str) -> list[Layer]:
        """Every form in which images have a layer: the blobs differ, the tree is one."""
        rows = self._index.rows(
            "SELECT DISTINCT image.layers FROM layer JOIN image_layer ON layer = number"
            " JOIN image ON image.digest = image_layer.image WHERE layer.diff_id = ?",
            diff_id,
        )
        found = (layer for row in rows for layer in from_text(row["layers"], tuple[Layer, ...]))
        return list(dict.fromkeys(layer for layer in found if layer.diff_id == diff_id))

    def tar_size(self, diff_id: str) -> int:
        """Bytes of a layer's uncompressed tar. Raises: NotFound, if it is not unpacked."""
        row = self._index.row("SELECT tar_size FROM layer WHERE diff_id = ?", diff_id)
        if row is None:
            raise NotFound(diff_id, "no such layer")
        return int(row["tar_size"])

    def layer_paths(self, image_digest: str) -> list[Path]:
        """The unpacked layers of an image by their short names, bottom to top.

        A layer that an image holds twice is given once, at its upper place: all that the lower
        one shows or hides, the upper one does too, and overlay refuses the same layer twice.

        Raises:
            Corrupt: some of it is missing on the disk.
        """
        rows = self._index.rows(
            "SELECT layer FROM image_layer WHERE image = ? ORDER BY position DESC", image_digest
        )
        numbers = list(dict.fromkeys(row["layer"] for row in rows))
        paths = [self.layout.link(number) for number in reversed(numbers)]
        if not all(path.is_dir() for path in paths):
            hint = "distrodeck fsck --repair, then pull the image again with --image-only"
            raise Corrupt(image_digest, "some of its layers are missing", hint=hint)
        return paths

    def os_release(self, image_digest: str) -> OsRelease:
        """What system an image holds; of this machine for an empty digest."""
        return read_os_release(self.layer_paths(image_digest) if image_digest else [Path("/")])

    async def tag_image(self, digest: str, reference: str) -> Image:
        """Give an image a reference, in full; one that another image had moves.

        Raises:
            NotFound: no such image.
        """

        def tag() -> None:
            with self._index.write() as connection:
                add_reference(connection, digest, reference)

        async with self._changing:
            await in_thread(self.layout, tag)
        return self.image(digest)

    async def untag_image(self, reference: str) -> Removal:
        """Take a reference, in full, to the trash; its image stays.

        Raises:
            NotFound: no image has it.
        """

        def untag() -> Removal:
            with self._index.write() as connection:
                return drop_reference(connection, reference)

        async with self._changing:
            return await despite_full_disk(self.layout, untag)

    async def remove_image(
        self,
        digest: str,
        *,
        name: str = "",
        reference: str = "",
        force: bool = False,
        prune: bool = True,
        now: bool = False,
    ) -> Removal:
        """Take an image to the trash, or ``reference`` of it if it has others.

        ``name`` is what errors call it; ``now``: it cannot come back, and its layers and blobs
        that nothing else uses are deleted.

        Raises:
            NotFound: there is none.
            Conflict: it is in use, or needs ``force``.
        """
        asked = Asked(
            name=name or reference or digest,
            reference=reference,
            force=force,
            prune=prune,
            now=now,
        )

        def remove(leased: set[str]) -> Removal:
            with self._index.write() as connection:
                return drop_image(connection, digest, asked, leased)

        async with self._changing:
            self.image(digest)
            leased = self.intake.leases.digests
            removal = await despite_full_disk(self.layout, remove, leased)
            if now:
                await despite_full_disk(self.layout, collect, self._index, self.layout, leased)
        self._litter.set()
        return removal
