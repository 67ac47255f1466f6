"""Rows of images: written once at their commit, read as :class:`core.domain.Image`."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

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
    for reference in image.references:
        point(connection, reference, image.digest)
    connection.execute(
        "UPDATE image SET size = (SELECT coalesce(sum(size), 0) FROM layer"
        " WHERE number IN (SELECT layer FROM image_layer WHERE image = digest)) WHERE digest = ?",
        (image.digest,),
    )


NAMED = (
    "(EXISTS (SELECT 1 FROM reference WHERE reference.image = image.digest)"
    " OR EXISTS (SELECT 1 FROM repo_digest own JOIN repo_digest its ON its.name = own.name"
    " JOIN reference ON reference.image = its.image WHERE own.image = image.digest))"
)
"""Whether an image has a reference, or another platform's that came from the same index."""


def siblings(index: Index, digest: str) -> list[str]:
    """The images of other platforms that came from one index with this one."""
    rows = index.rows(
        "SELECT DISTINCT its.image FROM repo_digest own JOIN repo_digest its"
        " ON its.name = own.name JOIN image ON image.digest = its.image"
        " WHERE own.image = ? AND its.image != own.image AND trashed IS NULL ORDER BY pulled DESC",
        digest,
    )
    return [row["image"] for row in rows]


def point(connection: sqlite3.Connection, name: str, digest: str) -> None:
    """Let a reference point to an image.

    One that so lost its last name is no longer pinned, if it can be pulled again; nor are those
    of other platforms from its index. What comes from one index shares the index's names.
    """
    old = connection.execute("SELECT image FROM reference WHERE name = ?", (name,)).fetchone()
    connection.execute(
        "INSERT INTO reference VALUES (?, ?) ON CONFLICT DO UPDATE SET image = excluded.image",
        (name, digest),
    )
    if old and old["image"] != digest:
        connection.execute(
            "UPDATE image SET pinned = 0 WHERE origin = 'pull'"  # noqa: S608  # a constant
            " AND digest IN (SELECT ?1 UNION SELECT its.image FROM repo_digest own"
            " JOIN repo_digest its ON its.name = own.name WHERE own.image = ?1)"
            f" AND NOT {NAMED}",
            (old["image"],),
        )


def add_repo_digest(index: Index, digest: str, repo_digest: str) -> None:
    """Note where an image can be pulled from; blocks."""
    with index.write() as connection:
        connection.execute("INSERT OR IGNORE INTO repo_digest VALUES (?, ?)", (digest, repo_digest))


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


def layer_trees(index: Index, layout: Layout, digest: str) -> list[Path]:
    """The unpacked files of each layer of an image, bottom to top; a layer held twice, twice."""
    rows = index.rows(
        "SELECT key FROM image_layer JOIN layer ON number = layer WHERE image = ?"
        " ORDER BY position",
        digest,
    )
    return [layout.layer(row["key"]) / "fs" for row in rows]
