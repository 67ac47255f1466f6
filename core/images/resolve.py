"""From a reference to one manifest and its config.

OCI image specification v1.1, "Image Index": an index may hold indexes; the platform decides.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from core.domain import Layer, Platform
from core.errors import Corrupt, Hostile, NotFound, Unreachable
from core.images.failures import Final
from core.images.manifest import (
    Config,
    Descriptor,
    Index,
    Manifest,
    RunConfig,
    read_config,
    read_document,
)
from core.images.platform import choose, host_platform, suits
from core.limits import DEFAULTS
from core.store.records import HistoryStep, ImageConfig
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.images.origin import Content
    from core.images.reference import Reference
    from core.images.registry import Document
    from core.limits import Limits

_DEEPEST = 3
_LONGEST_TEXT = 16384


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """One image, ready to be fetched."""

    digest: str
    """Of the manifest."""
    repo_digest: str
    """``repository@digest`` of what the reference names, index or manifest."""
    manifest: Manifest
    config: Config
    platform: Platform
    documents: Mapping[str, bytes]
    """Index, manifest and config by digest."""
    warnings: tuple[str, ...] = ()

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, bottom to top."""
        return tuple(
            Layer(digest=d.digest, diff_id=diff_id, size=d.size, media_type=d.media_type)
            for d, diff_id in zip(self.manifest.layers, self.config.rootfs.diff_ids, strict=True)
        )


async def resolve(
    origin: Content,
    reference: Reference,
    wanted: Platform | None = None,
    *,
    limits: Limits = DEFAULTS,
) -> Resolved:
    """Fetch and check everything but the layers; no ``wanted`` platform: this host's.

    Raises:
        NotFound: no such tag, repository or platform.
        Hostile, Corrupt, Unsupported: what came is not an image for us.
    """
    documents: dict[str, bytes] = {}
    found = await origin.manifest(reference)
    top = found.digest
    document = _read(found, reference, documents, None, limits)
    for _ in range(_DEEPEST):
        if isinstance(document, Manifest):
            break
        entry = choose_entry(document.manifests, wanted, of=str(reference))
        if entry.digest in documents:
            raise Hostile(str(reference), "an index that holds itself")
        found = await origin.manifest(reference, entry.digest)
        document = _read(found, reference, documents, entry, limits)
    else:
        if isinstance(document, Index):
            raise Hostile(str(reference), f"indexes nested more than {_DEEPEST} deep")
    body = await _fetch_config(origin, reference, document.config)
    documents[document.config.digest] = body
    config = read_config(body, document, of=str(reference), limits=limits)
    platform = Platform(
        os=config.os,
        architecture=clean(config.architecture, 40),
        variant=clean(config.variant or "", 40),
    )
    return Resolved(
        digest=found.digest,
        repo_digest=f"{reference.name}@{top}",
        manifest=document,
        config=config,
        platform=platform,
        documents=documents,
        warnings=platform_warnings(wanted, platform, of=str(reference)),
    )


def _read(
    found: Document,
    reference: Reference,
    documents: dict[str, bytes],
    entry: Descriptor | None,
    limits: Limits,
) -> Manifest | Index:
    promised = found.media_type
    if entry:
        if len(found.body) != entry.size:
            raise Corrupt(str(reference), "a manifest of another size than its index says")
        promised = entry.media_type
    documents[found.digest] = found.body
    return read_document(found.body, of=str(reference), promised=promised, limits=limits)


def choose_entry(offered: Sequence[Descriptor], wanted: Platform | None, *, of: str) -> Descriptor:
    """The entry of an index for a platform; for none ``wanted`` this host's.

    Raises:
        NotFound: there is none for it.
    """
    platforms = [
        Platform(os=p.os, architecture=p.architecture, variant=p.variant)
        for entry in offered
        if (p := entry.platform) and p.os != "unknown"
    ]
    entries = [e for e in offered if e.platform and e.platform.os != "unknown"]
    if not entries and len(offered) == 1:
        return offered[0]
    position = choose(wanted or host_platform(), platforms)
    if position is None:
        some = clean(", ".join(dict.fromkeys(str(p) for p in platforms)), 200)
        raise NotFound(
            of,
            f"no image for {wanted or host_platform()}",
            hint=f"there is {some}" if some else "its index is empty",
        )
    return entries[position]


async def _fetch_config(origin: Content, reference: Reference, config: Descriptor) -> bytes:
    attempt = 0
    while True:
        attempt += 1
        try:
            body = await _read_config_blob(origin, reference, config)
        except Unreachable as error:
            pause = origin.patience.pause(attempt, error)
            if pause is None or isinstance(error, Final):
                raise
            await asyncio.sleep(pause)
            continue
        if f"sha256:{hashlib.sha256(body).hexdigest()}" == config.digest:
            return body
        if not origin.distrust(config.digest):
            raise Corrupt(str(reference), "its config differs from its digest")


async def _read_config_blob(origin: Content, reference: Reference, config: Descriptor) -> bytes:
    body = bytearray()
    async with origin.blob(reference, config.digest) as (_, chunks):
        async for chunk in chunks:
            body += chunk
            if len(body) > config.size:
                raise Corrupt(str(reference), "its config is longer than its manifest says")
    return bytes(body)


def platform_warnings(wanted: Platform | None, found: Platform, *, of: str) -> tuple[str, ...]:
    """What to tell of an image for ``found``. Raises: NotFound, if another was ``wanted``."""
    if suits(wanted or host_platform(), found):
        return ()
    if wanted:
        raise NotFound(of, f"no image for {wanted}", hint=f"there is {found}")
    return (f"built for {found}, this machine is {host_platform()}: its programs may not start",)


def image_config(config: RunConfig | None) -> ImageConfig:
    """How the image wants to be run, in the store's words."""
    if config is None:
        return ImageConfig()
    pairs = (line.partition("=") for line in config.env or () if "\0" not in line)
    return ImageConfig(
        env=tuple((name, value) for name, equals, value in pairs if name and equals),
        user=config.user or "",
        workdir=config.working_dir or "",
        cmd=tuple(config.cmd or ()),
        entrypoint=tuple(config.entrypoint or ()),
    )


def history_steps(config: Config) -> tuple[HistoryStep, ...]:
    """The config's history, each step joined with its layer, oldest first.

    Layers beyond what the history tells are steps that say nothing.
    """
    steps: list[HistoryStep] = []
    position, count = 0, len(config.rootfs.diff_ids)
    for line in config.history or ():
        empty = bool(line.empty_layer) or position >= count
        steps.append(
            HistoryStep(
                created=timestamp(line.created),
                created_by=clean(line.created_by or "", _LONGEST_TEXT),
                comment=clean(line.comment or "", _LONGEST_TEXT),
                layer=None if empty else position,
            )
        )
        position += not empty
    steps += [HistoryStep(layer=number) for number in range(position, count)]
    return tuple(steps)


def timestamp(text: str | None) -> float | None:
    """Seconds of an RFC 3339 time; None for none, for nonsense and for Go's zero time."""
    try:
        moment = datetime.fromisoformat(text or "")
        seconds = moment.timestamp() if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
    return seconds if seconds and seconds > 0 else None
