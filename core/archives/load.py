"""Bring the images of an archive into the store: all of them or none.

Layers that are there are not unpacked again. Nothing is visible before every layer of every
image has been unpacked and held against its diff_id.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from core.archives.layouts import find_images
from core.archives.reading import open_archive
from core.domain import Layer
from core.errors import Corrupt, Hostile
from core.images.assemble import ImageLayer, assemble, digest_of
from core.images.manifest import OCI_LAYER
from core.images.progress import Progress, ignore
from core.images.stack import AT_ONCE, LayerStack
from core.layers.compression import HEAD, compression_of
from core.layers.unpack import diff_id_of, open_unpacker
from core.store.records import StagedLayer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from core.archives.layouts import FoundImage, LayerFile
    from core.archives.members import Member, Members
    from core.domain import Platform
    from core.images.progress import Report
    from core.layers.unpack import Unpacked
    from core.limits import Limits
    from core.store.lease import Lease
    from core.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An image that came out of an archive."""

    digest: str
    references: tuple[str, ...]
    warnings: tuple[str, ...] = ()


async def load_archive(
    store: Store,
    source: Path | AsyncIterator[bytes],
    *,
    name: str,
    lease: Lease,
    platform: Platform | None = None,
    limits: Limits | None = None,
    report: Report = ignore,
) -> list[Loaded]:
    """Load every image of a docker-archive, oci-archive, or folder of the same.

    A name that stood for another image stands for the loaded one. ``name`` is what errors call
    the archive. On error or cancel no image of it is there.

    Raises:
        NotFound, InvalidInput: no such file, or nothing in it for the platform.
        Corrupt: truncated, damaged, or a digest, size or diff_id differs.
        Hostile, Unsupported: not an archive that can be trusted, or handled.
        NoSpace: the disk is full.
    """
    progress = Progress(report)
    key = digest_of(name.encode())
    progress.expect([(key, 0)])
    progress.enter("fetch")
    loop = asyncio.get_running_loop()

    def read(done: int, total: int) -> None:
        loop.call_soon_threadsafe(partial(progress.layer, key, "fetch", done, total=total))

    limits = limits or store.limits
    opened = await open_archive(source, name=name, layout=store.layout, limits=limits, report=read)
    with opened as members:
        progress.enter("resolve")
        members.limits = limits
        images = await find_images(members, platform)
        _check_names(images, members)
        work = _Load(store, members, lease, limits, progress)
        return await work.run(images)


