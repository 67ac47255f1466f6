"""An image among the others: what it was made from, what was made from it, what only it uses.

A registry does not tell; an image whose layers are the lower ones of another is taken for its
parent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.store.images import from_text

if TYPE_CHECKING:
    from core.store.index import Index

_MOST_CHILDREN = 100

_BEGINS = (
    "(SELECT count(*) FROM image_layer mine JOIN image_layer its"
    " ON its.position = mine.position AND its.layer = mine.layer"
    " WHERE mine.image = ? AND mine.position < ? AND its.image = other.image) = ?"
)
"""``other`` begins with so many of the layers of an image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """See :class:`core.verbs.contents.Inspection`."""

    parent: str
    children: tuple[str, ...]
    unique_size: int
    layer_sizes: tuple[int, ...]
    warnings: tuple[str, ...]


def load_family(index: Index, digest: str) -> Family:
    """The family of an image that is there."""
    rows = index.rows(
        "SELECT layer, size, warnings, (SELECT count(DISTINCT image) FROM image_layer other"
        " WHERE other.layer = number) AS users FROM image_layer JOIN layer ON number = layer"
        " WHERE image = ? ORDER BY position",
        digest,
    )
    warnings = [line for row in rows for line in from_text(row["warnings"], tuple[str, ...])]
    if image := index.row("SELECT warnings FROM image WHERE digest = ?", digest):
        warnings += from_text(image["warnings"], tuple[str, ...])
    layers = [row["layer"] for row in rows]
    return Family(
        parent=_parent(index, digest, layers),
        children=_children(index, digest, layers),
        unique_size=sum(
            size for _, size in {(row["layer"], row["size"]) for row in rows if row["users"] == 1}
        ),
        layer_sizes=tuple(row["size"] for row in rows),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _parent(index: Index, digest: str, layers: list[int]) -> str:
    for count in range(len(layers) - 1, 0, -1):
        if found := whole_at(index, digest, layers, count):
            return found[0]
    return ""


def whole_at(index: Index, digest: str, layers: list[int], count: int) -> list[str]:
    """The other images whose layers are exactly the lowest ``count``, newest first."""
    rows = index.rows(
        "SELECT other.image FROM image_layer other JOIN image"  # noqa: S608  # constants
        " ON image.digest = other.image"
        " WHERE other.layer = ? AND other.position = ? AND other.image != ?"
        " AND image.trashed IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM image_layer more WHERE more.image = other.image AND more.position = ?)"
        f" AND {_BEGINS} ORDER BY pulled DESC",
        *(layers[count - 1], count - 1, digest, count, digest, count, count),
    )
    return [row["image"] for row in rows]


def _children(index: Index, digest: str, layers: list[int]) -> tuple[str, ...]:
    count = len(layers)
    if not count:
        return ()
    rows = index.rows(
        "SELECT other.image FROM image_layer other JOIN image"  # noqa: S608  # constants
        " ON image.digest = other.image"
        " WHERE other.layer = ? AND other.position = ? AND image.trashed IS NULL AND EXISTS"
        " (SELECT 1 FROM image_layer more"
        " WHERE more.image = other.image AND more.position = ?)"
        f" AND {_BEGINS} ORDER BY other.image LIMIT ?",
        *(layers[-1], count - 1, count, digest, count, count, _MOST_CHILDREN),
    )
    return tuple(row["image"] for row in rows)
