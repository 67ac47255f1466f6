"""The store's snapshots, and the writable layers of its distros."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import DeckError, NotFound
from core.layers.pack import copy_tree
from core.layers.trees import tree_bytes
from core.store.collect import collect
from core.store.intake import in_thread
from core.store.opened import despite_full_disk
from core.store.snapshots import (
    Base,
    Label,
    add_snapshot,
    change_tree,
    checked,
    drop_snapshot,
    drop_stray_trees,
    find_snapshot,
    load_snapshots,
    make_empty,
    note_checked,
    note_newest,
    rename_distro,
)
from core.store.stored_distros import StoredDistros

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.store.records import DistroRecord
    from core.verbs.changes import Snapshot


class StoredSnapshots(StoredDistros):
    """The part of :class:`core.store.store.Store` that knows snapshots."""

    def snapshots(self, record: DistroRecord | None = None) -> list[Snapshot]:
        """The snapshots of a distro, or all; newest first."""
        return load_snapshots(self._index, record.id if record else "")

    def find_snapshot(self, record: DistroRecord, name: str) -> tuple[Snapshot, Base, Path]:
        """A snapshot by name or id, what it lies on, and its tree. Raises: NotFound."""
        found, base, tree = find_snapshot(self._index, record, name)
        return found, base, self.layout.distros / record.id / tree

    @asynccontextmanager
    async def copied(self, tree: Path | None, image: str = "") -> AsyncIterator[Path]:
        """A stage with a copy of a writable layer, or (None) an empty one for ``image``.

        What is still there when the block ends is thrown away.
        """
        with self.intake.lease():
            async with self.intake.still():
                pass  # a check that would take the stage for nobody's is over
            stage = self.intake.new_stage()
            try:
                if tree:
                    await copy_tree(
                        tree, stage / "fs", as_layer=False, enter=self.reading, owners=self.owners
                    )
                else:
                    layers = self.layer_paths(image) if image else []
                    await in_thread(self.layout, make_empty, stage, layers[0] if layers else None)
                yield stage
            finally:
                self.layout.discard(stage)
                self._litter.set()

    async def add_snapshot(self, record: DistroRecord, stage: Path, label: Label) -> str:
        """Show a staged copy of a distro's changes as a snapshot; its name.

        Raises:
            Conflict: there is one of that name, or the distro was changed meanwhile.
        """
        size = await self._tree_bytes(stage / "fs")
        async with self._changing:
            try:
                return await in_thread(
                    self.layout,
                    add_snapshot,
                    self._index,
                    self.layout,
                    record,
                    stage,
                    label,
                    size,
                )
            except DeckError:
                await in_thread(self.layout, drop_stray_trees, self._index, self.layout)
                raise

    async def change_tree(
        self, record: DistroRecord, stage: Path, *, base: Base | None = None, keep: Label | None
    ) -> str:
        """Make a staged tree a distro's writable layer, on another ``base`` maybe.

        The caller sees to it that nothing runs in it. ``keep``: what was before becomes a
        snapshot, whose name is given back; None: it goes.

        Raises:
            Conflict: there is a snapshot of that name, or the distro was changed meanwhile.
        """
        size = await self._tree_bytes(stage / "fs")
        if keep:
            record = replace(record, upper_size=await self._tree_bytes(record.upper))
        async with self._changing:
            try:
                return await in_thread(
                    self.layout,
                    change_tree,
                    self._index,
                    self.layout,
                    record,
                    stage,
                    base=base or base_of(record),
                    keep=keep,
                    size=size,
                )
            except DeckError:
                await in_thread(self.layout, drop_stray_trees, self._index, self.layout)
                raise
            finally:
                self._litter.set()

    async def clone_distro(self, record: DistroRecord, name: str, stage: Path) -> None:
        """Make a distro like ``record``, with a staged copy of its changes.

        Raises:
            Conflict: the name is taken.
            NotFound: the image is gone.
        """
        size = await self._tree_bytes(stage / "fs")
        await self.create_distro(
            name,
            record.image_digest or None,
            url=record.url,
            version=record.version,
            repo_digest=record.repo_digest,
            platform=record.platform,
            warnings=record.warnings,
            stage=stage,
        )
        with suppress(NotFound):
            await in_thread(self.layout, self._set_size, self.distro(name).id, size)

    async def base(self, image: str, *, repo_digest: str, version: str) -> Base:
        """An image as what changes may lie on; ``version`` where its os-release has none."""
        release = await asyncio.to_thread(self.os_release, image)
        return Base(
            image=image,
            repo_digest=repo_digest,
            version=release.version_id or version,
            os_name=release.pretty_name,
        )

    async def remove_snapshot(self, record: DistroRecord, name: str) -> None:
        """Delete a snapshot, and its image if nothing else uses that. Raises: NotFound."""
        async with self._changing:
            await despite_full_disk(
                self.layout, drop_snapshot, self._index, self.layout, record, name
            )
            leased = self.intake.leases.digests
            await despite_full_disk(self.layout, collect, self._index, self.layout, leased)
        self._litter.set()

    async def rename_distro(self, record: DistroRecord, new: str) -> None:
        """Give a distro another name. Raises: Conflict, if it is taken."""
        async with self._changing:
            await in_thread(self.layout, rename_distro, self._index, record, new)

    async def note_newest(self, record: DistroRecord, digest: str) -> None:
        """Take down the digest that a distro's source has now."""
        await in_thread(self.layout, note_newest, self._index, record.id, digest)

    def checked(self) -> float:
        """When all sources were asked for what they have now; 0: never."""
        return checked(self._index)

    async def note_checked(self, when: float) -> None:
        """Take down when all sources were asked."""
        await in_thread(self.layout, note_checked, self._index, when)

    async def _tree_bytes(self, tree: Path) -> int:
        return await tree_bytes(tree, enter=self.reading)


def base_of(record: DistroRecord) -> Base:
    """What a distro's changes lie on now."""
    return Base(
        image=record.image_digest,
        repo_digest=record.repo_digest,
        version=record.version,
        os_name=record.os_name,
    )
