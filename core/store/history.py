"""An image's history, each step joined with the layer and the image that it made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.domain import HistoryEntry, Layer
from core.store.family import whole_at
from core.store.images import from_text
from core.store.records import HistoryStep

if TYPE_CHECKING:
    from core.store.index import Index


def load_history(index: Index, digest: str) -> list[HistoryEntry]:
    """An image's history, newest first, each step joined with the layer it made."""
    row = index.row("SELECT layers, history FROM image WHERE digest = ?", digest)
    if row is None:
        return []
    layers = from_text(row["layers"], tuple[Layer, ...])
    rows = index.rows(
        "SELECT position, number, size FROM image_layer JOIN layer ON number = layer"
        " WHERE image = ? ORDER BY position",
        digest,
    )
    numbers = [found["number"] for found in rows]
    steps = from_text(row["history"], tuple[HistoryStep, ...])
    made = _made_by(index, digest, steps, numbers)
    return [
        HistoryEntry(
            created=step.created,
            created_by=step.created_by,
            comment=step.comment,
            layer=None if step.layer is None else layers[step.layer],
            size=0 if step.layer is None else rows[step.layer]["size"],
            id=made.get(at, ""),
            tags=_references(index, made[at]) if at in made else (),
            empty=step.layer is None,
            untold=step.layer is not None and not (step.created or step.created_by or step.comment),
        )
        for at, step in reversed(list(enumerate(steps)))
    ]


def _made_by(
    index: Index, digest: str, steps: tuple[HistoryStep, ...], numbers: list[int]
) -> dict[int, str]:
    """Step -> the image that ends with it: its last one is the image itself."""
    made: dict[int, str] = {}
    for at, step in enumerate(steps):
        whole = step.layer + 1 if step.layer is not None else len(numbers)
        if whole < len(numbers) and (found := whole_at(index, digest, numbers, whole)):
            made[at] = found[0]
    if steps:
        made[len(steps) - 1] = digest
    return made


def _references(index: Index, digest: str) -> tuple[str, ...]:
    rows = index.rows("SELECT name FROM reference WHERE image = ? ORDER BY name", digest)
    return tuple(row["name"] for row in rows)
