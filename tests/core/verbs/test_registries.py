"""What is told about logins, and what is not."""

from __future__ import annotations

from core.domain import Credentials
from core.verbs.registries import LoginSpec, PushSpec, SearchSpec, TagsSpec

SECRET = "canary-90c1"
TOLD = Credentials(username="u", password=SECRET)


def test_no_spec_shows_a_password_when_it_is_printed() -> None:
    specs = (
        LoginSpec(host="h", credentials=TOLD),
        PushSpec(name="x", credentials=TOLD),
        TagsSpec(repository="h/x", credentials=TOLD),
        SearchSpec(term="x", credentials=TOLD),
    )
    assert not [spec for spec in specs if SECRET in repr(spec)]
