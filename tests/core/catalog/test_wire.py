from __future__ import annotations

import msgspec
import pytest

from core.catalog import wire
from core.catalog.wire import Document, architecture_of, checksum_of, decode, is_name, keep
from core.domain import CatalogEntry
from core.errors import Hostile, Unsupported


class Thing(msgspec.Struct):
    names: list[str]


def document(body: bytes) -> Document:
    return Document(url="https://host/list.json", body=body)


def test_json_of_the_right_shape_is_decoded_and_the_rest_ignored() -> None:
    assert decode(document(b'{"names":["a"],"more":{"x":[1]}}'), Thing, "a list").names == ["a"]


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"names":3}', b'{"names":["a"]', b"\xff\xfe", b'{"names":["\xff"]}'],
)
def test_other_bytes_are_told_for_what_they_are_not(body: bytes) -> None:
    with pytest.raises(Unsupported, match="not a list"):
        decode(document(body), Thing, "a list")


def test_deep_nesting_is_refused() -> None:
    deep = b'{"names":[],"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    with pytest.raises(Hostile, match="nested too deeply"):
        decode(document(deep), Thing, "a list")


def test_large_document_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "DOCUMENT_LIMIT", 10)
    with pytest.raises(Hostile, match="larger than"):
        decode(document(b'{"names": []}'), Thing, "a list")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("x86_64", "amd64"),
        ("amd64", "amd64"),
        ("aarch64", "arm64"),
        ("armhf", "arm"),
        ("i386", "386"),
    ],
)
def test_architectures_have_one_word_here(theirs: str, ours: str) -> None:
    assert architecture_of(theirs) == ours


def test_checksum_has_one_spelling_here() -> None:
    digest = "ab" * 32
    assert checksum_of(f"0x{digest.upper()}") == checksum_of(digest) == f"sha256:{digest}"
    assert checksum_of("ab") == checksum_of(f"{digest}00") == ""


@pytest.mark.parametrize("name", ["debian/12", "lib/busybox:1", "ubuntu-24.04", "a"])
def test_name_that_can_be_typed_is_one(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "-rf", "/etc", "a b", "a\x1b[2J", "a\n", "Debian", "a;b", "$(id)", "a:b:c", "x" * 300],
)
def test_name_that_cannot_be_typed_is_none(name: str) -> None:
    assert not is_name(name)


def entry(name: str, source: str = "x") -> CatalogEntry:
    return CatalogEntry(name=name, source=source, catalog="test")


def test_bad_name_does_not_hide_good_ones_and_the_first_of_a_name_wins() -> None:
    kept = keep([entry("b", "1"), entry("a\x1b"), entry("a"), entry("b", "2")], "https://host/")
    assert [(item.name, item.source) for item in kept] == [("a", "x"), ("b", "1")]


def test_endless_list_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "ENTRY_LIMIT", 5)
    with pytest.raises(Hostile, match="more than 5 entries"):
        keep((entry(f"n{number}") for number in range(10**9)), "https://host/")
