"""Rows of images: written once at their commit, read as :class:`core.domain.Image`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import msgspec

from core.domain import Image, Layer, Platform

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from core.store.index import Index
    from core.store.layout import Layout
    from core.store.records import NewImage

T = TypeVar("T")


def to_text(value: object) -> str:
    """A value as one column."""
    return msgspec.json.encode(value).decode()


def from_text(text: str, kind: type[T]) -> T:
    """The value of one column."""
    return msgspec.json.decode(text, type=kind)


def insert_image(connection: sqlite3.Connection, image: NewImage, *, pinned: bool) -> None:
    """Write the rows of an image; its layers have theirs already. Again: only what changed."""
    connection.execute(
        "INSERT INTO image (digest, config_digest, platform, created, pulled, pinned,"
        " transfer_size, layers, history, config, warnings, parent, intermediate, origin)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET"
        " pulled = excluded.pulled, pinned = max(pinned, excluded.pinned), trashed = 0,"
        " broken = '', parent = coalesce(parent, excluded.parent),"
        " intermediate = min(intermediate, excluded.intermediate)",
        (
            image.digest,
            image.config_digest,
            to_text(image.platform),
            image.created,
            time.time(),
            pinned,
            sum({layer.digest: layer.size for layer in image.layers}.values()),
            to_text(image.layers),
            to_text(image.history),
            to_text(image.config),
            to_text(image.warnings),
            image.parent or None,
            image.intermediate,
            image.origin,
        ),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO image_layer SELECT ?, ?, number FROM layer WHERE key = ?",
        [(image.digest, position, key) for position, key in enumerate(image.layer_keys)],
    )
    if image.repo_digest:
        connection.execute(
            "INSERT OR IGNORE INTO repo_digest VALUES (?, ?)", (image.digest, image.repo_digest)
        )
    for reference in image.references:
        _point(connection, reference, image.digest)


def _point(connection: sqlite3.Connection, name: str, digest: str) -> None:
    """Let a reference point to an image; one that so lost its last name is no longer pinned."""
    old = connection.execute("SELECT image FROM reference WHERE name = ?", (name,)).fetchone()
    connection.execute(
        "INSERT INTO reference VALUES (?, ?) ON CONFLICT DO UPDATE SET image = excluded.image",
        (name, digest),
    )
    if old and old["image"] != digest:
        connection.execute(
            "UPDATE image SET pinned = 0 WHERE digest = ?"
            " AND NOT EXISTS (SELECT 1 FROM reference WHERE image = digest)",
            (old["image"],),
        )


def unpin(index: Index, digest: str) -> None:
    """Keep an image no longer for its own sake; blocks."""
    with index.write() as connection:
        connection.execute("UPDATE image SET pinned = 0 WHERE digest = ?", (digest,))


def load_images(index: Index, digest: str = "") -> list[Image]:
    """All images, newest first, or the one."""
    where, values = ("WHERE image.digest = ?", (digest,)) if digest else ("", ())
    rows = index.rows(
        "SELECT image.*, (SELECT sum(size) FROM layer WHERE number IN"  # noqa: S608
        " (SELECT layer FROM image_layer WHERE image = image.digest)) AS size"
        f" FROM image {where} ORDER BY pulled DESC",
        *values,
    )
    return [_image(index, row) for row in rows]


def _image(index: Index, row: sqlite3.Row) -> Image:
    def names(query: str) -> tuple[str, ...]:
        return tuple(found["name"] for found in index.rows(query, row["digest"]))

    return Image(
        digest=row["digest"],
        config_digest=row["config_digest"],
        repo_digests=names("SELECT name FROM repo_digest WHERE image = ? ORDER BY name"),
        references=names("SELECT name FROM reference WHERE image = ? ORDER BY name"),
        platform=from_text(row["platform"], Platform),
        created=row["created"],
        pulled=row["pulled"],
        layers=from_text(row["layers"], tuple[Layer, ...]),
        size=row["size"] or 0,
        transfer_size=row["transfer_size"],
        distros=names("SELECT name FROM distro WHERE image = ? AND NOT removed ORDER BY name"),
        parent=row["parent"] or "",
        intermediate=bool(row["intermediate"]),
        origin=row["origin"],
        broken=row["broken"],
    )


def layer_trees(index: Index, layout: Layout, digest: str) -> list[Path]:
    """The unpacked files of each layer of an image, bottom to top; a layer held twice, twice."""
    rows = index.rows(
        "SELECT key FROM image_layer JOIN layer ON number = layer WHERE image = ?"
        " ORDER BY position",
        digest,
    )
    return [layout.layer(row["key"]) / "fs" for row in rows]
