"""Read manifests, indexes and configs, and refuse what only looks like one.

OCI image specification v1.1 (manifest, image index, config) and Docker "Image Manifest V2,
Schema 2". A document is judged by its own media type, by what was promised for it and by its
fields; where these disagree it is refused (CVE-2021-41190).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec

from core.errors import Corrupt, DeckError, Hostile, InvalidInput, Unsupported
from core.images.reference import check_digest
from core.limits import DEFAULTS
from core.text import clean

if TYPE_CHECKING:
    from core.limits import Limits

MANIFEST_CAP = 16 << 20
"""Bytes of a manifest or index that are read at all, whatever the settings allow."""

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
_DOCKER_V1 = "application/vnd.docker.distribution.manifest.v1"

INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
ACCEPT = ", ".join((OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST))

LAYER_TYPES = frozenset(
    {OCI_LAYER, f"{OCI_LAYER}+gzip", f"{OCI_LAYER}+zstd"}
    | {DOCKER_LAYER, f"{DOCKER_LAYER}.gzip", f"{DOCKER_LAYER}.zstd"}
)
_FOREIGN = ("nondistributable", "foreign")


class PlatformSpec(msgspec.Struct, frozen=True, kw_only=True):
    """``platform`` of an index entry."""

    os: str = ""
    architecture: str = ""
    variant: str = ""


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A promise about other content: what it is, its digest and its size."""

    media_type: str
    digest: str
    size: int
    platform: PlatformSpec | None = None
    annotations: dict[str, str] | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One image for one platform."""

    schema_version: int
    config: Descriptor
    layers: list[Descriptor]
    media_type: str = ""
    artifact_type: str = ""


class Index(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One image for several platforms."""

    schema_version: int
    manifests: list[Descriptor]
    media_type: str = ""


