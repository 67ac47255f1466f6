"""Find and drop what nothing uses any more.

Roots are the distros and their snapshots, the images pulled for their own sake, and the leases of
running jobs. An image keeps its manifest, config, layers and blobs; everything else goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.domain import Layer
from core.store.images import from_text
from core.store.layout import hex_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.store.index import Index
    from core.store.layout import Layout


def collect(index: Index, layout: Layout, leased: Collection[str]) -> None:
    """Drop unused images, then unused layers and blobs; blocks.

    ``leased`` has digests of images and blobs, and keys of layers. A crash in between leaves
    what the next opening or collection removes.
    """
    numbers: dict[int, str] = {}
    with index.write() as connection:
        for row in connection.execute(
            "SELECT digest FROM image WHERE NOT pinned AND NOT EXISTS"
            " (SELECT 1 FROM distro WHERE distro.image = image.digest)"
            " AND NOT EXISTS (SELECT 1 FROM snapshot WHERE snapshot.image = image.digest)"
        ).fetchall():
            if row["digest"] not in leased:
                connection.execute("DELETE FROM image WHERE digest = ?", (row["digest"],))
        for row in connection.execute(
            "SELECT number, key FROM layer"
            " WHERE NOT EXISTS (SELECT 1 FROM image_layer WHERE layer = number)"
        ).fetchall():
            if row["key"] not in leased:
                connection.execute("DELETE FROM layer WHERE number = ?", (row["number"],))
                numbers[row["number"]] = row["key"]
    for number, key in numbers.items():
        layout.link(number).unlink(missing_ok=True)
        layout.discard(layout.layer(key))
    _drop_blobs(layout, {hex_of(digest) for digest in _used_blobs(index) | set(leased)})


def _used_blobs(index: Index) -> set[str]:
    used: set[str] = set()
    for row in index.rows("SELECT digest, config_digest, layers FROM image"):
        used |= {row["digest"], row["config_digest"]}
        used |= {layer.digest for layer in from_text(row["layers"], tuple[Layer, ...])}
    for row in index.rows("SELECT name FROM repo_digest"):
        used.add(row["name"].rpartition("@")[2])
    return used


def _drop_blobs(layout: Layout, used: Collection[str]) -> None:
    for folder in layout.blobs.iterdir():
        for blob in folder.iterdir():
            if blob.name not in used:
                blob.unlink(missing_ok=True)
