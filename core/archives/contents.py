"""What an archive of images is made of, before it is written: documents and layers by name.

The names and their order follow from the images alone, so the same images give the same bytes.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from core.archives.layouts import CONTAINERD_NAME, REF_NAME
from core.domain import Layer
from core.errors import Corrupt, InvalidInput
from core.images.assemble import (
    canonical,
    descriptor,
    digest_of,
    manifest_of,
    oci_type,
    platform_fields,
    stored_config,
)
from core.images.manifest import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    read_document,
)
from core.images.reference import parse_reference
from core.layers.compression import expand
from core.store.ingest import CHUNK
from core.store.layout import hex_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from core.domain import Image
    from core.store.store import Store

Format = Literal["docker-archive", "oci-archive", "oci-dir", "docker-dir"]
FORMATS: tuple[Format, ...] = ("docker-archive", "oci-archive", "oci-dir", "docker-dir")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An image to be saved, and the names it shall have."""

    image: Image
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of the archive."""

    name: str
    size: int
    digest: str
    """Of what it holds."""
    body: bytes = b""
    blob: Path | None = None
    """The file of a layer; None: :attr:`body` is all."""
    expanded: bool = False
    """Whether the blob is written uncompressed."""

    def chunks(self) -> Iterator[bytes]:
        """What it holds; blocks.

        Raises:
            Corrupt: the blob is not what it should be, or gone.
        """
        if self.blob is None:
            yield self.body
            return
        # Of a compressed blob fewer bytes are hashed than come out; that these are the layer's
        # was found when it was unpacked.
        hashed, done = hashlib.sha256(), 0
        pieces = _hashing(_read(self.blob), hashed)
        layer, why = f"layer {self.digest[7:19]}", "the store's blob is damaged"
        try:
            for piece in expand(pieces) if self.expanded else pieces:
                done += len(piece)
                if done > self.size:
                    break
                yield piece
        except Corrupt as error:
            raise Corrupt(layer, why, hint="pull it again") from error
        if done != self.size or hashed.hexdigest() != self.blob.name:
            raise Corrupt(layer, why, hint="pull it again")


def _hashing(chunks: Iterator[bytes], hashed: hashlib._Hash) -> Iterator[bytes]:
    for chunk in chunks:
        hashed.update(chunk)
        yield chunk


def _read(path: Path) -> Iterator[bytes]:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Corrupt(path.name[:12], "the blob is gone", hint="pull it again") from None
    try:
        while chunk := os.read(file, CHUNK):
            yield chunk
    finally:
        os.close(file)


def parts_of(store: Store, sources: Sequence[Source], format_: Format) -> list[Part]:
    """Every file of the archive, in its order; blocks for small files.

    Raises:
        Corrupt: a document or blob is missing.
        InvalidInput: several images in a format that holds one.
    """
    if format_ == "docker-archive":
        return _docker_archive(store, sources)
    if format_ == "docker-dir":
        if len(sources) > 1:
            raise InvalidInput(
                format_, "holds one image only", hint="save to docker-archive or oci-dir"
            )
        return _docker_dir(store, sources[0].image)
    return _oci(store, sources)


# -- docker-archive ------------------------------------------------------------------------


def _docker_archive(store: Store, sources: Sequence[Source]) -> list[Part]:
    """Layers, configs, then what names them, as docker and podman write it."""
    layers: dict[str, Part] = {}
    configs: dict[str, Part] = {}
    listed: list[dict[str, object]] = []
    for source in sources:
        config = stored_config(store, source.image.digest)
        config_name = f"{hex_of(digest_of(config))}.json"
        configs[config_name] = _document(config_name, config)
        names: list[str] = []
        for layer in source.image.layers:
            name = f"{hex_of(layer.diff_id)}.tar"
            names.append(name)
            if name not in layers:
                layers[name] = _plain(store, layer, name)
        listed.append(
            {"Config": config_name, "RepoTags": sorted(source.names) or None, "Layers": names}
        )
    manifest = canonical(listed)
    return [
        *layers.values(),
        *(configs[name] for name in sorted(configs)),
        _document("manifest.json", manifest),
        _document("repositories", canonical(_repositories(listed))),
    ]


def _repositories(listed: Sequence[dict[str, object]]) -> dict[str, dict[str, str]]:
    """Repository, tag and top layer: what docker read before it had ``RepoTags``."""
    found: dict[str, dict[str, str]] = {}
    for entry in listed:
        layers, tags = entry["Layers"], entry["RepoTags"]
        if not isinstance(layers, list) or not isinstance(tags, list) or not layers:
            continue
        for name in tags:
            reference = parse_reference(str(name))
            top = str(layers[-1]).removesuffix(".tar")
            found.setdefault(reference.name, {})[reference.tag] = top
    return found


def _plain(store: Store, layer: Layer, name: str) -> Part:
    """A layer uncompressed."""
    kept = _kept(store, layer)
    return Part(
        name=name,
        size=store.tar_size(layer.diff_id),
        digest=layer.diff_id,
        blob=store.layout.blob(kept.digest),
        expanded=True,
    )


def _kept(store: Store, layer: Layer) -> Layer:
    """The layer in a form whose blob is in the store: its own, or another image's."""
    if store.intake.blob(layer.digest):
        return layer
    for other in store.layers_of(layer.diff_id):
        if store.intake.blob(other.digest):
            return other
    raise Corrupt(
        f"layer {layer.digest[7:19]}", "the blob is not in the store", hint="pull it again"
    )