class RunConfig(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """``config`` of an image config: how to run it."""

    env: list[str] | None = None
    user: str | None = None
    working_dir: str | None = None
    cmd: list[str] | None = None
    entrypoint: list[str] | None = None


class RootFs(msgspec.Struct, frozen=True, kw_only=True):
    """``rootfs`` of an image config."""

    type: str
    diff_ids: list[str]


class HistoryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One build step as the config tells it."""

    created: str | None = None
    created_by: str | None = None
    comment: str | None = None
    empty_layer: bool | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """An image's config."""

    architecture: str
    os: str
    rootfs: RootFs
    variant: str | None = None
    created: str | None = None
    config: RunConfig | None = None
    history: list[HistoryLine] | None = None


T = TypeVar("T")


def read_document(
    body: bytes, *, of: str, promised: str = "", limits: Limits = DEFAULTS
) -> Manifest | Index:
    """An index or manifest from its bytes.

    ``promised`` is the media type that the registry's header or the index told.

    Raises:
        Hostile: its media types and fields contradict each other, or it breaks a cap.
        Corrupt: not the JSON it should be.
        Unsupported: an artifact, an old schema, or layers that are kept elsewhere.
    """
    fields = _load(body, of=of, cap=limits.manifest_bytes, depth=limits.json_depth)
    promised = promised.partition(";")[0].strip().lower()
    own = fields.get("mediaType", "")
    if not isinstance(own, str):
        raise Corrupt(of, "its media type is no text")
    if promised.startswith(_DOCKER_V1) or fields.get("schemaVersion") == 1:
        raise Unsupported(
            of, "an image of the obsolete schema 1", hint="push it again with a current tool"
        )
    known = INDEXES | MANIFESTS
    if own and promised in known and own != promised:
        raise Hostile(of, f"announced as {clean(promised, 99)}, says it is {clean(str(own), 99)}")
    kind = own or promised
    if "manifests" in fields and ("layers" in fields or "config" in fields):
        raise Hostile(of, "reads as an index and as a manifest at once")
    if kind not in known:
        if own or not ({"manifests", "layers"} & fields.keys()):
            raise Unsupported(of, f"no image but {clean(str(kind) or 'unknown content', 99)}")
        kind = OCI_INDEX if "manifests" in fields else OCI_MANIFEST
    if kind in INDEXES:
        return _checked_index(convert(fields, Index, of=of), of, limits)
    return _checked_manifest(convert(fields, Manifest, of=of), of, limits)


def read_config(body: bytes, manifest: Manifest, *, of: str, limits: Limits = DEFAULTS) -> Config:
    """The config of ``manifest`` from its bytes.

    Raises:
        Corrupt: not a config, or its diff_ids do not match the layers.
        Unsupported: no image for Linux.
    """
    return config_for(body, len(manifest.layers), of=of, limits=limits)


def config_for(body: bytes, layers: int, *, of: str, limits: Limits = DEFAULTS) -> Config:
    """The config of an image of so many layers; as :func:`read_config`."""
    fields = _load(body, of=f"config of {of}", cap=limits.config_bytes, depth=limits.json_depth)
    config = convert(fields, Config, of=of)
    if config.os != "linux":
        raise Unsupported(of, f"built for {clean(config.os, 40) or 'no system'}, not for linux")
    if len(config.rootfs.diff_ids) != layers:
        raise Corrupt(of, f"{layers} layers but {len(config.rootfs.diff_ids)} diff_ids")
    for diff_id in config.rootfs.diff_ids:
        _check(diff_id, of)
    return config


def _checked_index(index: Index, of: str, limits: Limits) -> Index:
    if index.schema_version != 2:
        raise Unsupported(of, f"schema version {index.schema_version}")
    for entry in index.manifests:
        _check(entry.digest, of)
        if not 0 < entry.size <= limits.manifest_bytes:
            raise Hostile(of, f"promises a manifest of {entry.size} bytes")
    return index


def _checked_manifest(manifest: Manifest, of: str, limits: Limits) -> Manifest:
    if manifest.schema_version != 2:
        raise Unsupported(of, f"schema version {manifest.schema_version}")
    if manifest.config.media_type not in (OCI_CONFIG, DOCKER_CONFIG):
        kind = clean(manifest.artifact_type or manifest.config.media_type, 99)
        raise Unsupported(of, f"an artifact ({kind}), not an image")
    _check(manifest.config.digest, of)
    if not 0 < manifest.config.size <= limits.config_bytes:
        raise Hostile(of, f"promises a config of {manifest.config.size} bytes")
    if len(manifest.layers) > limits.layers:
        raise Hostile(of, f"{len(manifest.layers)} layers, more than {limits.layers}")
    for position, layer in enumerate(manifest.layers, 1):
        _check(layer.digest, of)
        _check_layer(layer, f"{of}, layer {position}", limits)
    return manifest


def _check_layer(layer: Descriptor, of: str, limits: Limits) -> None:
    if any(word in layer.media_type for word in _FOREIGN):
        raise Unsupported(of, "a foreign layer, which registries do not hand out")
    if layer.media_type not in LAYER_TYPES:
        raise Unsupported(of, f"layer type {clean(layer.media_type, 99)}")
    if not 0 <= layer.size <= limits.total_bytes:
        raise Hostile(of, f"promises {layer.size} bytes")


def _check(digest: str, of: str) -> None:
    try:
        check_digest(digest, of=of)
    except InvalidInput as error:
        raise Corrupt(of, error.why) from None


def load_json(body: bytes, *, of: str, cap: int) -> Any:
    """JSON of at most ``cap`` bytes.

    Raises:
        Hostile: it is longer, nested without end, or has a key twice in one object.
        Corrupt: it is no JSON, or holds NaN or an infinity.
    """
    if len(body) > cap:
        raise Hostile(of, f"larger than {cap} bytes")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise Hostile(of, "the same key twice in one object")
        return fields

    def refuse(word: str) -> NoReturn:
        raise Corrupt(of, f"{word} in JSON")

    try:
        return json.loads(body, object_pairs_hook=unique, parse_constant=refuse)
    except RecursionError:
        raise Hostile(of, "nested too deeply") from None
    except DeckError:
        raise
    except ValueError:
        raise Corrupt(of, "not JSON") from None


def _load(body: bytes, *, of: str, cap: int, depth: int) -> dict[str, Any]:
    fields = load_json(body, of=of, cap=cap)
    if not isinstance(fields, dict):
        raise Corrupt(of, "not a JSON object")
    if _deeper(fields, depth):
        raise Hostile(of, f"nested more than {depth} deep")
    return fields


def _deeper(value: object, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return any(isinstance(one, dict | list) for one in level)


def convert(fields: Any, kind: type[T], *, of: str) -> T:
    """JSON as a struct. Raises: Corrupt, if a field is missing or of another type."""
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise Corrupt(of, clean(str(error), 200)) from None
