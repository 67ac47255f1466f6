"""The store's distros: install, find, measure and remove them."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from core.domain import Platform
from core.errors import NotFound
from core.layers.trees import tree_bytes
from core.store.collect import collect
from core.store.distros import (
    load_distro,
    load_distros,
    make_distro,
    mark_removed,
    new_folder,
    touch,
)
from core.store.intake import in_thread
from core.store.opened import despite_full_disk
from core.store.records import DistroRecord
from core.store.sizes import distro_sizes
from core.store.snapshots import TREES
from core.store.stored_images import StoredImages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.store.records import Sizes


class StoredDistros(StoredImages):
    """The part of :class:`core.store.store.Store` that knows distros."""

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
        stage: Path | None = None,
    ) -> DistroRecord:
        """Install an image (None: this machine's own root) under a name.

        ``version`` is used where its os-release has none. ``stage`` holds a tree, ``fs``, that
        becomes its writable layer. Cancelled or not, there is either a whole distro or none.

        Raises:
            Conflict: the name is taken.
            NotFound: there is no such image.
        """
        async with self._changing:
            image = self.image(image_digest) if image_digest else None
            layers = self.layer_paths(image.digest) if image else []
            release = await asyncio.to_thread(self.os_release, image.digest if image else "")
            ident, folder = new_folder(self.layout)
            tree = f"{TREES}/{stage.name}/fs" if stage else "upper"
            record = DistroRecord(
                id=ident,
                name=name,
                tree=tree,
                upper=folder / tree,
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
            await in_thread(self.layout, make_distro, self._index, self.layout, record, root, stage)
        return self.distro(name)

    async def remove_distro(self, name: str, *, now: bool = False) -> None:
        """Take a distro to the trash, or delete it ``now``; its image too if nothing else uses it.

        The caller sees to it that nothing runs in it. What is deleted is renamed at once and gone
        after the next :meth:`sweep`.

        Raises:
            NotFound: there is none.
        """
        async with self._changing:
            self.distro(name)
            await despite_full_disk(
                self.layout, mark_removed, self._index, self.layout, name, now=now
            )
            if now:
                leased = self.intake.leases.digests
                await despite_full_disk(self.layout, collect, self._index, self.layout, leased)
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

    def distro_sizes(self) -> dict[str, Sizes]:
        """Bytes of each distro by name; its writable layer as last measured."""
        return distro_sizes(self._index)