class _Load:
    def __init__(
        self, store: Store, members: Members, lease: Lease, limits: Limits, progress: Progress
    ) -> None:
        self._store = store
        self._members = members
        self._lease = lease
        self._limits = limits
        self._progress = progress
        self._files: dict[str, Member] = {}
        """The member that holds a blob, by its digest."""

    async def run(self, images: list[FoundImage]) -> list[Loaded]:
        """Unpack all layers, then commit the images one by one."""
        stacks = list[tuple[tuple[Layer, ...], LayerStack]]()
        for image in images:
            layers = tuple([await self._layer(file) for file in image.layers])
            stacks.append((layers, LayerStack(self._store, layers, self._progress)))
        self._progress.expect(
            {layer.digest: layer.size for layers, _ in stacks for layer in layers}.items()
        )
        self._progress.enter("unpack")
        for _, stack in stacks:
            await self._store.intake.hold(self._lease, stack.needs())
            await stack.bring(self._unpack, at_once=AT_ONCE, there=self._there)
        self._progress.enter("commit")
        return [
            await self._commit(image, layers, stack)
            for image, (layers, stack) in zip(images, stacks, strict=True)
        ]

    async def _commit(
        self, image: FoundImage, layers: tuple[Layer, ...], stack: LayerStack
    ) -> Loaded:
        made = await assemble(
            self._store,
            image.config,
            [
                ImageLayer(layer=layer, key=key)
                for layer, key in zip(layers, stack.keys, strict=True)
            ],
            lease=self._lease,
            name=self._members.archive,
            manifest=image.manifest,
            references=image.names,
            origin="load",
            pinned=True,
        )
        return Loaded(
            digest=made.digest,
            references=image.names,
            warnings=(*image.warnings, *made.warnings),
        )

    async def _layer(self, file: LayerFile) -> Layer:
        """A layer as it will be kept."""
        member = self._members.find(file.member)
        if found := file.descriptor:
            layer = Layer(
                digest=found.digest,
                diff_id=file.diff_id,
                size=found.size,
                media_type=found.media_type,
            )
        elif there := await self._stored(file.diff_id):
            return there
        else:
            layer = await self._described(member, file.diff_id)
        self._files[layer.digest] = member
        return layer

    async def _stored(self, diff_id: str) -> Layer | None:
        """The layer as another image has it, blob and all; it stays while the lease is open."""
        store = self._store
        for layer in store.layers_of(diff_id):
            await store.intake.hold(self._lease, {layer.digest, diff_id})
            if store.intake.blob(layer.digest) and store.intake.layer(diff_id):
                return layer
        return None

    async def _described(self, member: Member, diff_id: str) -> Layer:
        """A layer that no manifest describes: ``layer.tar``, which some tools compress."""
        digest, head = member.digest, b""
        hashed = hashlib.sha256()
        async with aclosing(self._members.chunks(member)) as chunks:
            async for chunk in chunks:
                head = head or chunk[:HEAD]
                if compression_of(head) == "none":
                    digest = diff_id  # held against its bytes when they are read
                if digest:
                    break
                await asyncio.to_thread(hashed.update, chunk)
        kind = compression_of(head)
        if kind not in ("none", "gzip", "zstd"):
            raise Corrupt(self._members.of(member.name), f"a layer compressed with {kind}")
        return Layer(
            digest=digest or f"sha256:{hashed.hexdigest()}",
            diff_id=diff_id,
            size=member.size,
            media_type=OCI_LAYER if kind == "none" else f"{OCI_LAYER}+{kind}",
        )

    async def _unpack(self, layer: Layer) -> tuple[StagedLayer, bool]:
        """Take the blob over and unpack it into staging."""
        store, of = self._store, self._of(layer)
        folder = store.intake.new_stage()
        try:
            async with open_unpacker(
                folder / "fs",
                enter=store.enter,
                privileged=store.privileged,
                limits=self._limits,
            ) as unpacker:
                async with aclosing(self._blob(layer)) as chunks:
                    async for chunk in chunks:
                        await unpacker.write(chunk)
                unpacked = await unpacker.finish()
            self._progress.layer(layer.digest, "done", layer.size)
            return _staged(layer, folder, unpacked, of), unpacked.needs_lower
        except (Corrupt, Hostile) as error:
            store.intake.forget(layer.digest)
            store.layout.discard(folder)
            if error.what == of:
                raise
            raise type(error)(of, error.message, hint=error.hint) from error
        except BaseException:
            store.layout.discard(folder)
            raise

    async def _there(self, layer: Layer) -> None:
        """The tree is there; see that the blob is too, and that it is the tree's."""
        intake = self._store.intake
        if intake.blob(layer.digest) or layer.digest in intake.verified:
            return
        async with aclosing(self._blob(layer)) as chunks:
            if layer.digest == layer.diff_id:
                async for _ in chunks:
                    pass
                return
            try:
                found = await diff_id_of(chunks, limits=self._limits)
            except (Corrupt, Hostile) as error:
                intake.forget(layer.digest)
                raise type(error)(self._of(layer), error.message, hint=error.hint) from error
        if found != layer.diff_id:
            intake.forget(layer.digest)
            raise Corrupt(self._of(layer), "unpacked it differs from the diff_id in its config")

    async def _blob(self, layer: Layer) -> AsyncGenerator[bytes]:
        """The bytes of a blob; when they are over, the intake has it."""
        intake, of = self._store.intake, self._of(layer)
        member = self._taken_over(layer)
        if intake.blob(layer.digest) or layer.digest in intake.verified:
            digest, done = hashlib.sha256(), 0
            async with aclosing(self._members.chunks(member)) as chunks:
                async for chunk in chunks:
                    await asyncio.to_thread(digest.update, chunk)
                    yield chunk
                    done += len(chunk)
                    self._progress.layer(layer.digest, "unpack", done)
            if f"sha256:{digest.hexdigest()}" != layer.digest:
                raise Corrupt(of, "differs from its digest")
            return
        async with (
            intake.ingest(layer.digest, name=of) as ingest,
            aclosing(self._members.chunks(member)) as chunks,
        ):
            ingest.restart()
            async for chunk in chunks:
                await ingest.write(chunk)
                yield chunk
                self._progress.layer(layer.digest, "unpack", ingest.offset)
            if ingest.digest != layer.digest:
                intake.forget(layer.digest)
                raise Corrupt(of, "differs from its digest")
        intake.verified.add(layer.digest)

    def _taken_over(self, layer: Layer) -> Member:
        """The member with a layer's blob; a file of our own becomes the intake's."""
        intake, member = self._store.intake, self._files[layer.digest]
        partial_ = intake.layout.partial(layer.digest)
        if member.path and not member.shared and member.digest == layer.digest:
            if member.path.exists() and not intake.blob(layer.digest):
                member.path.rename(partial_)
                intake.verified.add(layer.digest)
            if not member.path.exists():
                return replace(member, path=intake.blob(layer.digest) or partial_)
        return member

    def _of(self, layer: Layer) -> str:
        return self._members.of(self._files[layer.digest].name)


def _staged(layer: Layer, folder: Path, unpacked: Unpacked, of: str) -> StagedLayer:
    if unpacked.diff_id != layer.diff_id:
        raise Corrupt(of, "unpacked it differs from the diff_id in its config")
    return StagedLayer(
        key=layer.diff_id,
        diff_id=layer.diff_id,
        folder=folder,
        size=unpacked.size,
        entries=unpacked.entries,
        tar_size=unpacked.tar_size,
        warnings=unpacked.warnings,
    )


def _check_names(images: list[FoundImage], members: Members) -> None:
    names: set[str] = set()
    for image in images:
        for name in image.names:
            if name in names:
                raise Corrupt(members.archive, f"{name} is the name of two images in it")
            names.add(name)
