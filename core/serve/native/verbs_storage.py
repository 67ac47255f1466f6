"""The verbs of :class:`core.verbs.storage.Storage` as they go over the wire."""

from __future__ import annotations

from core.domain import Image
from core.serve.native.verb import Verb
from core.verbs.storage import Checkup, Pruned, PruneSpec, Removal, Trashed, Usage

STORAGE: dict[str, Verb] = {
    "tag": Verb((("name", str), ("reference", str)), Image),
    "untag": Verb((("reference", str),), Removal),
    "remove_image": Verb((("name", str), ("force", bool), ("prune", bool), ("now", bool)), Removal),
    "trash": Verb((), list[Trashed], asks=True),
    "undo": Verb((("name", str), ("rename", str)), Trashed),
    "prune": Verb((("spec", PruneSpec),), Pruned),
    "usage": Verb((), Usage, asks=True),
    "fsck": Verb((("repair", bool), ("quick", bool)), Checkup),
}
