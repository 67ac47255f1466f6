"""Make a layer of an image from a tree: the blob that is pushed, and the tree that is mounted.

OCI image spec v1.1, layer.md. The tree is copied first and the copy packed: whatever else changes
the original meanwhile, blob and unpacked layer are the same.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.domain import Layer
from core.errors import Corrupt, deck_error
from core.images.manifest import OCI_LAYER
from core.layers.pack import copy_tree, pack
from core.layers.unpack import open_unpacker
from core.store.ingest import CHUNK
from core.store.records import StagedLayer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from core.layers.compress import Compression
    from core.layers.pack import Copied, Packed
    from core.store.lease import Lease
    from core.store.store import Store

MEDIA_TYPES: dict[Compression, str] = {
    "none": OCI_LAYER,
    "gzip": f"{OCI_LAYER}+gzip",
    "zstd": f"{OCI_LAYER}+zstd",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedLayer:
    """A layer that a lease keeps until an image with it is committed."""

    layer: Layer
    key: str
    """Under which it is (or will be) unpacked."""
    entries: int
    tar_size: int
    """Bytes of the uncompressed archive."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedTree:
    """A copy that waits to be packed, in a stage of its own."""

    folder: Path
    """The stage: the tree is ``fs`` in it."""
    copied: Copied

    @property
    def empty(self) -> bool:
        """Whether nothing was changed."""
        return not self.copied.entries


async def copy_for_layer(store: Store, tree: Path) -> CopiedTree:
    """Copy a writable layer aside; hand the copy to :func:`pack_copy`, or discard its folder.

    On error or cancel nothing is left.
    """
    folder = store.intake.new_stage()
    try:
        copied = await copy_tree(
            tree, folder / "fs", as_layer=True, enter=store.reading, owners=store.owners
        )
    except BaseException:
        store.layout.discard(folder)
        raise
    return CopiedTree(folder=folder, copied=copied)


async def pack_copy(
    store: Store, lease: Lease, tree: CopiedTree, *, compression: Compression = "gzip"
) -> PackedLayer:
    """Pack a copy; its stage is used up, also on error or cancel.

    Raises:
        NoSpace: the disk is full; nothing is left.
    """
    path = store.layout.ingest / f"file-{secrets.token_hex(8)}"
    try:
        with _new_file(path) as output:
            packed = await pack(
                [tree.folder / "fs"],
                output,
                flat=False,
                compression=compression,
                enter=store.reading,
                owners=store.owners,
            )
        await store.intake.hold(lease, {packed.digest, packed.diff_id})
        return await _keep(store, tree, packed, path, compression)
    except BaseException:
        store.layout.discard(tree.folder)
        raise
    finally:
        path.unlink(missing_ok=True)


async def pack_still(
    store: Store, lease: Lease, tree: Path, *, compression: Compression = "gzip"
) -> PackedLayer | None:
    """A layer from a tree that nothing changes meanwhile: copied and packed at the same time.

    None: there is nothing in it. On error or cancel nothing is left.
    """
    folder = store.intake.new_stage()
    path = store.layout.ingest / f"file-{secrets.token_hex(8)}"
    try:
        with _new_file(path) as output:
            async with asyncio.TaskGroup() as group:
                copying = group.create_task(
                    copy_tree(
                        tree,
                        folder / "fs",
                        as_layer=True,
                        enter=store.reading,
                        owners=store.owners,
                    )
                )
                packing = group.create_task(
                    pack(
                        [tree],
                        output,
                        flat=False,
                        compression=compression,
                        enter=store.reading,
                        owners=store.owners,
                    )
                )
        copy, packed = CopiedTree(folder=folder, copied=copying.result()), packing.result()
        if copy.empty:
            store.layout.discard(folder)
            return None
        await store.intake.hold(lease, {packed.digest, packed.diff_id})
        return await _keep(store, copy, packed, path, compression)
    except BaseException as error:
        store.layout.discard(folder)
        if isinstance(error, BaseExceptionGroup):
            raise deck_error(error) or error from None
        raise
    finally:
        path.unlink(missing_ok=True)


async def pack_layer(
    store: Store, lease: Lease, tree: Path, *, compression: Compression = "gzip"
) -> PackedLayer:
    """:func:`copy_for_layer`, then :func:`pack_copy`: a layer from a tree that stays as it is."""
    return await pack_copy(store, lease, await copy_for_layer(store, tree), compression=compression)


def layer_trees(store: Store, digest: str) -> list[Path]:
    """The trees of an image's layers, bottom to top, each once: where it stands highest.

    Raises:
        Corrupt: one is not there.
    """
    trees: list[Path] = []
    for key in dict.fromkeys(reversed(store.layer_keys(digest))):
        layer = store.intake.layer(key)
        if layer is None:
            raise Corrupt(digest, f"layer {key} is not there", hint="pull the image again")
        trees.append(layer.tree)
    return trees[::-1]


async def flatten_copy(
    store: Store,
    lease: Lease,
    below: Sequence[Path],
    tree: CopiedTree,
    *,
    compression: Compression = "gzip",
) -> PackedLayer:
    """One layer of everything that a copy shows on the trees ``below``, bottom to top.

    The stage of the copy is used up, also on error or cancel.
    """
    stage = store.intake.new_stage()
    path = store.layout.ingest / f"file-{secrets.token_hex(8)}"
    try:
        with _new_file(path) as output:
            packed = await pack(
                [*below, tree.folder / "fs"],
                output,
                flat=True,
                compression=compression,
                enter=store.reading,
                owners=store.owners,
            )
        async with open_unpacker(
            stage / "fs", enter=store.enter, privileged=store.owners, limits=store.limits
        ) as unpacker:
            with path.open("rb") as blob:
                while chunk := await asyncio.to_thread(blob.read, CHUNK):
                    await unpacker.write(chunk)
            await unpacker.finish()
        await store.intake.hold(lease, {packed.digest, packed.diff_id})
        return await _keep(store, replace(tree, folder=stage), packed, path, compression)
    except BaseException:
        store.layout.discard(stage)
        raise
    finally:
        path.unlink(missing_ok=True)
        store.layout.discard(tree.folder)


@contextmanager
def _new_file(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


async def _keep(
    store: Store, tree: CopiedTree, packed: Packed, path: Path, compression: Compression
) -> PackedLayer:
    """Hand blob and tree to the store, unless it has them."""
    intake = store.intake
    async with intake.lock(packed.digest):
        intake.take(packed.digest, path)
    warnings = tuple(dict.fromkeys((*tree.copied.warnings, *packed.warnings)))
    intake.stage(
        StagedLayer(
            key=packed.diff_id,
            diff_id=packed.diff_id,
            folder=tree.folder,
            size=packed.size,
            entries=packed.entries,
            tar_size=packed.tar_size,
            warnings=warnings,
        )
    )
    layer = Layer(
        digest=packed.digest,
        diff_id=packed.diff_id,
        size=packed.blob_size,
        media_type=MEDIA_TYPES[compression],
    )
    return PackedLayer(
        layer=layer,
        key=packed.diff_id,
        entries=packed.entries,
        tar_size=packed.tar_size,
        warnings=warnings,
    )
