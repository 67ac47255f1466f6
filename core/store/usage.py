"""Where the store's space goes, by kind of thing, by image and by distro."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from core.store.collect import blobs
from core.store.images import load_images
from core.store.layout import hex_of
from core.store.sizes import distro_sizes, layer_sizes
from core.verbs.storage import DistroSpace, ImageSpace, Space, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.domain import Image
    from core.store.build_caches import BuildCache
    from core.store.index import Index
    from core.store.layout import Layout
    from core.store.prune import Plan
    from core.verbs.storage import Trashed


def usage(
    index: Index,
    layout: Layout,
    plan: Plan,
    trash: list[Trashed],
    caches: Mapping[BuildCache, int],
) -> Usage:
    """All of it; ``plan`` is what could be given back, ``caches`` what builds keep; blocks."""
    images, there = load_images(index), blobs(layout)
    spaces = (
        *_image_spaces(index, images, there, plan),
        _distro_space(index),
        _snapshot_space(index),
        _trash_space(trash, plan),
        _partial_space(layout, plan),
        _cache_space(caches, plan),
    )
    disk = os.statvfs(layout.data)
    return Usage(
        spaces=spaces,
        images=_by_image(index, images, there),
        distros=_by_distro(index),
        size=sum(space.size for space in spaces[1:]),
        free=disk.f_bavail * disk.f_frsize,
    )


def _image_spaces(
    index: Index, images: list[Image], there: dict[str, int], plan: Plan
) -> tuple[Space, Space, Space]:
    sizes = {row["number"]: row["size"] for row in index.rows("SELECT number, size FROM layer")}
    layers = Space(
        kind="layers",
        count=len(sizes),
        active=len(sizes) - len(plan.gone.layers),
        size=sum(sizes.values()),
        reclaimable=sum(layer.size for layer in plan.gone.layers.values()),
    )
    blobs_ = Space(
        kind="blobs",
        count=len(there),
        active=len(there) - len(plan.blobs),
        size=sum(there.values()),
        reclaimable=sum(plan.blobs.values()),
    )
    whole = Space(
        kind="images",
        count=len(images),
        active=sum(bool(image.distros) for image in images),
        size=layers.size + blobs_.size,
        reclaimable=layers.reclaimable + blobs_.reclaimable,
    )
    return whole, layers, blobs_


def _distro_space(index: Index) -> Space:
    row = index.rows(
        "SELECT count(*) AS count, coalesce(sum(upper_size), 0) AS size FROM distro"
        " WHERE NOT removed"
    )[0]
    count = row["count"]
    return Space(kind="distros", count=count, active=count, size=row["size"], reclaimable=0)


def _snapshot_space(index: Index) -> Space:
    row = index.rows(
        "SELECT count(*) AS count, coalesce(sum(snapshot.size), 0) AS size FROM snapshot"
        " JOIN distro ON distro.id = snapshot.distro WHERE NOT removed"
    )[0]
    count = row["count"]
    return Space(kind="snapshots", count=count, active=count, size=row["size"], reclaimable=0)


def _trash_space(trash: list[Trashed], plan: Plan) -> Space:
    return Space(
        kind="trash",
        count=len(trash),
        active=0,
        size=sum(entry.size for entry in trash if entry.what == "distro"),
        reclaimable=sum(entry.size for entry in plan.entries if entry.what == "distro"),
    )


def _partial_space(layout: Layout, plan: Plan) -> Space:
    sizes = []
    for path in layout.ingest.iterdir():
        with suppress(FileNotFoundError):  # it became a blob just now
            sizes.append(path.stat().st_size)
    return Space(
        kind="partials",
        count=len(sizes),
        active=len(sizes) - len(plan.partials),
        size=sum(sizes),
        reclaimable=sum(plan.partials.values()),
    )


def _cache_space(caches: Mapping[BuildCache, int], plan: Plan) -> Space:
    return Space(
        kind="build cache",
        count=len(caches),
        active=len(caches) - len(plan.caches),
        size=sum(caches.values()),
        reclaimable=sum(plan.caches.values()),
    )


def _by_image(index: Index, images: list[Image], there: dict[str, int]) -> tuple[ImageSpace, ...]:
    """Each image's layers and blobs: its own, and those others have too."""
    layers = layer_sizes(index)
    parts = {
        image.digest: {
            **layers.get(image.digest, {}),
            **{
                name: there.get(name, 0)
                for name in map(
                    hex_of,
                    (image.digest, image.config_digest, *(one.digest for one in image.layers)),
                )
            },
        }
        for image in images
    }
    users = Counter(part for found in parts.values() for part in found)
    spaces = []
    for image in images:
        found = parts[image.digest]
        unique = sum(size for part, size in found.items() if users[part] == 1)
        spaces.append(
            ImageSpace(
                digest=image.digest,
                references=image.references,
                unique=unique,
                shared=sum(found.values()) - unique,
                distros=len(image.distros),
            )
        )
    return tuple(spaces)


def _by_distro(index: Index) -> tuple[DistroSpace, ...]:
    sizes = distro_sizes(index)
    return tuple(
        DistroSpace(
            name=row["name"],
            writable=row["upper_size"],
            unique=sizes[row["name"]].unique,
            shared=sizes[row["name"]].shared,
        )
        for row in index.rows("SELECT name, upper_size FROM distro WHERE NOT removed ORDER BY name")
    )
