"""The verbs of :class:`core.verbs.changes.Changes` as they go over the wire."""

from __future__ import annotations

from core.domain import Distro, Job
from core.serve.native.verb import Verb
from core.verbs.changes import (
    CommitSpec,
    CreateSpec,
    ExportSpec,
    RollbackSpec,
    Snapshot,
    SnapshotSpec,
    UpgradeSpec,
)

CHANGES: dict[str, Verb] = {
    "commit": Verb((("spec", CommitSpec),), Job),
    "create": Verb((("spec", CreateSpec),), Job),
    "clone": Verb((("name", str), ("new", str), ("pause", bool)), Job),
    "rename": Verb((("name", str), ("new", str)), Distro),
    "snapshot": Verb((("spec", SnapshotSpec),), Job),
    "snapshots": Verb((("name", str),), list[Snapshot], asks=True),
    "rollback": Verb((("spec", RollbackSpec),), Job),
    "remove_snapshot": Verb((("name", str), ("snapshot", str)), None),
    "upgrade": Verb((("spec", UpgradeSpec),), Job),
    "check": Verb((("name", str),), Job),
    "export": Verb((("spec", ExportSpec),), Job),
    "export_stream": Verb((("spec", ExportSpec),), bytes, stream=True),
}
