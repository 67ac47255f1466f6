"""Make an image of a distro: its image's layers, and one more of what was written since.

OCI image spec v1.1, config.md. The writable layer of a distro that runs is copied, then the copy
is packed: how long it has to pause does not depend on how well its changes compress. If nothing
runs, both are done at once.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.errors import InvalidInput, Refused
from core.images.assemble import ImageLayer, assemble, stored_config, stored_layers
from core.images.changes import apply_changes, parse_run_config
from core.images.layering import copy_for_layer, flatten_copy, layer_trees, pack_copy, pack_still
from core.images.reference import parse_reference
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from core.domain import JobPhase
    from core.images.assemble import Assembled
    from core.images.layering import PackedLayer
    from core.store.lease import Lease
    from core.store.records import DistroRecord
    from core.store.store import Store
    from core.verbs.changes import CommitSpec


def check_commit(record: DistroRecord, spec: CommitSpec) -> str:
    """The full reference to give the image; empty for none. Everything is looked at before work.

    Raises:
        Refused: *this host*, whose root is no image.
        InvalidInput: a reference, change or config that cannot be meant.
    """
    if not record.image_digest:
        hint = "commit a distro that was pulled or built"
        raise Refused(record.name, "this machine's own root is no image", hint=hint)
    _run_config({}, spec)
    return image_name(spec.reference)


def image_name(text: str) -> str:
    """The full name that an image is to have; empty for an empty one.

    Raises:
        InvalidInput: it is malformed, or has a digest, which nobody can choose.
    """
    if not text:
        return ""
    reference = parse_reference(text)
    if reference.digest:
        raise InvalidInput(clean(text, 200), "a digest cannot be chosen", hint="give a tag")
    return str(reference)


async def commit_distro(
    store: Store,
    record: DistroRecord,
    spec: CommitSpec,
    *,
    lease: Lease,
    still: AbstractAsyncContextManager[bool],
    enter: Callable[[JobPhase], object],
) -> tuple[Assembled, tuple[str, ...]]:
    """Commit what ``record`` holds as an image of its own; it is kept until it is removed.

    ``still`` has nothing change the distro while it is entered, and gives whether nothing even
    runs in it. ``enter`` is told each phase. The second value says what was left out. Cancelled
    or cut off, there is no image, and nothing is left.

    Raises:
        InvalidInput: as :func:`check_commit`.
        Conflict, Corrupt: the distro's image is not whole.
        NoSpace: the disk is full.
    """
    name = check_commit(record, spec)
    await store.intake.hold(lease, {record.image_digest, *store.layer_keys(record.image_digest)})
    layers = () if spec.squash else stored_layers(store, record.image_digest)
    parent: dict[str, Any] = json.loads(stored_config(store, record.image_digest))
    added = await _changes(store, record, spec, lease, still, enter)
    if added:
        layers = (*layers, ImageLayer(layer=added.layer, key=added.key))
    enter("commit")
    made = await assemble(
        store,
        _config(parent, layers, record, spec, empty=added is None),
        layers,
        lease=lease,
        name=spec.reference or record.name,
        origin="commit",
        references=[name] if name else [],
        parent=record.image_digest,
        pinned=True,
    )
    return made, added.warnings if added else ()


async def _changes(
    store: Store,
    record: DistroRecord,
    spec: CommitSpec,
    lease: Lease,
    still: AbstractAsyncContextManager[bool],
    enter: Callable[[JobPhase], object],
) -> PackedLayer | None:
    """The layer to add, or the one of everything if it is to be one; None: nothing was written."""
    enter("copy")
    async with still as stopped:
        if stopped and not spec.squash:
            return await pack_still(store, lease, record.upper, compression=spec.compression)
        copy = await copy_for_layer(store, record.upper)
    enter("pack")
    if spec.squash:
        trees = layer_trees(store, record.image_digest)
        return await flatten_copy(store, lease, trees, copy, compression=spec.compression)
    if copy.empty:
        store.layout.discard(copy.folder)
        return None
    return await pack_copy(store, lease, copy, compression=spec.compression)


def _config(
    parent: dict[str, Any],
    layers: tuple[ImageLayer, ...],
    record: DistroRecord,
    spec: CommitSpec,
    *,
    empty: bool,
) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    step: dict[str, Any] = {"created": now, "created_by": f"distrodeck commit {record.name}"}
    if spec.author:
        step["author"] = spec.author
    if spec.message:
        step["comment"] = spec.message
    if empty:
        step["empty_layer"] = True
    history = [] if spec.squash else list(parent.get("history") or ())
    kept = ("architecture", "variant", "os", "os.version", "os.features")
    config = {key: parent[key] for key in kept if key in parent}
    config |= {
        "created": now,
        "config": _run_config(parent.get("config") or {}, spec),
        "rootfs": {"type": "layers", "diff_ids": [one.layer.diff_id for one in layers]},
        "history": [*history, step],
    }
    if author := spec.author or parent.get("author"):
        config["author"] = author
    return config


def _run_config(parent: dict[str, Any], spec: CommitSpec) -> dict[str, Any]:
    run = parse_run_config(spec.config) if spec.config else dict(parent)
    apply_changes(run, spec.changes)
    return run
