"""Find and drop what nothing uses any more.

Roots are the distros and their snapshots, the images kept for their own sake, the trash, and the
leases of running jobs. An image keeps its manifest, config, layers and blobs; the rest goes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.domain import Layer
from core.store.distros import finish_removals
from core.store.images import from_text
from core.store.layout import hex_of
from core.store.trash import forget, forget_dead

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

    from core.store.index import Index
    from core.store.layout import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneImage:
    """An image whose row was deleted, and what it named."""

    blobs: tuple[str, ...]
    layers: tuple[int, ...]
    intermediate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneLayer:
    """A layer whose row was deleted."""

    number: int
    key: str
    size: int


@dataclass(slots=True)
class Gone:
    """Rows that were deleted."""

    images: dict[str, GoneImage] = field(default_factory=dict)
    layers: dict[int, GoneLayer] = field(default_factory=dict)


def collect(index: Index, layout: Layout, leased: Collection[str]) -> None:
    """Drop unused images, then unused layers and blobs; finish removals first; blocks.

    ``leased`` has digests of images and blobs, and keys of layers. A crash in between leaves
    what the next opening or collection removes.
    """
    finish_removals(index, layout)
    with index.write() as connection:
        gone = drop_rows(connection, leased)
        used = used_blobs(connection, leased)
    drop_files(layout, gone, [name for name in blobs(layout) if name not in used])


def expire(index: Index, layout: Layout, leased: Collection[str], before: float) -> bool:
    """Drop what has been in the trash since ``before``; whether there was anything; blocks."""
    query = "SELECT id FROM trash WHERE removed < ?"
    if not index.row(query, before):
        return False
    with index.write() as connection:
        forget(connection, [row["id"] for row in connection.execute(query, (before,)).fetchall()])
    collect(index, layout, leased)
    return True


def drop_rows(
    connection: sqlite3.Connection, leased: Collection[str], doomed: Collection[str] = ()
) -> Gone:
    """Delete the rows of unused images, and of layers that no image has.

    ``doomed`` are images that go although they are kept for their own sake.
    """
    gone = Gone()
    rows = [
        row
        for row in connection.execute(
            "SELECT digest, config_digest, layers, intermediate, pinned FROM image"
            " WHERE (trashed IS NULL OR NOT EXISTS (SELECT 1 FROM trash WHERE id = trashed))"
            " AND NOT EXISTS (SELECT 1 FROM distro WHERE image = digest)"
            " AND NOT EXISTS (SELECT 1 FROM snapshot WHERE image = digest) ORDER BY pulled"
        )
        if row["digest"] not in leased and (not row["pinned"] or row["digest"] in doomed)
    ]
    for row in rows:
        layers = from_text(row["layers"], tuple[Layer, ...])
        numbers = connection.execute(
            "SELECT layer FROM image_layer WHERE image = ?", (row["digest"],)
        )
        gone.images[row["digest"]] = GoneImage(
            blobs=(row["digest"], row["config_digest"], *(layer.digest for layer in layers)),
            layers=tuple(found["layer"] for found in numbers),
            intermediate=bool(row["intermediate"]),
        )
    connection.executemany("DELETE FROM image WHERE digest = ?", [(one,) for one in gone.images])
    forget_dead(connection)
    for row in connection.execute(
        "SELECT number, key, size FROM layer"
        " WHERE NOT EXISTS (SELECT 1 FROM image_layer WHERE layer = number)"
    ).fetchall():
        if row["key"] not in leased:
            connection.execute("DELETE FROM layer WHERE number = ?", (row["number"],))
            gone.layers[row["number"]] = GoneLayer(**dict(row))
    return gone


def drop_files(layout: Layout, gone: Gone, names: Iterable[str]) -> None:
    """Delete the files of layers that are gone, and the blobs ``names``; blocks."""
    for layer in gone.layers.values():
        layout.link(layer.number).unlink(missing_ok=True)
        layout.discard(layout.layer(layer.key))
    for name in names:
        layout.blob(name).unlink(missing_ok=True)


def used_blobs(connection: sqlite3.Connection, leased: Collection[str]) -> set[str]:
    """Names of the blobs that images and jobs need."""
    used = set(leased)
    for row in connection.execute("SELECT digest, config_digest, layers FROM image"):
        used |= {row["digest"], row["config_digest"]}
        used |= {layer.digest for layer in from_text(row["layers"], tuple[Layer, ...])}
    for row in connection.execute("SELECT name FROM repo_digest"):
        used.add(row["name"].rpartition("@")[2])
    return {hex_of(digest) for digest in used}


def blobs(layout: Layout) -> dict[str, int]:
    """Name -> bytes of every blob on the disk."""
    found = {}
    for folder in layout.blobs.iterdir():
        for blob in folder.iterdir():
            with suppress(FileNotFoundError):  # found to be wrong, and condemned, just now
                found[blob.name] = blob.stat().st_size
    return found
