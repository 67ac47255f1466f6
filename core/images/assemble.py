"""Make an image of a config and layers that are here: what import, load, commit and build end in.

OCI image specification v1.1, "Image Manifest Specification" and "OCI Image Configuration".
"""

from __future__ import annotations

import hashlib
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from core.domain import Layer, Platform
from core.errors import Conflict, Corrupt
from core.images.manifest import (
    DOCKER_LAYER,
    OCI_CONFIG,
    OCI_LAYER,
    OCI_MANIFEST,
    Manifest,
    read_config,
    read_document,
)
from core.images.resolve import history_steps, image_config, timestamp
from core.store.records import NewImage, StagedLayer
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from core.domain import ImageOrigin
    from core.store.lease import Lease
    from core.store.store import Store

Config: TypeAlias = "Mapping[str, Any] | bytes"
"""An image's config: as a document, or byte for byte as it came, so that its digest stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLayer:
    """A layer of an image that is being made."""

    layer: Layer
    key: str
    """Under which it is unpacked, or will be: :attr:`StagedLayer.key`, or the stored layer's."""
    staged: StagedLayer | None = None
    """Its tree, if that is not in the store yet."""
    blob: Path | None = None
    """Its blob under a passing name, whole and verified; None: in the store, or its intake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """An image that was made."""

    digest: str
    """Of its manifest."""
    config_digest: str
    platform: Platform
    warnings: tuple[str, ...] = ()


async def assemble(
    store: Store,
    config: Config,
    layers: Sequence[ImageLayer],
    *,
    lease: Lease,
    name: str,
    manifest: bytes = b"",
    references: Sequence[str] = (),
    origin: ImageOrigin = "import",
    parent: str = "",
    intermediate: bool = False,
    pinned: bool = False,
) -> Assembled:
    """Commit an image of ``layers``, bottom to top; the same ones again give the same image.

    ``manifest`` is the image's own, byte for byte, where it came with one: its digest stays.
    ``origin``, ``parent`` and ``intermediate`` are as in
    :class:`core.store.records.NewImage`; ``name`` is what errors call it.

    The image stays while ``lease`` is open, while a distro uses it, or if ``pinned``. Staged
    trees are taken over: on error or cancel those that nobody else was told of are gone. Blobs
    become the store's by a rename.

    Raises:
        Corrupt: the config is none, its diff_ids are not the layers', or the manifest is of
            something else.
        Unsupported: no image for Linux.
        Hostile: it breaks a cap (number of layers, size of the config).
        Conflict: a layer it needs is not there.
        NoSpace: the disk is full; blobs stay for another try.
    """
    intake = store.intake
    try:
        described = config if isinstance(config, bytes) else canonical(config)
        image, documents = _image(described, layers, name, manifest, references)
        await intake.hold(lease, _needs(documents, layers))
    except BaseException:
        for one in layers:
            if one.staged:
                intake.layout.discard(one.staged.folder)
        raise
    for one in layers:
        if one.staged:
            intake.stage(one.staged)
    image = replace(image, origin=origin, parent=parent, intermediate=intermediate)
    return await _commit(store, image, documents, layers, pinned=pinned)


async def _commit(
    store: Store,
    image: NewImage,
    documents: Mapping[str, bytes],
    layers: Sequence[ImageLayer],
    *,
    pinned: bool,
) -> Assembled:
    async with AsyncExitStack() as locks:
        # in order, so that two that share layers do not wait for each other
        for digest in sorted({one.layer.digest for one in layers}):
            await locks.enter_async_context(store.intake.lock(digest))
        for one in layers:
            _hand_over(store, one)
        image = _with_warnings(store, image)
        await store.intake.commit(image, documents=documents, pinned=pinned)
    return Assembled(
        digest=image.digest,
        config_digest=image.config_digest,
        platform=image.platform,
        warnings=image.warnings,
    )


def stored_layers(store: Store, digest: str) -> tuple[ImageLayer, ...]:
    """The layers of an image in the store, to build another one on. Raises: NotFound."""
    image = store.image(digest)
    keys = store.layer_keys(digest)
    return tuple(
        ImageLayer(layer=layer, key=key) for layer, key in zip(image.layers, keys, strict=True)
    )


def stored_config(store: Store, digest: str) -> bytes:
    """The config of an image in the store, byte for byte; blocks for a small file.

    Raises:
        NotFound: there is no such image.
        Corrupt: its blob is gone.
    """
    image = store.image(digest)
    try:
        return store.layout.blob(image.config_digest).read_bytes()
    except FileNotFoundError:
        raise Corrupt(image.digest, "its config is missing", hint="pull it again") from None


def canonical(document: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """A document in the one form that all of ours have: sorted, without spaces."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def digest_of(body: bytes) -> str:
    """``sha256:…`` of some bytes."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def platform_fields(platform: Platform) -> dict[str, str]:
    """A platform as fields of a config."""
    fields = {"os": platform.os, "architecture": platform.architecture}
    return {**fields, "variant": platform.variant} if platform.variant else fields


def _image(
    described: bytes,
    layers: Sequence[ImageLayer],
    name: str,
    own: bytes,
    references: Sequence[str],
) -> tuple[NewImage, dict[str, bytes]]:
    """What is to be committed, and its manifest and config by digest; all of it checked."""
    kept = tuple(one.layer for one in layers)
    if not own:
        kept = tuple(replace(layer, media_type=oci_type(layer.media_type)) for layer in kept)
    body = own or manifest_of(described, kept)
    manifest = read_document(body, of=name)
    promised = [one.digest for one in kept]
    if not isinstance(manifest, Manifest) or [one.digest for one in manifest.layers] != promised:
        raise Corrupt(name, "its manifest is not that of its layers")
    if manifest.config.digest != digest_of(described):
        raise Corrupt(name, "its manifest is not that of its config")
    found = read_config(described, manifest, of=name)
    if found.rootfs.diff_ids != [one.diff_id for one in kept]:
        raise Corrupt(name, "the diff_ids of its config are not those of its layers")
    image = NewImage(
        digest=digest_of(body),
        config_digest=digest_of(described),
        platform=Platform(
            os=found.os,
            architecture=clean(found.architecture, 40),
            variant=clean(found.variant or "", 40),
        ),
        created=timestamp(found.created),
        layers=kept,
        layer_keys=tuple(one.key for one in layers),
        history=history_steps(found),
        config=image_config(found.config),
        references=tuple(references),
    )
    return image, {image.config_digest: described, image.digest: body}


def manifest_of(described: bytes, layers: Sequence[Layer]) -> bytes:
    """The OCI manifest of a config and layers, in its canonical form."""
    return canonical(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": descriptor(OCI_CONFIG, digest_of(described), len(described)),
            "layers": [descriptor(one.media_type, one.digest, one.size) for one in layers],
        }
    )


def descriptor(media_type: str, digest: str, size: int) -> dict[str, str | int]:
    """An OCI content descriptor."""
    return {"mediaType": media_type, "digest": digest, "size": size}


def oci_type(media_type: str) -> str:
    """A layer's media type as it is called in an OCI manifest."""
    if media_type.startswith(DOCKER_LAYER):
        return OCI_LAYER + media_type.removeprefix(DOCKER_LAYER).replace(".", "+")
    return media_type


def _needs(documents: Mapping[str, bytes], layers: Sequence[ImageLayer]) -> set[str]:
    return {*documents, *(one.layer.digest for one in layers), *(one.key for one in layers)}


def _hand_over(store: Store, one: ImageLayer) -> None:
    """Let the intake have a layer's blob."""
    intake, digest = store.intake, one.layer.digest
    if one.blob and not intake.blob(digest):
        one.blob.rename(intake.layout.partial(digest))
        intake.verified.add(digest)


def _with_warnings(store: Store, image: NewImage) -> NewImage:
    """The image with what its layers have to warn of."""
    warnings: list[str] = []
    for key in image.layer_keys:
        if (layer := store.intake.layer(key)) is None:
            raise Conflict(image.digest, f"layer {key} is not there")
        warnings += layer.warnings
    return replace(image, warnings=tuple(dict.fromkeys(warnings)))
