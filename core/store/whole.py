"""Whether all that an image needs is on the disk, and the mark of one that lacks something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.domain import Layer
from core.store.images import from_text

if TYPE_CHECKING:
    import sqlite3

    from core.store.layout import Layout


def what_is_missing(connection: sqlite3.Connection, layout: Layout, digest: str) -> str:
    """What an image lacks, in words; empty: nothing."""
    row = connection.execute(
        "SELECT config_digest, layers FROM image WHERE digest = ?", (digest,)
    ).fetchone()
    layers = from_text(row["layers"], tuple[Layer, ...])
    for name in (digest, row["config_digest"]):
        if not layout.blob(name).exists():
            return f"blob {name[:19]} is missing"
    keys = connection.execute(
        "SELECT key FROM image_layer JOIN layer ON number = layer WHERE image = ?", (digest,)
    ).fetchall()
    if len(keys) < len(layers):
        return f"{len(layers) - len(keys)} of its layers are missing"
    for found in keys:
        if not (layout.layer(found["key"]) / "fs").is_dir():
            return f"layer {found['key'][:19]} is missing"
    for layer in layers:
        try:
            size = layout.blob(layer.digest).stat().st_size
        except FileNotFoundError:
            return f"blob {layer.digest[:19]} is missing"
        if size != layer.size:
            return f"blob {layer.digest[:19]} has {size} of {layer.size} bytes"
    return ""


def mark_broken(connection: sqlite3.Connection, digest: str, why: str) -> None:
    """Note what an image lacks; until it is pulled again."""
    connection.execute("UPDATE image SET broken = ? WHERE digest = ?", (why, digest))


def look_again(connection: sqlite3.Connection, layout: Layout) -> None:
    """After something came in: images that now have all they lacked are no longer marked."""
    for row in connection.execute("SELECT digest FROM image WHERE broken != ''").fetchall():
        mark_broken(connection, row["digest"], what_is_missing(connection, layout, row["digest"]))
