"""Pull an image: resolve, fetch and unpack its layers three at a time, commit.

Each layer's stream goes to its partial blob and to the process that unpacks it at once; digest,
size and diff_id are checked when it ended. What was received is kept over a cut, a crash or a
cancel, and the next pull goes on from there. Nothing is visible before the commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.domain import Platform
from core.images.layer import LayerFetch
from core.images.origin import Origin
from core.images.progress import Progress, ignore
from core.images.registry import Registry
from core.images.resolve import history_steps, image_config, resolve, timestamp
from core.images.stack import AT_ONCE, LayerStack
from core.store.records import NewImage

if TYPE_CHECKING:
    from core.domain import Credentials
    from core.images.progress import Report
    from core.images.reference import Reference
    from core.images.resolve import Resolved
    from core.images.transport import Patience
    from core.store.lease import Lease
    from core.store.store import Store


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
    what was received; nothing else is left. ``origin`` is where to fetch from, not yet entered,
    in place of the registry itself with ``credentials``.

    Raises:
        NotFound, LoginNeeded, Unreachable: from the registry; ``kept`` says what a retry saves.
        Corrupt: a digest, size or diff_id differs; the blob was thrown away.
        Hostile, Unsupported: not an image that can be trusted, or handled.
        NoSpace: the disk is full.
    """
    progress = Progress(report)
    progress.enter("resolve")
    if origin is None:
        origin = _registry(reference, credentials, patience, plain_http=plain_http)
    async with origin:
        found = await resolve(origin, reference, platform, limits=store.limits)
        stack = LayerStack(store, found.layers, progress)
        await store.intake.hold(lease, {found.digest, *found.documents, *stack.needs()})
        progress.expect((layer.digest, layer.size) for layer in found.layers)
        progress.enter("fetch")
        fetch = LayerFetch(store, origin, reference, progress)
        await stack.bring(fetch.run, at_once=at_once)
    progress.enter("commit")
    image = _new_image(reference, found, stack)
    await store.intake.commit(image, documents=found.documents, pinned=pinned)
    return Pulled(
        digest=found.digest,
        repo_digest=found.repo_digest,
        platform=found.platform,
        version=reference.tag,
        served_by=origin.served_by,
        warnings=(*image.warnings, *origin.warnings),
    )


def _registry(
    reference: Reference,
    credentials: Credentials | None,
    patience: Patience | None,
    *,
    plain_http: bool,
) -> Origin:
    """The registry itself, without mirrors."""
    host = reference.api_host
    return Origin(
        [Registry(host, credentials=credentials, plain_http=plain_http, patience=patience)]
    )


def _new_image(reference: Reference, found: Resolved, stack: LayerStack) -> NewImage:
    """What is to be committed."""
    return NewImage(
        digest=found.digest,
        config_digest=found.manifest.config.digest,
        platform=found.platform,
        created=timestamp(found.config.created),
        layers=found.layers,
        layer_keys=stack.keys,
        history=history_steps(found.config),
        config=image_config(found.config.config),
        references=() if reference.digest else (str(reference),),
        repo_digest=found.repo_digest,
        warnings=tuple(dict.fromkeys((*found.warnings, *stack.warnings))),
    )
