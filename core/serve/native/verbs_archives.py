"""Archives over the wire."""

from __future__ import annotations

from core.domain import Job
from core.serve.native.verb import Verb
from core.verbs.archives import ImportSpec, LoadSpec, SaveSpec

ARCHIVES: dict[str, Verb] = {
    "load": Verb((("spec", LoadSpec),), Job, takes=True),
    "save": Verb((("spec", SaveSpec),), Job),
    "archive": Verb((("spec", SaveSpec),), bytes, stream=True),
    "import_image": Verb((("spec", ImportSpec),), Job, takes=True),
}