# -- docker-dir ----------------------------------------------------------------------------


def _docker_dir(store: Store, image: Image) -> list[Part]:
    """What skopeo and podman call ``dir:``; as a Docker manifest, which knows no zstd."""
    config = stored_config(store, image.digest)
    parts: dict[str, Part] = {}
    layers: list[dict[str, str | int]] = []
    for layer in image.layers:
        kept = _kept(store, layer)
        if kept.media_type.endswith("gzip"):
            part = _blob(store, kept, hex_of(kept.digest))
            kind = f"{DOCKER_LAYER}.gzip"
        else:
            part = _plain(store, kept, hex_of(kept.diff_id))
            kind = DOCKER_LAYER
        parts[part.name] = part
        layers.append(descriptor(kind, part.digest, part.size))
    manifest = canonical(
        {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": descriptor(DOCKER_CONFIG, digest_of(config), len(config)),
            "layers": layers,
        }
    )
    return [
        *parts.values(),
        _document(hex_of(digest_of(config)), config),
        _document("manifest.json", manifest),
        _document("version", b"Directory Transport Version: 1.1\n"),
    ]


# -- oci-archive and oci-dir ---------------------------------------------------------------


def _oci(store: Store, sources: Sequence[Source]) -> list[Part]:
    """The marker and the index first, so that a reader knows at once what is coming."""
    blobs: dict[str, Part] = {}
    listed: list[dict[str, object]] = []
    for source in sources:
        manifest, layers = _oci_manifest(store, source.image)
        config = stored_config(store, source.image.digest)
        for body in (manifest, config):
            name = _oci_name(digest_of(body))
            blobs[name] = _document(name, body)
        for layer in layers:
            name = _oci_name(layer.digest)
            blobs[name] = _blob(store, layer, name)
        kind = str(getattr(read_document(manifest, of=source.image.digest), "media_type", ""))
        entry: dict[str, object] = dict(
            descriptor(kind or OCI_MANIFEST, digest_of(manifest), len(manifest))
        )
        entry["platform"] = platform_fields(source.image.platform)
        for full in sorted(source.names):
            notes = {CONTAINERD_NAME: full, REF_NAME: full}
            listed.append({**entry, "annotations": notes})
        if not source.names:
            listed.append(entry)
    index = canonical({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed})
    documents = [part for part in blobs.values() if part.blob is None]
    return [
        _document("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
        _document("index.json", index),
        *sorted(documents, key=lambda part: part.name),
        *(part for part in blobs.values() if part.blob),
    ]


def _oci_manifest(store: Store, image: Image) -> tuple[bytes, list[Layer]]:
    """The image's manifest and the layers it names.

    The image's own, unless a blob it names was never fetched because another image has the layer
    in another form: then one that names what there is.
    """
    kept = [_kept(store, layer) for layer in image.layers]
    if [one.digest for one in kept] == [layer.digest for layer in image.layers]:
        path = store.intake.blob(image.digest)
        if path is None:
            raise Corrupt(image.digest, "its manifest is missing", hint="pull it again")
        return path.read_bytes(), kept
    kept = [replace(one, media_type=oci_type(one.media_type)) for one in kept]
    return manifest_of(stored_config(store, image.digest), kept), kept


def _oci_name(digest: str) -> str:
    return f"blobs/sha256/{hex_of(digest)}"


def _blob(store: Store, layer: Layer, name: str) -> Part:
    """A layer as it is stored."""
    return Part(
        name=name, size=layer.size, digest=layer.digest, blob=store.layout.blob(layer.digest)
    )


def _document(name: str, body: bytes) -> Part:
    return Part(name=name, size=len(body), digest=digest_of(body), body=body)
