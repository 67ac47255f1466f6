"""The verbs of :class:`core.verbs.builds.Builds` as they go over the wire."""

from __future__ import annotations

from core.domain import Job
from core.serve.native.verb import Verb
from core.verbs.builds import BuildLine, BuildSpec

BUILDS: dict[str, Verb] = {
    "build": Verb((("spec", BuildSpec),), Job, takes=True),
    "build_output": Verb((("job", str),), BuildLine, stream=True),
}
