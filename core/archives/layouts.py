"""Which images an archive holds, and which of its members are their parts.

Three layouts: docker-archive (``manifest.json``, "Docker Image Specification v1.2", "Combined
Image JSON + Filesystem Changeset Format"); oci-archive and oci-dir (OCI image specification v1.1,
"Image Layout"); and the folder that skopeo and podman call ``dir:`` and docker-dir, where
``manifest.json`` is an image manifest itself. What has an ``index.json`` is read as OCI, for that
one names its blobs by digest; ``docker save`` writes both.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from core.domain import Platform
from core.errors import Corrupt, Hostile, InvalidInput, Unsupported
from core.images.manifest import (
    MANIFEST_CAP,
    Config,
    Descriptor,
    Index,
    Manifest,
    config_for,
    convert,
    load_json,
    read_document,
)
from core.images.reference import parse_reference
from core.images.resolve import choose_entry, platform_warnings
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.archives.members import Members

CONTAINERD_NAME = "io.containerd.image.name"
REF_NAME = "org.opencontainers.image.ref.name"

MOST_IMAGES = 1000
_DEEPEST = 3
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_HEX_NAME = re.compile(r"(?:.*/)?([0-9a-f]{64})(?:\.json)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFile:
    """A layer and the member that holds its blob."""

    member: str
    diff_id: str
    descriptor: Descriptor | None = None
    """What the manifest promises of the blob; None: there is no manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundImage:
    """An image of an archive: its documents, read and checked, and where its layers are."""

    names: tuple[str, ...]
    config: bytes
    layers: tuple[LayerFile, ...]
    manifest: bytes = b""
    """As it came; empty where the archive has none."""
    platform: Platform
    warnings: tuple[str, ...] = ()


async def find_images(members: Members, platform: Platform | None) -> list[FoundImage]:
    """Every image of an archive; of those for several platforms the one for ``platform``.

    Raises:
        Unsupported: it is no archive of images, or one of docker before 1.10.
        NotFound: nothing in it is for the platform.
        Corrupt: a document is none, names what is not there, or differs from its digest.
        Hostile: a document breaks a rule or a cap.
    """
    if "index.json" in members and "oci-layout" in members:
        return await _Oci(members, platform).images()
    if "manifest.json" in members:
        body = await members.read("manifest.json", cap=MANIFEST_CAP)
        listed = load_json(body, of=members.of("manifest.json"), cap=MANIFEST_CAP)
        if isinstance(listed, list):
            return await _docker_images(members, listed, platform)
        return [await _plain_image(members, body, platform)]
    why = "no archive of images: it has no index.json and no manifest.json"
    if "repositories" in members:
        raise Unsupported(members.archive, "written by docker before 1.10", hint="save it anew")
    hint = "a root file system comes in with distrodeck import"
    raise Unsupported(members.archive, why, hint=hint)


# -- docker-archive ------------------------------------------------------------------------


