"""Fetch one layer: registry to partial blob and unpacker at once, over cuts and crashes.

A blob's bytes are fixed by its digest. So a server that ignores ``Range`` costs time but no
correctness: what is there already is passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Corrupt, DeckError, Hostile
from core.images.failures import Lost
from core.images.resume import carry_on, kept_text, skipping
from core.layers.unpack import open_unpacker
from core.store.ingest import Ingest
from core.store.records import StagedLayer

if TYPE_CHECKING:
    from pathlib import Path

    from core.domain import Layer
    from core.images.origin import Content
    from core.images.progress import Progress
    from core.images.reference import Reference
    from core.layers.unpack import Unpacked, Unpacker
    from core.store.store import Store


class LayerFetch:
    """Fetches layers of one image for one pull."""

    def __init__(
        self, store: Store, origin: Content, reference: Reference, progress: Progress
    ) -> None:
        self._store = store
        self._origin = origin
        self._reference = reference
        self._progress = progress

    async def run(self, layer: Layer) -> tuple[StagedLayer, bool]:
        """Unpack a layer into staging; and whether it refers to layers below.

        The caller holds the lock of its digest. On error or cancel the staged tree is gone and
        the bytes received are kept, unless they were wrong.

        Raises:
            Corrupt: digest, size or diff_id differ.
            DeckError: from registry, unpacker or disk, with ``kept`` where a retry saves time.
        """
        intake = self._store.intake
        resumed = intake.received(layer.digest) > 0
        while True:
            try:
                return await self._unpack(layer)
            except (Corrupt, Hostile):
                intake.forget(layer.digest)
                # a part kept from before may be torn, by a power cut say: once more from nothing
                if not (resumed or self._origin.distrust(layer.digest)):
                    raise
            resumed = False

    async def _unpack(self, layer: Layer) -> tuple[StagedLayer, bool]:
        intake = self._store.intake
        path = intake.blob(layer.digest) or intake.layout.partial(layer.digest)
        folder = intake.new_stage()
        try:
            async with Ingest(path, name=short(layer)) as ingest:
                try:
                    async with open_unpacker(
                        folder / "fs",
                        enter=self._store.enter,
                        privileged=self._store.owners,
                        limits=self._store.limits,
                    ) as unpacker:
                        await self._receive(layer, ingest, unpacker)
                        self._progress.layer(layer.digest, "unpack", layer.size)
                        unpacked = await unpacker.finish()
                except (Corrupt, Hostile) as error:
                    if error.what == short(layer):
                        raise
                    # told of a member of the archive: say which archive
                    raise type(error)(short(layer), error.message, hint=error.hint) from error
                except DeckError as error:
                    name = short(layer)
                    error.kept = error.kept or kept_text(ingest.offset, layer.size, name)
                    raise
            intake.verified.add(layer.digest)
            staged = _checked(layer, folder, unpacked)
        except BaseException:
            intake.layout.discard(folder)
            raise
        self._progress.layer(layer.digest, "done", layer.size)
        return staged, unpacked.needs_lower

    async def _receive(self, layer: Layer, ingest: Ingest, unpacker: Unpacker) -> None:
        """Feed the unpacker the kept bytes, then the rest from the registry."""
        intake = self._store.intake
        if ingest.kept > layer.size:
            raise Corrupt(short(layer), "more was kept than it is long")
        async for chunk in ingest.replay():
            await unpacker.write(chunk)
            self._progress.layer(layer.digest, "verify", ingest.offset)
        if ingest.offset < layer.size:
            await carry_on(
                lambda: self._stream(layer, ingest, unpacker), ingest, self._origin.patience
            )
        if ingest.digest != layer.digest:
            intake.condemn(layer.digest)
            raise Corrupt(short(layer), "what was received differs from its digest")

    async def _stream(self, layer: Layer, ingest: Ingest, unpacker: Unpacker) -> None:
        async with self._origin.blob(self._reference, layer.digest, offset=ingest.offset) as (
            start,
            chunks,
        ):
            async for chunk in skipping(ingest.offset - start, chunks):
                if ingest.offset + len(chunk) > layer.size:
                    raise Corrupt(short(layer), f"longer than the {layer.size} bytes promised")
                await ingest.write(chunk)
                await unpacker.write(chunk)
                self._progress.layer(layer.digest, "fetch", ingest.offset)
                if ingest.offset == layer.size:
                    return  # whatever length the server told
            if ingest.offset < layer.size:
                raise Lost(self._reference.registry, "connection lost", hint="try again")


def short(layer: Layer) -> str:
    """What a person calls a layer: the beginning of its digest."""
    return f"layer {layer.digest[7:19]}"


def _checked(layer: Layer, folder: Path, unpacked: Unpacked) -> StagedLayer:
    if unpacked.diff_id != layer.diff_id:
        raise Corrupt(short(layer), "unpacked it differs from the diff_id in the image's config")
    return StagedLayer(
        key=layer.diff_id,
        diff_id=layer.diff_id,
        folder=folder,
        size=unpacked.size,
        entries=unpacked.entries,
        tar_size=unpacked.tar_size,
        warnings=tuple(unpacked.warnings),
    )
