"""The verbs of the Engine protocol as they go over the wire: names, types, manners."""

from __future__ import annotations

from core import events
from core.domain import (
    Catalog,
    Check,
    Distro,
    EngineInfo,
    HistoryEntry,
    Image,
    Job,
    PullSpec,
    RunResult,
    RunSpec,
    Session,
    ShellSpec,
)
from core.serve.native.verb import Verb
from core.serve.native.verbs_archives import ARCHIVES
from core.serve.native.verbs_builds import BUILDS
from core.serve.native.verbs_changes import CHANGES
from core.serve.native.verbs_contents import CONTENTS
from core.serve.native.verbs_registries import REGISTRIES
from core.serve.native.verbs_storage import STORAGE
from core.verbs.storage import ImageQuery

VERBS: dict[str, Verb] = {
    "images": Verb((("query", ImageQuery | None),), list[Image], asks=True),
    "image": Verb((("name", str),), Image, asks=True),
    "history": Verb((("name", str),), list[HistoryEntry], asks=True),
    "distros": Verb((), list[Distro], asks=True),
    "distro": Verb((("name", str),), Distro, asks=True),
    "catalog": Verb((), Catalog, asks=True),
    "refresh": Verb((), Job),
    "pull": Verb((("spec", PullSpec),), Job),
    "remove": Verb((("name", str), ("force", bool), ("now", bool)), None),
    "start": Verb((("name", str),), Distro),
    "stop": Verb((("name", str),), Distro),
    "restart": Verb((("name", str),), Distro),
    "sessions": Verb((), list[Session], asks=True),
    "open": Verb((("spec", ShellSpec),), Session),
    "attach": Verb((("session", int), ("viewer", bool)), None),
    "input": Verb((("session", int), ("data", bytes)), None),
    "resize": Verb((("session", int), ("rows", int), ("columns", int)), None),
    "close": Verb((("session", int),), None),
    "run": Verb((("spec", RunSpec),), RunResult),
    "jobs": Verb((), list[Job], asks=True),
    "watch": Verb((("job", str),), Job, stream=True),
    "result": Verb((("job", str),), Job),
    "cancel": Verb((("job", str),), None),
    "pause": Verb((("job", str),), Job),
    "resume": Verb((("job", str),), Job),
    "info": Verb((), EngineInfo, asks=True),
    "doctor": Verb((), list[Check], asks=True),
    "events": Verb((), events.Event, stream=True),
    "shutdown": Verb((), None),
    **CONTENTS,
    **ARCHIVES,
    **STORAGE,
    **BUILDS,
    **REGISTRIES,
    **CHANGES,
}
