"""Random references and documents: understood, or refused with a reason.

``python -m tests.soak`` runs the full counts.
"""

from __future__ import annotations

import copy
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.errors import Corrupt, DeckError, Hostile, InvalidInput, Unsupported
from core.images.manifest import (
    OCI_CONFIG,
    OCI_LAYER,
    OCI_MANIFEST,
    Manifest,
    read_config,
    read_document,
)
from core.images.reference import parse_reference
from core.images.resolve import history_steps, image_config
from core.limits import Limits
from tests.core.images.test_manifest import DIGEST, entry, index, manifest

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 10_000 if os.environ.get("DISTRODECK_SOAK") == "1" else 200
FUZZ = settings(
    max_examples=COUNT,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
REFUSED = (Corrupt, Hostile, Unsupported)

CONFIG: dict[str, Any] = {
    "architecture": "amd64",
    "os": "linux",
    "created": "2025-01-01T00:00:00Z",
    "config": {"Env": ["A=1", "B"], "Cmd": ["sh"], "User": "0:0", "WorkingDir": "/"},
    "rootfs": {"type": "layers", "diff_ids": [DIGEST]},
    "history": [{"created": "x", "created_by": "y"}, {"empty_layer": True}],
}
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9),
    st.just([]), st.just({}), st.just([{}] * 3), st.just("sha256:" + "f" * 64),
    st.sampled_from(["../../x", "\x1b]52;c;aGk=\x07", "a\0b", "application/x", "1" * 5000]),
)  # fmt: skip


def attempt(call: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """What a call gives, or the error that it raises on purpose."""
    try:
        return call(*arguments, **more)
    except DeckError as error:
        return error


@st.composite
def spoilt(draw: st.DrawFn, wholes: st.SearchStrategy[Any]) -> Any:
    """A document with some of its values replaced, removed, renamed or repeated."""
    document = copy.deepcopy(draw(wholes))
    for _ in range(draw(st.integers(1, 3))):
        place = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and place[key] and draw(st.booleans()):
                place = place[key]
                continue
            if draw(st.booleans()):
                place[key] = copy.deepcopy(draw(JUNK))
            elif isinstance(place, dict):
                value = place.pop(key)
                if draw(st.booleans()):
                    place[draw(st.text(max_size=6))] = value
            else:
                place += place[key:] * draw(st.sampled_from([1, 600]))
            break
    return document


@pytest.mark.soak
@FUZZ
@given(st.one_of(st.text(max_size=300), st.from_regex(r"[a-z0-9./:@_-]{0,80}", fullmatch=True)))
def test_a_reference_is_understood_or_refused(text: str) -> None:
    found = attempt(parse_reference, text)
    if isinstance(found, DeckError):
        assert isinstance(found, InvalidInput | Unsupported)
        assert not {"\x1b", "\n"} & set(found.message)
        return
    assert parse_reference(str(found)) == found
    assert parse_reference(found.short) == found


WORDS = st.text("abz09", min_size=1, max_size=4)
NAMES = st.builds(
    lambda first, rest: first + "".join(rest),
    WORDS,
    st.lists(st.builds("{}{}".format, st.sampled_from([".", "_", "__", "-", "---"]), WORDS)),
)


@pytest.mark.soak
@FUZZ
@given(
    st.sampled_from(["", "localhost/", "q.io/", "127.0.0.1:5600/", "[::1]:5000/", "UP/"]),
    st.lists(NAMES, min_size=1, max_size=4),
    st.one_of(st.just(""), st.text("aZ09_.-", max_size=40).map(":x{}".format)),
    st.sampled_from(["", "@" + DIGEST]),
)
def test_what_the_grammar_allows_is_understood(
    host: str, parts: list[str], tag: str, digest: str
) -> None:
    repository = "/".join(["x", *parts])  # a first part with a dot would be a registry
    assume(len(host) + len(repository) < 250)
    found = parse_reference(f"{host}{repository}{tag}{digest}")
    assert found.repository.endswith(parts[-1])
    assert found.digest == digest[1:]
    assert found.tag == (tag[1:] or ("" if digest else "latest"))


@pytest.mark.soak
@FUZZ
@given(spoilt(st.sampled_from([manifest(), index(), manifest(layers=[entry("x")] * 3)])))
def test_a_spoilt_document_is_read_or_refused(document: Any) -> None:
    found = attempt(read_document, json.dumps(document).encode(), of="x")
    if isinstance(found, DeckError):
        assert isinstance(found, REFUSED)
        return
    if isinstance(found, Manifest):
        assert len(found.layers) <= 500
        assert all(layer.size >= 0 for layer in found.layers)


@pytest.mark.soak
@FUZZ
@given(spoilt(st.just(CONFIG)))
def test_a_spoilt_config_is_read_or_refused(document: Any) -> None:
    whole = read_document(json.dumps(manifest()).encode(), of="x")
    assert isinstance(whole, Manifest)
    found = attempt(read_config, json.dumps(document).encode(), whole, of="x")
    if isinstance(found, DeckError):
        assert isinstance(found, REFUSED)
        return
    steps = history_steps(found)
    assert [step.layer for step in steps if step.layer is not None] == [0]
    assert all("\x1b" not in step.created_by for step in steps)
    image_config(found.config)


@pytest.mark.soak
@FUZZ
@given(st.binary(max_size=400), st.sampled_from(["", "application/json"]))
def test_bytes_that_are_no_document_are_refused(body: bytes, promised: str) -> None:
    with pytest.raises(REFUSED):
        read_document(body, of="x", promised=promised)


@pytest.mark.parametrize(
    ("document", "limits", "why"),
    [
        (manifest(), Limits(manifest_bytes=100), "larger than 100 bytes"),
        (manifest(layers=[entry("x")] * 4), Limits(layers=3), "4 layers, more than 3"),
        (manifest(annotations={"a": {"b": [{}]}}), Limits(json_depth=4), "nested more than 4 deep"),
        (manifest(config=entry(OCI_CONFIG, size=101)), Limits(config_bytes=100), "101 bytes"),
        (index(manifests=[entry(OCI_MANIFEST, size=999)]), Limits(manifest_bytes=600), "999 bytes"),
        (manifest(layers=[entry(OCI_LAYER, size=9)]), Limits(total_bytes=8), "promises 9 bytes"),
    ],
)
def test_each_limit_is_kept(document: Any, limits: Limits, why: str) -> None:
    body = json.dumps(document).encode()
    with pytest.raises(Hostile, match=why):
        read_document(body, of="x", limits=limits)


def test_what_a_limit_just_allows_is_read() -> None:
    body = json.dumps(manifest(annotations={"a": {"b": [{}]}})).encode()
    limits = Limits(json_depth=5, manifest_bytes=len(body), layers=1, total_bytes=10)
    assert read_document(body, of="x", limits=limits)
