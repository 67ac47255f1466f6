"""Pull an image: resolve, fetch and unpack its layers three at a time, commit.

Each layer's stream goes to its partial blob and to the process that unpacks it at once; digest,
size and diff_id are checked when it ended. What was received is kept over a cut, a crash or a
cancel, and the next pull goes on from there. Nothing is visible before the commit.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.domain import Platform
from core.errors import deck_error
from core.images.layer import LayerFetch
from core.images.origin import Origin
from core.images.progress import Progress, ignore
from core.images.registry import Registry
from core.images.resolve import history_steps, image_config, resolve, timestamp
from core.layers.unpack import settle
from core.store.chain import chain_ids, settled_key
from core.store.records import NewImage, StagedLayer

if TYPE_CHECKING:
    from core.domain import Credentials
    from core.images.origin import Content
    from core.images.progress import Report
    from core.images.reference import Reference
    from core.images.resolve import Resolved
    from core.images.transport import Patience
    from core.store.lease import Lease
    from core.store.store import Store

AT_ONCE = 3
"""Layers fetched at a time unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What a pull or an import brought."""

    digest: str
    """Of the image in the store."""
    repo_digest: str = ""
    platform: Platform
    version: str = ""
    """What to call its version where its os-release says nothing."""
    served_by: str = ""
    """The mirrors it came from; empty: the registry itself."""
    warnings: tuple[str, ...] = ()


async def pull_image(
    store: Store,
    reference: Reference,
    *,
    lease: Lease,
    platform: Platform | None = None,
    credentials: Credentials | None = None,
    plain_http: bool = False,
    origin: Origin | None = None,
    pinned: bool = False,
    at_once: int = AT_ONCE,
    report: Report = ignore,
    patience: Patience | None = None,
) -> Pulled:
    """Bring an image into the store; layers that are there are neither fetched nor unpacked.

    It stays while ``lease`` is open, while a distro uses it, or if ``pinned``. Cancelling keeps
    what was received; nothing else is left. ``origin`` is where to fetch from, not yet entered;
    without it that is the registry itself, with ``credentials``.

    Raises:
        NotFound, LoginNeeded, Unreachable: from the registry; ``kept`` says what a retry saves.
        Corrupt: a digest, size or diff_id differs; the blob was thrown away.
        Hostile, Unsupported: not an image that can be trusted, or handled.
        NoSpace: the disk is full.
    """
    progress = Progress(report)
    progress.enter("resolve")
    if origin is None:
        host = reference.api_host
        origin = Origin(
            [Registry(host, credentials=credentials, plain_http=plain_http, patience=patience)]
        )
    async with origin:
        found = await resolve(origin, reference, platform)
        pull = _Pull(store, reference, found, origin, progress)
        await store.intake.hold(lease, pull.needs())
        await pull.fetch(at_once)
    progress.enter("commit")
    image = pull.image()
    await store.intake.commit(image, documents=found.documents, pinned=pinned)
    return Pulled(
        digest=found.digest,
        repo_digest=found.repo_digest,
        platform=found.platform,
        version=reference.tag,
        served_by=origin.served_by,
        warnings=(*image.warnings, *origin.warnings),
    )


class _Pull:
    def __init__(
        self,
        store: Store,
        reference: Reference,
        found: Resolved,
        origin: Content,
        progress: Progress,
    ) -> None:
        self._store = store
        self._reference = reference
        self._found = found
        self._progress = progress
        self._layers = found.layers
        chain = chain_ids(layer.diff_id for layer in self._layers)
        self._settled = [settled_key(chain_id) for chain_id in chain]
        self._keys = dict[int, str]()
        self._unsettled = dict[int, StagedLayer]()
        self._fetch = LayerFetch(store, origin, reference, progress)

    def needs(self) -> set[str]:
        """Every digest and key that the pull relies on."""
        needs = {self._found.digest, *self._found.documents, *self._settled}
        for layer in self._layers:
            needs |= {layer.digest, layer.diff_id}
        return needs

    async def fetch(self, at_once: int) -> None:
        """Unpack every layer that is not there; raises the first error alone."""
        self._progress.expect((layer.digest, layer.size) for layer in self._layers)
        self._progress.enter("fetch")
        slots = asyncio.Semaphore(at_once)
        try:
            async with asyncio.TaskGroup() as group:
                for position in range(len(self._layers)):
                    group.create_task(self._one(position, slots))
            self._progress.enter("unpack")
            if self._unsettled:
                async with self._store.intake.still():
                    await self._settle()
        except BaseExceptionGroup as errors:
            raise deck_error(errors) or errors from None
        finally:
            for staged in self._unsettled.values():
                self._store.layout.discard(staged.folder)

    async def _one(self, position: int, slots: asyncio.Semaphore) -> None:
        layer = self._layers[position]
        intake = self._store.intake
        async with slots, intake.lock(layer.digest):
            for key in (layer.diff_id, self._settled[position]):
                if intake.layer(key):
                    self._keys[position] = key
                    self._progress.layer(layer.digest, "exists", layer.size)
                    return
            staged, needs_lower = await self._fetch.run(layer)
            if needs_lower:
                self._unsettled[position] = replace(staged, key=self._settled[position])
            else:
                intake.stage(staged)
                self._keys[position] = staged.key

    async def _settle(self) -> None:
        """Complete the layers that refer to what lies below them, lowest first."""
        for position in sorted(self._unsettled):
            staged = self._unsettled[position]
            lowers = [
                layer.tree
                for below in range(position)
                if (layer := self._store.intake.layer(self._keys[below]))
            ]
            warnings = await settle(
                staged.tree,
                lowers,
                enter=self._store.enter,
                privileged=self._store.privileged,
            )
            del self._unsettled[position]
            self._store.intake.stage(replace(staged, warnings=(*staged.warnings, *warnings)))
            self._keys[position] = staged.key

    def image(self) -> NewImage:
        """What is to be committed."""
        found, intake = self._found, self._store.intake
        warnings = list(found.warnings)
        for key in self._keys.values():
            layer = intake.layer(key)
            warnings += layer.warnings if layer else ()
        return NewImage(
            digest=found.digest,
            config_digest=found.manifest.config.digest,
            platform=found.platform,
            created=timestamp(found.config.created),
            layers=self._layers,
            layer_keys=tuple(self._keys[position] for position in range(len(self._layers))),
            history=history_steps(found.config),
            config=image_config(found.config.config),
            reference="" if self._reference.digest else str(self._reference),
            repo_digest=found.repo_digest,
            warnings=tuple(dict.fromkeys(warnings)),
        )
