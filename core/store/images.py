"""Rows of images: written once at their commit, read as :class:`core.domain.Image`."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from core.domain import HistoryEntry, Image, Layer, Platform
from core.store.records import HistoryStep

if TYPE_CHECKING:
    import sqlite3

    from core.store.index import Index
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
        " pulled = excluded.pulled, pinned = max(pinned, excluded.pinned), trashed = NULL,"
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
    if image.reference:
        point(connection, image.reference, image.digest)
    connection.execute(
        "UPDATE image SET size = (SELECT coalesce(sum(size), 0) FROM layer"
        " WHERE number IN (SELECT layer FROM image_layer WHERE image = digest)) WHERE digest = ?",
        (image.digest,),
    )


def point(connection: sqlite3.Connection, name: str, digest: str) -> None:
    """Let a reference point to an image.

    One that so lost its last name is no longer pinned, if it can be pulled again.
    """
    old = connection.execute("SELECT image FROM reference WHERE name = ?", (name,)).fetchone()
    connection.execute(
        "INSERT INTO reference VALUES (?, ?) ON CONFLICT DO UPDATE SET image = excluded.image",
        (name, digest),
    )
    if old and old["image"] != digest:
        connection.execute(
            "UPDATE image SET pinned = 0 WHERE digest = ? AND origin = 'pull'"
            " AND NOT EXISTS (SELECT 1 FROM reference WHERE image = digest)",
            (old["image"],),
        )


_COLUMNS = (
    "digest, config_digest, platform, created, pulled, layers, size, transfer_size,"
    " parent, intermediate, origin, broken"
)
NAMES = {
    "repo_digests": "SELECT image, name FROM repo_digest",
    "references": "SELECT image, name FROM reference",
    "distros": "SELECT image, name FROM distro WHERE NOT removed",
}

Names = dict[str, dict[str, tuple[str, ...]]]
"""Kind of name -> digest of an image -> its names."""


def load_names(index: Index) -> Names:
    """Repository digests, references and distros of every image that has some."""
    names: Names = {}
    for kind, query in NAMES.items():
        found: dict[str, list[str]] = {}
        for image, name in index.tuples(f"{query} ORDER BY name"):
            found.setdefault(image, []).append(name)
        names[kind] = {image: tuple(some) for image, some in found.items()}
    return names


def load_images(index: Index) -> list[Image]:
    """All images that were not removed, newest first."""
    names = load_names(index)
    rows = index.tuples(
        f"SELECT {_COLUMNS} FROM image WHERE trashed IS NULL ORDER BY pulled DESC"  # noqa: S608
    )
    return [_image(row, names) for row in rows]


def load_image(index: Index, digest: str) -> Image | None:
    """The image with this manifest digest, if it is there and was not removed."""
    rows = index.tuples(
        f"SELECT {_COLUMNS} FROM image WHERE digest = ? AND trashed IS NULL",  # noqa: S608
        digest,
    )
    if not rows:
        return None
    names: Names = {}
    for kind, query in NAMES.items():
        also = "AND" if "WHERE" in query else "WHERE"
        found = index.tuples(f"{query} {also} image = ? ORDER BY name", digest)
        names[kind] = {digest: tuple(name for _, name in found)}
    return _image(rows[0], names)


def digests_beginning(index: Index, start: str) -> list[str]:
    """Digests of the images whose digest, or whose config's, begins with these hex digits."""
    low, high = f"sha256:{start}", f"sha256:{start}g"
    return [
        row["digest"]
        for row in index.rows(
            "SELECT digest FROM image WHERE trashed IS NULL AND digest >= ? AND digest < ?"
            " UNION SELECT digest FROM image"
            " WHERE trashed IS NULL AND config_digest >= ? AND config_digest < ?",
            *(low, high, low, high),
        )
    ]


def _image(row: tuple[Any, ...], names: Names) -> Image:
    digest, config_digest, platform, created, pulled, layers, size, transfer_size, *rest = row
    parent, intermediate, origin, broken = rest
    return Image(
        digest=digest,
        config_digest=config_digest,
        repo_digests=names["repo_digests"].get(digest, ()),
        references=names["references"].get(digest, ()),
        platform=_platform(platform),
        created=created,
        pulled=pulled,
        layers=_layers.decode(layers),
        size=size,
        transfer_size=transfer_size,
        distros=names["distros"].get(digest, ()),
        parent=parent or "",
        intermediate=bool(intermediate),
        origin=origin,
        broken=broken,
    )


_layers = msgspec.json.Decoder(tuple[Layer, ...])


@lru_cache(64)
def _platform(text: str) -> Platform:
    return from_text(text, Platform)


def load_history(index: Index, digest: str) -> list[HistoryEntry]:
    """An image's history, newest first, each step joined with the layer it made."""
    row = index.row("SELECT layers, history FROM image WHERE digest = ?", digest)
    if row is None:
        return []
    layers = from_text(row["layers"], tuple[Layer, ...])
    sizes = {
        found["position"]: found["size"]
        for found in index.rows(
            "SELECT position, size FROM image_layer JOIN layer ON number = layer WHERE image = ?",
            digest,
        )
    }
    steps = from_text(row["history"], tuple[HistoryStep, ...])
    return [
        HistoryEntry(
            created=step.created,
            created_by=step.created_by,
            comment=step.comment,
            layer=None if step.layer is None else layers[step.layer],
            size=0 if step.layer is None else sizes.get(step.layer, 0),
        )
        for step in reversed(steps)
    ]
