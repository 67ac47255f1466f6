"""The verbs of :class:`core.verbs.registries.Registries` as they go over the wire."""

from __future__ import annotations

from core.domain import Job
from core.serve.native.verb import Verb
from core.verbs.registries import (
    Login,
    LoginSpec,
    PushSpec,
    SearchHit,
    SearchSpec,
    TagList,
    TagsSpec,
)

REGISTRIES: dict[str, Verb] = {
    "login": Verb((("spec", LoginSpec),), Login),
    "logout": Verb(
        (("host", str), ("everything", bool), ("name", str), ("auth_file", str)), list[Login]
    ),
    "logins": Verb((("auth_file", str),), list[Login], asks=True),
    "push": Verb((("spec", PushSpec),), Job),
    "search": Verb((("spec", SearchSpec),), list[SearchHit], asks=True),
    "tags": Verb((("spec", TagsSpec),), TagList, asks=True),
}
