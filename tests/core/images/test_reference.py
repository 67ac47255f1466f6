"""References: what is accepted, what is refused and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import Platform
from core.errors import DeckError, InvalidInput, Unsupported
from core.images.reference import parse_platform, parse_reference
from core.text import clean

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("debian", "docker.io/library/debian:latest"),
        ("debian:12", "docker.io/library/debian:12"),
        ("user/app", "docker.io/user/app:latest"),
        ("docker.io/debian", "docker.io/library/debian:latest"),
        ("index.docker.io/user/app:1", "docker.io/user/app:1"),
        ("docker://quay.io/a/b:c", "quay.io/a/b:c"),
        ("localhost/x", "localhost/x:latest"),
        ("localhost:5000/x:y", "localhost:5000/x:y"),
        ("127.0.0.1:5600/lib/dev", "127.0.0.1:5600/lib/dev:latest"),
        ("[::1]:5000/x/y:z", "[::1]:5000/x/y:z"),
        ("REGISTRY.example:5000/x", "REGISTRY.example:5000/x:latest"),
        (f"q.io/a@sha256:{HEX}", f"q.io/a@sha256:{HEX}"),
        (f"q.io/a:t@sha256:{HEX}", f"q.io/a:t@sha256:{HEX}"),
        ("q.io/a__b/c--d/e.f", "q.io/a__b/c--d/e.f:latest"),
    ],
)
def test_defaults_are_filled_in(text: str, full: str) -> None:
    assert str(parse_reference(text)) == full


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("Debian", "lower case"),
        ("debian:", "nothing after the colon"),
        ("debian:a b", "bad tag"),
        (f"debian:{'x' * 129}", "bad tag"),
        ("a//b", "an empty part"),
        ("q.io/a/", "an empty part"),
        ("q.io/", "no repository"),
        ("q.io:99999/a", "no port 99999"),
        ("-q.io/a", "bad registry"),
        ("q.io/a..b", "bad part"),
        ("q.io/a_", "bad part"),
        ("q.io/../b", "bad part"),
        ("q.io/a\n", "bad part"),
        ("q.io/é", "bad part"),
        ("q.io/a@sha256:abc", "bad digest"),
        (f"q.io/a@sha256:{HEX.upper()}", "bad digest"),
        (f"q.io/{'a/' * 130}a", "longer than 255"),
    ],
)
def test_a_malformed_reference_is_told_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_reference(text)
    assert why in caught.value.why


def test_another_digest_algorithm_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="sha512"):
        parse_reference(f"q.io/a@sha512:{HEX}{HEX}")


def test_docker_hub_answers_under_another_name() -> None:
    assert parse_reference("debian").api_host == "registry-1.docker.io"


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("debian:12", "debian:12"),
        ("user/app", "user/app:latest"),
        ("q.io/a:b", "q.io/a:b"),
        ("docker.io/localhost/x", "docker.io/localhost/x:latest"),
    ],
)
def test_the_short_form_leaves_docker_hub_out(text: str, short: str) -> None:
    assert parse_reference(text).short == short


@given(st.text(max_size=80) | st.text(alphabet="ab./:@-_[]0", max_size=40))
def test_whatever_is_accepted_reads_back_the_same(text: str) -> None:
    message, reference = "", None
    try:
        reference = parse_reference(text)
    except DeckError as error:
        message = error.message
    assert clean(message, 9999) == message
    if reference is None:
        return
    assert parse_reference(str(reference)) == reference
    assert parse_reference(reference.short) == reference


def test_a_platform_has_two_or_three_parts() -> None:
    assert parse_platform("arm64") == Platform(os="linux", architecture="arm64")
    assert parse_platform("linux/arm/v7") == Platform(os="linux", architecture="arm", variant="v7")
    for bad in ("linux", "linux/", "linux/amd64/v1/x", "linux/\x1b[m"):
        with pytest.raises(InvalidInput):
            parse_platform(bad)
