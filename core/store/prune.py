"""Delete what nothing uses: told first, with bytes, then done.

The preview is the deletion itself, in a transaction that is rolled back.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.store.collect import Gone, blobs, drop_files, drop_rows, used_blobs
from core.store.distros import finish_removals
from core.store.images import NAMED
from core.store.layout import hex_of
from core.store.trash import forget
from core.verbs.storage import Pruned, Waste

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from core.store.build_caches import BuildCache
    from core.store.index import Index
    from core.store.layout import Layout
    from core.verbs.storage import PruneSpec, Trashed, WasteKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What running jobs need."""

    leased: Collection[str]
    """Digests of images and blobs, and keys of layers."""
    busy: bool
    """A job runs: files that come in may have names that no lease tells, and caches be in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a prune deletes."""

    entries: tuple[Trashed, ...]
    gone: Gone
    blobs: dict[str, int]
    """Name -> bytes."""
    partials: dict[Path, int]
    """File -> bytes."""
    caches: Mapping[BuildCache, int]
    """Bytes of each."""


class _Preview(Exception):
    """Rolls the transaction back."""


def preview(
    index: Index,
    layout: Layout,
    needs: Needs,
    spec: PruneSpec,
    trash: Iterable[Trashed],
    caches: Mapping[BuildCache, int],
) -> Plan:
    """What :func:`prune` would delete; blocks.

    ``trash`` are the entries in it, ``caches`` the bytes of what builds keep.
    """
    limit = _limit(spec)
    entries = tuple(entry for entry in trash if entry.removed <= limit)
    there = blobs(layout)
    gone, used = Gone(), set[str]()
    with suppress(_Preview), index.write(durable=False) as connection:
        forget(connection, [entry.id for entry in entries])
        connection.execute("DELETE FROM distro WHERE removed = 1")
        gone = drop_rows(connection, needs.leased, _doomed(connection, spec))
        used = used_blobs(connection, needs.leased)
        raise _Preview
    return Plan(
        entries=entries,
        gone=gone,
        blobs={name: size for name, size in there.items() if name not in used},
        partials=_partials(layout, needs, limit),
        caches=_caches(caches, needs, spec),
    )


def prune(
    index: Index,
    layout: Layout,
    needs: Needs,
    spec: PruneSpec,
    trash: Iterable[Trashed],
    caches: Mapping[BuildCache, int],
) -> Plan:
    """Delete what no distro, name or job needs; blocks. See :func:`preview`.

    Partial files go first: on a full disk the index needs that room.
    """
    limit = _limit(spec)
    entries = tuple(entry for entry in trash if entry.removed <= limit)
    partials = _partials(layout, needs, limit)
    for path in partials:
        path.unlink(missing_ok=True)
    with index.write() as connection:
        forget(connection, [entry.id for entry in entries])
    finish_removals(index, layout)
    with index.write() as connection:
        gone = drop_rows(connection, needs.leased, _doomed(connection, spec))
        used = used_blobs(connection, needs.leased)
    unused = {name: size for name, size in blobs(layout).items() if name not in used}
    drop_files(layout, gone, unused)
    left = _caches(caches, needs, spec)
    for cache in left:
        layout.discard(cache.path)
    return Plan(entries=entries, gone=gone, blobs=unused, partials=partials, caches=left)


def told(plan: Plan, *, dry_run: bool) -> Pruned:
    """The plan as people read it; what two images had is told of the first."""
    layers = {number: layer.size for number, layer in plan.gone.layers.items()}
    unused = dict(plan.blobs)
    items = [
        Waste(kind="trash", name=entry.name, size=entry.size)
        for entry in plan.entries
        if entry.what == "distro"
    ]
    for digest, image in plan.gone.images.items():
        size = sum(layers.pop(number, 0) for number in image.layers)
        size += sum(unused.pop(hex_of(blob), 0) for blob in image.blobs)
        kind: WasteKind = "build cache" if image.intermediate else "image"
        items.append(Waste(kind=kind, name=digest, size=size))
    items += [
        Waste(kind="layer", name=plan.gone.layers[number].key, size=size)
        for number, size in layers.items()
    ]
    items += [Waste(kind="blob", name=f"sha256:{name}", size=size) for name, size in unused.items()]
    items += [
        Waste(kind="partial", name=path.name, size=size) for path, size in plan.partials.items()
    ]
    items += [
        Waste(kind="build cache", name=cache.name, size=size) for cache, size in plan.caches.items()
    ]
    total = sum(item.size for item in items)
    return Pruned(items=tuple(items), size=total, dry_run=dry_run)


def _limit(spec: PruneSpec) -> float:
    return time.time() if spec.until is None else spec.until


def _doomed(connection: sqlite3.Connection, spec: PruneSpec) -> set[str]:
    """Images that are kept for their own sake, but need not be."""
    named = "" if spec.all else f"AND NOT {NAMED}"
    doomed = {
        row["digest"]
        for row in connection.execute(
            "SELECT digest FROM image WHERE pulled <= ? AND trashed IS NULL"  # noqa: S608
            f" AND NOT EXISTS (SELECT 1 FROM distro WHERE image = digest) {named}",
            (_limit(spec),),
        )
    }
    return doomed - _ancestors(connection, doomed)


def _ancestors(connection: sqlite3.Connection, doomed: Collection[str]) -> set[str]:
    """All that the images that stay were made from."""
    parents = {
        row["digest"]: row["parent"]
        for row in connection.execute("SELECT digest, parent FROM image WHERE trashed IS NULL")
    }
    found: set[str] = set()
    for digest in parents.keys() - set(doomed):
        parent = parents[digest]
        while parent and parent not in found:
            found.add(parent)
            parent = parents.get(parent)
    return found


def _caches(
    caches: Mapping[BuildCache, int], needs: Needs, spec: PruneSpec
) -> dict[BuildCache, int]:
    """Those that may go: only if all may, and no build can be using them."""
    if needs.busy or not spec.all:
        return {}
    return {cache: size for cache, size in caches.items() if cache.used <= _limit(spec)}


def _partials(layout: Layout, needs: Needs, limit: float) -> dict[Path, int]:
    """Files on their way in that no running job is waiting for."""
    names = {hex_of(digest) for digest in needs.leased}
    found: dict[Path, int] = {}
    for path in layout.ingest.iterdir():
        whole = len(path.name) == 64
        if path.name in names or (needs.busy and not whole):
            continue
        with suppress(FileNotFoundError):
            status = path.stat()
            if status.st_mtime <= limit:
                found[path] = status.st_size
    return found
