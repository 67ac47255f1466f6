"""Push images: layers three at a time, then config, manifest, and for several platforms an index.

OCI image specification v1.1, "Image Index", and the distribution specification's "Push". What is
pushed has the config and the diff_ids of the image in the store. Its manifest is the stored one,
unless a layer's blob is here only in another compression: then it names that one.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import Conflict, Corrupt, InvalidInput, NotFound, deck_error
from core.images.manifest import DOCKER_LAYER, MANIFEST_CAP, OCI_INDEX, OCI_LAYER, OCI_MANIFEST
from core.images.progress import Progress, ignore
from core.images.upload import CHUNK, Uploader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from core.domain import Image, Layer
    from core.images.progress import Report
    from core.images.reference import Reference
    from core.images.registry import Registry
    from core.store.lease import Lease
    from core.store.store import Store

AT_ONCE = 3
"""Layers sent at a time."""
_MOUNTS = 3
"""Repositories that a blob is asked for before it is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a push left in the registry."""

    repo_digest: str
    """``repository@digest`` of what the reference now names."""
    warnings: tuple[str, ...] = ()


async def push_image(
    store: Store,
    image: Image,
    reference: Reference,
    registry: Registry,
    *,
    lease: Lease,
    all_platforms: bool = False,
    chunk: int = CHUNK,
    report: Report = ignore,
) -> Pushed:
    """Bring an image to where ``reference`` says; ``registry`` is not yet entered.

    Cancelled, it leaves blobs behind that the registry may drop, and no manifest.

    Raises:
        InvalidInput: the reference has a digest that is not the image's.
        Conflict: a layer's blob is neither here nor there.
        LoginNeeded, NotFound, Unreachable: from the registry.
        Corrupt: the store's bytes, or what the registry made of them, differ from their digest.
    """
    progress = Progress(report)
    progress.enter("resolve")
    images = _platforms(store, image) if all_platforms else [image]
    needed = {digest for one in images for digest in (one.digest, one.config_digest)}
    needed |= {layer.digest for one in images for layer in one.layers}
    await store.intake.hold(lease, needed)
    async with registry:
        push = _Push(store, reference, Uploader(registry, reference, chunk=chunk), progress)
        return await push.run(image, images)


def _platforms(store: Store, image: Image) -> list[Image]:
    """The images in the store that came from one index with this one."""
    return [image, *store.siblings(image.digest)]


@dataclass(frozen=True, slots=True)
class _Manifest:
    body: bytes
    media_type: str

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.body).hexdigest()}"


class _Push:
    def __init__(
        self, store: Store, reference: Reference, uploader: Uploader, progress: Progress
    ) -> None:
        self._store = store
        self._reference = reference
        self._uploader = uploader
        self._progress = progress
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._known = store.images()
        self._instead: dict[str, Layer] = {}
        self._warnings: list[str] = []

    async def run(self, image: Image, images: Sequence[Image]) -> Pushed:
        """All of it; raises the first error alone."""
        reference = self._reference
        if reference.digest and (len(images) > 1 or reference.digest != image.digest):
            raise InvalidInput(
                str(reference), f"the image is {image.digest}", hint="push it under a tag"
            )
        layers = {layer.digest: layer for one in images for layer in one.layers}
        self._progress.expect((layer.digest, layer.size) for layer in layers.values())
        self._progress.enter("push")
        try:
            async with asyncio.TaskGroup() as group:
                for layer in layers.values():
                    group.create_task(self._layer(layer))
        except BaseExceptionGroup as errors:
            raise deck_error(errors) or errors from None
        made = [(one, await self._image(one)) for one in images]
        self._progress.enter("commit")
        if len(made) == 1:
            top = made[0][1]
        else:
            top = self._index(made)
            for _, manifest in made:
                await self._put(manifest)
        await self._put(top, tag="" if reference.digest else reference.tag)
        repo_digest = f"{reference.name}@{top.digest}"
        for one in images:
            await self._store.add_repo_digest(one.digest, repo_digest)
        return Pushed(repo_digest=repo_digest, warnings=tuple(self._warnings))

    async def _layer(self, layer: Layer) -> None:
        async with self._slots:
            if await self._there(layer):
                self._progress.layer(layer.digest, "exists", layer.size)
                return
            sent = layer
            path = self._store.intake.blob(layer.digest)
            if path is None:
                sent, path = self._other(layer)
                self._progress.layer(layer.digest, "push", 0, total=sent.size)
                if await self._there(sent):
                    self._progress.layer(layer.digest, "exists", sent.size)
                    return
            await self._send(path, sent.digest, sent.size, of=layer.digest)
            self._progress.layer(layer.digest, "done", sent.size)

    async def _there(self, layer: Layer) -> bool:
        if await self._uploader.has(layer.digest):
            return True
        return await self._uploader.mount(layer.digest, self._repositories(layer.digest))

    def _repositories(self, digest: str) -> Iterable[str]:
        """Other repositories of the registry that are known to have a blob."""
        here, found = f"{self._reference.registry}/", dict[str, None]()
        for image in self._known:
            if any(layer.digest == digest for layer in image.layers):
                for name in image.repo_digests:
                    if name.startswith(here):
                        found[name.removeprefix(here).partition("@")[0]] = None
        found.pop(self._reference.repository, None)
        return list(found)[:_MOUNTS]

    def _other(self, layer: Layer) -> tuple[Layer, Path]:
        """The same layer in another compression, which is here."""
        for image in self._known:
            for one in image.layers:
                if one.diff_id == layer.diff_id and one.digest != layer.digest:
                    path = self._store.intake.blob(one.digest)
                    if path:
                        self._instead[layer.digest] = one
                        return one, path
        raise Conflict(
            f"layer {layer.digest[7:19]}",
            "its blob is not in the store",
            hint="pull the image again, then push",
        )

    async def _send(self, path: Path, digest: str, size: int, *, of: str) -> None:
        if (await asyncio.to_thread(path.stat)).st_size != size:
            raise Corrupt(f"blob {digest[7:19]}", "not as long in the store as it should be")

        def tell(done: int) -> None:
            if of:
                self._progress.layer(of, "push", min(done, size))

        await self._uploader.blob(path, digest, size, tell)

    async def _image(self, image: Image) -> _Manifest:
        """Send the config; the manifest is still to be put."""
        path = self._document(image.config_digest)
        if not await self._uploader.has(image.config_digest):
            size = (await asyncio.to_thread(path.stat)).st_size
            await self._send(path, image.config_digest, size, of="")
        body = self._document(image.digest).read_bytes()
        fields = json.loads(body)
        media_type = str(fields.get("mediaType") or OCI_MANIFEST)
        if not any(layer.digest in self._instead for layer in image.layers):
            return _Manifest(body, media_type)
        if self._reference.digest:
            raise Conflict(
                str(self._reference),
                "a layer is here only in another compression, so its digest would change",
                hint="push it under a tag",
            )
        self._warnings.append("a layer went up in another compression: its manifest is a new one")
        fields["layers"] = [self._descriptor(one, media_type) for one in fields["layers"]]
        return _Manifest(json.dumps(fields, separators=(",", ":")).encode(), media_type)

    def _descriptor(self, there: dict[str, Any], manifest_type: str) -> dict[str, Any]:
        layer = self._instead.get(there["digest"])
        if layer is None:
            return there
        kind = layer.media_type
        if manifest_type == OCI_MANIFEST and kind.startswith(DOCKER_LAYER):
            kind = OCI_LAYER + kind.removeprefix(DOCKER_LAYER).replace(".", "+")
        elif manifest_type != OCI_MANIFEST and kind.startswith(OCI_LAYER):
            kind = DOCKER_LAYER + kind.removeprefix(OCI_LAYER).replace("+", ".")
        return {**there, "mediaType": kind, "digest": layer.digest, "size": layer.size}

    def _index(self, made: list[tuple[Image, _Manifest]]) -> _Manifest:
        """The index that all came from, if nothing of it is missing or changed; else a new one."""
        source, media_type, known = b"", OCI_INDEX, dict[str, dict[str, Any]]()
        names = [name for image, _ in made for name in image.repo_digests]
        for top in dict.fromkeys(name.rpartition("@")[2] for name in names):
            path = self._store.intake.blob(top)
            if path and top not in {image.digest for image, _ in made}:
                source = path.read_bytes()[: MANIFEST_CAP + 1]
                fields = json.loads(source)
                media_type = str(fields.get("mediaType") or OCI_INDEX)
                known = {one["digest"]: one for one in fields.get("manifests", ())}
                break
        if known and {manifest.digest for _, manifest in made} == known.keys():
            return _Manifest(source, media_type)
        entries = []
        for image, manifest in made:
            platform = {
                "architecture": image.platform.architecture,
                "os": image.platform.os,
                **({"variant": image.platform.variant} if image.platform.variant else {}),
            }
            entry = {"platform": platform, **known.get(image.digest, {})}
            entry["mediaType"] = manifest.media_type
            entry |= {"digest": manifest.digest, "size": len(manifest.body)}
            entries.append(entry)
        fields = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
        return _Manifest(json.dumps(fields, separators=(",", ":")).encode(), media_type)

    async def _put(self, manifest: _Manifest, *, tag: str = "") -> None:
        await self._uploader.manifest(manifest.body, manifest.media_type, manifest.digest, tag=tag)

    def _document(self, digest: str) -> Path:
        path = self._store.intake.blob(digest)
        if path is None:
            raise NotFound(f"blob {digest[7:19]}", "not in the store", hint="pull the image again")
        return path
