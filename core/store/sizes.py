"""Bytes on disk by distro and by image: each layer counted once, shared or not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from core.domain import Layer
from core.store.images import from_text
from core.store.records import Sizes

if TYPE_CHECKING:
    from core.store.index import Index


def image_sizes(index: Index) -> dict[str, Sizes]:
    """For each image digest the bytes of its layers, shared: those other images use too."""
    layers = layer_sizes(index)
    users = Counter(number for found in layers.values() for number in found)
    return {digest: _split(found, users, 1) for digest, found in layers.items()}


def distro_sizes(index: Index) -> dict[str, Sizes]:
    """For each distro its bytes.

    Unique: its writable layer, and layers that only its own image and no other distro use.
    """
    layers = layer_sizes(index)
    users = Counter(number for found in layers.values() for number in found)
    rows = index.rows("SELECT name, image, upper_size FROM distro WHERE NOT removed")
    for row in rows:
        users.update(layers.get(row["image"], {}).keys())
    sizes = {}
    for row in rows:
        # two: the distro itself and its own image
        found = _split(layers.get(row["image"], {}), users, 2)
        sizes[row["name"]] = Sizes(unique=found.unique + row["upper_size"], shared=found.shared)
    return sizes


def total_bytes(index: Index) -> int:
    """Bytes of all layers, blobs and writable layers."""
    blobs: dict[str, int] = {}
    for row in index.rows("SELECT layers FROM image"):
        for layer in from_text(row["layers"], tuple[Layer, ...]):
            blobs[layer.digest] = layer.size
    row = index.rows(
        "SELECT (SELECT coalesce(sum(size), 0) FROM layer)"
        " + (SELECT coalesce(sum(upper_size), 0) FROM distro) AS bytes"
    )[0]
    return int(row["bytes"]) + sum(blobs.values())


def layer_sizes(index: Index) -> dict[str, dict[int, int]]:
    """Image digest -> layer number -> bytes."""
    found: dict[str, dict[int, int]] = {}
    for row in index.rows(
        "SELECT image, number, size FROM image_layer JOIN layer ON number = layer"
    ):
        found.setdefault(row["image"], {})[row["number"]] = row["size"]
    return found


def _split(layers: dict[int, int], users: Counter[int], own: int) -> Sizes:
    unique = sum(size for number, size in layers.items() if users[number] <= own)
    return Sizes(unique=unique, shared=sum(layers.values()) - unique)
