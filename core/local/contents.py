"""Look into images and distros; see :class:`core.verbs.contents.Contents`."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from core.errors import NotFound, Unsupported
from core.images import contents
from core.images.inspection import diff_configs, inspect_image
from core.local.parts import Bound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.domain import HistoryEntry
    from core.images.contents import Tree
    from core.verbs.contents import (
        Extracted,
        ExtractSpec,
        FieldChange,
        FileChange,
        FileEntry,
        FilesSpec,
        ImageWaste,
        Inspection,
    )


class ContentsVerbs(Bound):
    """Files, differences and facts."""

    def _tree(self, name: str) -> Tree:
        try:
            record = self._record(name)
        except NotFound:
            record = None
        return contents.find_tree(self._parts.store, name, record)

    def _image_tree(self, name: str) -> Tree:
        tree = self._tree(name)
        if tree.image is None:
            raise Unsupported(
                name,
                "this host's own root, which has no image",
                hint=f"distrodeck diff {name} shows its own changes",
            )
        return tree

    async def history(self, name: str) -> list[HistoryEntry]:
        image = self._image_tree(name).image
        return self._parts.store.history(image.digest) if image else []

    @asynccontextmanager
    async def files(self, spec: FilesSpec) -> AsyncIterator[AsyncIterator[tuple[FileEntry, ...]]]:
        tree = self._tree(spec.name)
        async with contents.open_files(self._parts.store, tree, spec) as pieces:
            yield pieces

    @asynccontextmanager
    async def read_file(self, spec: FilesSpec) -> AsyncIterator[AsyncIterator[bytes]]:
        tree = self._tree(spec.name)
        async with contents.open_bytes(self._parts.store, "read", tree, spec) as pieces:
            yield pieces

    @asynccontextmanager
    async def pack(self, spec: FilesSpec) -> AsyncIterator[AsyncIterator[bytes]]:
        tree = self._tree(spec.name)
        async with contents.open_bytes(self._parts.store, "pack", tree, spec) as pieces:
            yield pieces

    async def extract(self, spec: ExtractSpec) -> Extracted:
        self._may_change(spec.to)
        return await contents.extract(self._parts.store, self._tree(spec.name), spec)

    @asynccontextmanager
    async def diff(
        self, old: str, new: str = ""
    ) -> AsyncIterator[AsyncIterator[tuple[FileChange, ...]]]:
        ours = self._tree(old)
        theirs = self._tree(new) if new else ours
        if not new:
            if ours.own is None:
                hint = f"name two: distrodeck diff {old} ANOTHER"
                raise Unsupported(old, "an image, which has no changes of its own", hint=hint)
            ours = contents.without_changes(ours)
        async with contents.open_diff(self._parts.store, ours, theirs) as pieces:
            yield pieces

    async def diff_config(self, old: str, new: str) -> list[FieldChange]:
        return diff_configs(await self.inspect(old), await self.inspect(new))

    async def waste(self, name: str) -> ImageWaste:
        return await contents.count_waste(self._parts.store, self._image_tree(name))

    async def inspect(self, name: str) -> Inspection:
        image = self._image_tree(name).image
        assert image  # noqa: S101  # it would have been refused
        return await asyncio.to_thread(inspect_image, self._parts.store, image)
