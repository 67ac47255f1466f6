"""What a pull means."""

from __future__ import annotations

import pytest

from core.domain import CatalogEntry, PullSpec
from core.errors import DeckError, InvalidInput, NotFound
from core.images.reference import parse_reference
from core.sources import check_name, find_source, name_of, plain_name

SUM = f"sha256:{'ab' * 32}"
ENTRIES = {
    "debian/12": CatalogEntry(name="debian/12", source="docker.io/library/debian:12", catalog="b"),
    "debian": CatalogEntry(name="debian/12", source="docker.io/library/debian:12", catalog="b"),
    "lib/dev": CatalogEntry(name="lib/dev", source="127.0.0.1:5600/lib/dev", catalog="f"),
    "here": CatalogEntry(name="here", source="host:", catalog="b", kind="host"),
    "Void": CatalogEntry(
        name="Void",
        source="https://example.org/void.tar.xz",
        catalog="w",
        kind="rootfs",
        checksum=SUM,
        version="2024",
    ),
    "A b/c": CatalogEntry(name="A b/c", source="/srv/x.tar", catalog="t", kind="rootfs"),
}


def find(name: str) -> CatalogEntry:
    try:
        return ENTRIES[name]
    except KeyError:
        raise NotFound(name, "in no catalog") from None


@pytest.mark.parametrize(
    ("asked", "name", "kind", "url"),
    [
        (PullSpec(name="debian/12"), "debian-12", "oci", "docker.io/library/debian:12"),
        (PullSpec(name="debian"), "debian", "oci", "docker.io/library/debian:12"),
        (PullSpec(name="lib/dev"), "dev", "oci", "127.0.0.1:5600/lib/dev"),
        (PullSpec(source="lib/dev"), "dev", "oci", "127.0.0.1:5600/lib/dev"),
        (PullSpec(source="lib/dev", name="work"), "work", "oci", "127.0.0.1:5600/lib/dev"),
        (PullSpec(source="other/dev"), "dev", "oci", "other/dev"),
        (PullSpec(source="127.0.0.1:1/lib/dev"), "dev", "oci", "127.0.0.1:1/lib/dev"),
        (PullSpec(source="quay.io/a/b:1.2"), "b-1.2", "oci", "quay.io/a/b:1.2"),
        (PullSpec(source=f"quay.io/a/b@{SUM}"), "b", "oci", f"quay.io/a/b@{SUM}"),
        (PullSpec(name="Void"), "Void", "rootfs", "https://example.org/void.tar.xz"),
        (PullSpec(name="here"), "here", "host", "host:"),
        (PullSpec(source="host:"), "host", "host", "host:"),
        (PullSpec(source="host:", name="me"), "me", "host", "host:"),
        (PullSpec(source="/srv/a b.tar.gz"), "a-b", "rootfs", "/srv/a b.tar.gz"),
        (PullSpec(source="/srv/.x_1.WSL"), "x_1", "rootfs", "/srv/.x_1.WSL"),
        (PullSpec(source="https://h/d/root.tar.zst?x=1"), "root", "rootfs", None),
        (PullSpec(source="http://127.0.0.1/a.tgz"), "a", "rootfs", None),
    ],
    ids=lambda value: str(value) if isinstance(value, PullSpec) else None,
)
def test_a_name_or_source_says_where_from_and_what_to_call_it(
    asked: PullSpec, name: str, kind: str, url: str | None
) -> None:
    found = find_source(asked, find)
    assert (found.name, found.kind, found.url) == (name, kind, url or asked.source)
    assert (found.reference is not None) == (kind == "oci")


def test_a_catalog_entry_brings_its_checksum_and_version() -> None:
    found = find_source(PullSpec(name="Void"), find)
    assert (found.checksum, found.version) == (SUM, "2024")
    other = f"sha256:{'cd' * 32}"
    assert find_source(PullSpec(name="Void", checksum=other), find).checksum == other


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (PullSpec(), "neither a name nor a source"),
        (PullSpec(source="./x.tar"), "not an absolute path"),
        (PullSpec(source="../x.tar"), "not an absolute path"),
        (PullSpec(source="~/x.tar"), "not an absolute path"),
        (PullSpec(source="file:///x.tar"), "not an absolute path"),
        (PullSpec(source="/"), "empty"),
        (PullSpec(source="lib/dev", name="a/b"), "not usable"),
        (PullSpec(source="lib/dev", name="-x"), "not usable"),
        (PullSpec(source="lib/dev", name="x" * 64), "not usable"),
        (PullSpec(source="lib/dev", name="x\x1b[2J"), "not usable"),
        (PullSpec(source="127.0.0.1:1/UPPER//x", name="x"), "UPPER"),
        (PullSpec(source="/x.tar", checksum="sha256:123"), "checksum"),
        (PullSpec(source="quay.io/a/b", checksum=SUM), "for tarballs"),
        (PullSpec(name="A b/c"), "not usable"),
        (PullSpec(source="http:///x.tar"), "source"),
    ],
    ids=lambda value: str(value) if isinstance(value, PullSpec) else None,
)
def test_what_cannot_be_meant_is_refused_without_control_characters(
    asked: PullSpec, why: str
) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        find_source(asked, find)
    assert caught.value.message.isprintable()


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidInput, match="credentials") as caught:
        find_source(PullSpec(source="https://me:s3cret@example.org/x.tar"), find)
    assert "s3cret" not in repr(caught.value) + caught.value.hint


def test_a_name_in_no_catalog_is_not_found() -> None:
    with pytest.raises(NotFound, match="nosuch"):
        find_source(PullSpec(name="nosuch"), find)


def test_a_source_that_names_its_registry_is_never_looked_up() -> None:
    def never(name: str) -> CatalogEntry:
        raise AssertionError(name)

    for source in ("quay.io/a/b", "localhost:5000/a", f"a@{SUM}", "/a.tar", "host:"):
        find_source(PullSpec(source=source), never)


@pytest.mark.parametrize("name", ["a", "9", "A.b_c-d", "x" * 63])
def test_a_distro_may_be_called(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", ".a", "_a", "a b", "a/b", "a\n", "ä", "x" * 64])
def test_a_distro_may_not_be_called(name: str) -> None:
    with pytest.raises(DeckError, match="distro name"):
        check_name(name)


def test_every_reference_gives_a_usable_name() -> None:
    for text in (
        "docker.io/library/debian:12",
        "quay.io/a/b:latest",
        f"q.io/{'x' * 90}:{'y' * 60}",
        "q.io/a:v1.",
        "q.io/a:_",
    ):
        assert check_name(name_of(parse_reference(text)))


def test_a_catalog_name_becomes_a_distro_name() -> None:
    assert plain_name("debian/12") == "debian-12"
    assert plain_name("lib/dev:1") == "lib-dev-1"