class _Entry(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One image in ``manifest.json``."""

    config: str
    layers: list[str] | None = None
    repo_tags: list[str] | None = None


async def _docker_images(
    members: Members, listed: list[Any], wanted: Platform | None
) -> list[FoundImage]:
    of = members.of("manifest.json")
    entries = convert(listed, list[_Entry], of=of)
    if not entries:
        raise Corrupt(of, "names no image")
    if len(entries) > MOST_IMAGES:
        raise Hostile(of, f"more than {MOST_IMAGES} images")
    legacy = await _repositories(members)
    return [await _docker_image(members, entry, legacy, wanted) for entry in entries]


async def _docker_image(
    members: Members, entry: _Entry, legacy: dict[str, str], wanted: Platform | None
) -> FoundImage:
    of = members.of(entry.config)
    config = await members.read(entry.config, cap=members.limits.config_bytes)
    named = _HEX_NAME.fullmatch(entry.config)
    if named and hashlib.sha256(config).hexdigest() != named[1]:
        raise Corrupt(of, "differs from the digest in its name")
    layers = entry.layers or []
    if len(layers) > (most := members.limits.layers):
        raise Hostile(members.of("manifest.json"), f"more than {most} layers")
    found = config_for(config, len(layers), of=of, limits=members.limits)
    for layer in layers:
        members.find(layer)
    tags = entry.repo_tags or []
    if not tags and layers:
        tags = [name for name, ident in legacy.items() if layers[-1] == f"{ident}/layer.tar"]
    platform, warnings = _platform(found, wanted, of)
    return FoundImage(
        names=_references(tags, members.of("manifest.json")),
        config=config,
        layers=tuple(
            LayerFile(member=member, diff_id=diff_id)
            for member, diff_id in zip(layers, found.rootfs.diff_ids, strict=True)
        ),
        platform=platform,
        warnings=warnings,
    )


async def _repositories(members: Members) -> dict[str, str]:
    """Names and the top layers they stand for, as docker wrote them before ``RepoTags``."""
    if "repositories" not in members:
        return {}
    of = members.of("repositories")
    body = await members.read("repositories", cap=MANIFEST_CAP)
    listed = convert(load_json(body, of=of, cap=MANIFEST_CAP), dict[str, dict[str, str]], of=of)
    return {f"{name}:{tag}": top for name, tags in listed.items() for tag, top in tags.items()}


# -- documents by digest -------------------------------------------------------------------


async def _plain_image(members: Members, body: bytes, wanted: Platform | None) -> FoundImage:
    """The image of a ``dir:`` folder, whose blobs have bare digests for names."""
    of = members.of("manifest.json")
    manifest = read_document(body, of=of, limits=members.limits)
    if not isinstance(manifest, Manifest):
        raise Unsupported(of, "an index", hint="copy a single platform to it")
    return await _image(members, body, manifest, (), wanted, folder="")


async def _image(
    members: Members,
    body: bytes,
    manifest: Manifest,
    names: tuple[str, ...],
    wanted: Platform | None,
    *,
    folder: str = "blobs/sha256/",
    warnings: tuple[str, ...] = (),
) -> FoundImage:
    config = await _blob(members, manifest.config, members.limits.config_bytes, folder)
    of = members.of(f"{folder}{_hex(manifest.config)}")
    found = config_for(config, len(manifest.layers), of=of, limits=members.limits)
    for layer in manifest.layers:
        if members.find(folder + _hex(layer)).size != layer.size:
            raise Corrupt(members.of(folder + _hex(layer)), f"is not of {layer.size} bytes")
    platform, more = _platform(found, wanted, of)
    return FoundImage(
        names=names,
        config=config,
        manifest=body,
        layers=tuple(
            LayerFile(member=folder + _hex(layer), diff_id=diff_id, descriptor=layer)
            for layer, diff_id in zip(manifest.layers, found.rootfs.diff_ids, strict=True)
        ),
        platform=platform,
        warnings=(*warnings, *more),
    )


class _Oci:
    """An OCI image layout."""

    def __init__(self, members: Members, wanted: Platform | None) -> None:
        self._members = members
        self._wanted = wanted
        self._warnings: list[str] = []

    async def images(self) -> list[FoundImage]:
        """Its images: one for each name, and one for each manifest without a name."""
        members = self._members
        of = members.of("oci-layout")
        version = load_json(await members.read("oci-layout", cap=4096), of=of, cap=4096)
        if not isinstance(version, dict) or version.get("imageLayoutVersion") != "1.0.0":
            raise Unsupported(of, "not an image layout of version 1.0.0")
        body = await members.read("index.json", cap=MANIFEST_CAP)
        index = read_document(body, of=members.of("index.json"), limits=members.limits)
        if not isinstance(index, Index):
            raise Corrupt(members.of("index.json"), "not an index")
        if not index.manifests:
            raise Corrupt(members.of("index.json"), "names no image")
        if len(index.manifests) > MOST_IMAGES:
            raise Hostile(members.of("index.json"), f"more than {MOST_IMAGES} images")
        named: dict[str, tuple[str, ...]] = {}
        chosen: dict[str, Descriptor] = {}
        for name, entry in self._by_name(index.manifests):
            chosen[entry.digest] = entry
            named[entry.digest] = (*named.get(entry.digest, ()), *name)
        return [
            await self._image(entry, named[digest], (digest,)) for digest, entry in chosen.items()
        ]

    def _by_name(self, entries: Sequence[Descriptor]) -> list[tuple[tuple[str, ...], Descriptor]]:
        """Entries and their names; of several for one name that for the platform."""
        groups: dict[tuple[str, ...], list[Descriptor]] = {}
        for entry in entries:
            groups.setdefault(self._names(entry), []).append(entry)
        found: list[tuple[tuple[str, ...], Descriptor]] = []
        for names, group in groups.items():
            digests = {entry.digest for entry in group}
            if len(digests) == 1:
                found.append((names, group[0]))
            elif all(entry.platform for entry in group):
                of = names[0] if names else self._members.of("index.json")
                found.append((names, choose_entry(group, self._wanted, of=of)))
            elif names:
                raise Corrupt(self._members.of("index.json"), f"{names[0]} is two images")
            else:
                found += [(names, entry) for entry in group]
        return found

    def _names(self, entry: Descriptor) -> tuple[str, ...]:
        notes = entry.annotations or {}
        of = self._members.of("index.json")
        if full := notes.get(CONTAINERD_NAME):
            return _references([full], of)
        name = notes.get(REF_NAME, "")
        if _TAG.fullmatch(name):
            # what the specification allows here, but a tag alone is no name
            self._warnings.append(f"its archive gives it no name but the tag {name}")
            return ()
        return _references([name], of) if name else ()

    async def _image(
        self, entry: Descriptor, names: tuple[str, ...], seen: tuple[str, ...]
    ) -> FoundImage:
        members = self._members
        body = await _blob(members, entry, MANIFEST_CAP)
        of = members.of(f"blobs/sha256/{_hex(entry)}")
        document = read_document(body, of=of, promised=entry.media_type, limits=members.limits)
        if isinstance(document, Manifest):
            warnings = tuple(self._warnings) if not names else ()
            return await _image(members, body, document, names, self._wanted, warnings=warnings)
        if len(seen) >= _DEEPEST:
            raise Hostile(of, f"indexes nested more than {_DEEPEST} deep")
        inner = choose_entry(document.manifests, self._wanted, of=of)
        if inner.digest in seen:
            raise Hostile(of, "an index that holds itself")
        return await self._image(inner, names, (*seen, inner.digest))


async def _blob(
    members: Members, wanted: Descriptor, cap: int, folder: str = "blobs/sha256/"
) -> bytes:
    """A document, held against its digest and size."""
    name = folder + _hex(wanted)
    body = await members.read(name, cap=cap)
    if len(body) != wanted.size:
        raise Corrupt(members.of(name), f"is not of {wanted.size} bytes")
    if f"sha256:{hashlib.sha256(body).hexdigest()}" != wanted.digest:
        raise Corrupt(members.of(name), "differs from its digest")
    return body


def _hex(wanted: Descriptor) -> str:
    return wanted.digest.removeprefix("sha256:")


def _references(names: Sequence[str], of: str) -> tuple[str, ...]:
    """Names from an archive in their full form."""
    found: list[str] = []
    for name in names:
        if name == "<none>:<none>":
            continue
        try:
            reference = parse_reference(name)
        except (InvalidInput, Unsupported) as error:
            raise Corrupt(of, f"bad name: {error.message}") from None
        if not reference.digest:
            found.append(str(reference))
    return tuple(dict.fromkeys(found))


def _platform(config: Config, wanted: Platform | None, of: str) -> tuple[Platform, tuple[str, ...]]:
    platform = Platform(
        os=config.os,
        architecture=clean(config.architecture, 40),
        variant=clean(config.variant or "", 40),
    )
    return platform, platform_warnings(wanted, platform, of=of)
