"""Names, references, tags and platforms that mean nothing cost an error each, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.e2e.deck import Deck, Shown

pytestmark = pytest.mark.usefixtures("unchanged")


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("::::", "::::"),
        ("HOST/lib/UPPER", "lib/UPPER"),
        ("HOST/lib/dev:bad tag", "bad tag"),
        ("HOST/lib/dev:", "lib/dev:"),
        ("HOST/lib//dev", "lib//dev"),
        ("HOST/lib/dev@sha256:123", "sha256:123"),
        ("127.0.0.1:99999/lib/dev", "99999"),
        ("HOST/" + "x" * 300, "xxx"),
        ("lib/\x1b]0;dev", "lib/"),
        ("not-a-path.tar/../x y", "x y"),
    ],
)
def test_a_malformed_reference_is_invalid_input(
    deck: Deck, plain: str, source: str, names: str
) -> None:
    ended = deck.refused("pull", source.replace("HOST", plain), "--name", "x")
    assert (ended.code, ended.error["code"]) == (2, "invalid_input")
    assert names in ended.error["message"]
    assert "\x1b" not in ended.talk


@pytest.mark.parametrize("name", ["../x", "-x", "x" * 64, "ä\n"])
def test_a_distro_cannot_have_just_any_name(deck: Deck, plain: str, name: str) -> None:
    ended = deck.refused("pull", f"{plain}/lib/busybox", f"--name={name}")
    assert (ended.code, ended.error["code"]) == (2, "invalid_input")
    assert "distro name" in ended.error["message"]


def test_an_empty_source_is_a_name_of_the_catalog(deck: Deck) -> None:
    assert deck.refused("pull", "").code == 2
    ended = deck.refused("pull", "", "--name", "nosuchthing")
    assert (ended.code, ended.error["code"]) == (3, "not_found")
    assert "nosuchthing" in ended.error["message"]


def test_a_name_that_no_catalog_has_is_looked_for_at_docker_and_says_so(deck: Deck) -> None:
    ended = deck.refused("pull", "nosuchthing")
    # 3 or 5 where there is a network
    assert ended.code in (3, 5, 6)
    assert "no catalog has nosuchthing (distrodeck ls --available)" in ended.error["hint"]


def test_a_tag_that_is_not_there_names_those_that_are(deck: Deck, plain: str) -> None:
    ended = deck.refused("pull", f"{plain}/lib/busybox:stabel")
    assert (ended.code, ended.error["code"]) == (3, "not_found")
    assert f"{plain}/lib/busybox:stabel: no such tag" in ended.error["message"]
    assert "stable" in ended.error["hint"]


def test_a_repository_that_is_not_there_is_told_from_a_tag(deck: Deck, plain: str) -> None:
    ended = deck.refused("pull", f"{plain}/lib/nope")
    assert (ended.code, ended.error["code"]) == (3, "not_found")
    assert "no such repository" in ended.error["message"]


def test_a_digest_that_is_not_there_is_not_found(deck: Deck, plain: str) -> None:
    ended = deck.refused("pull", f"{plain}/lib/busybox@sha256:{'0' * 64}")
    assert (ended.code, ended.error["code"]) == (3, "not_found")


@pytest.mark.parametrize("name", ["multi", "multi-v2s2", "busybox"])
def test_a_platform_that_is_not_there_names_those_that_are(
    deck: Deck, plain: str, name: str
) -> None:
    ended = deck.refused("pull", f"{plain}/lib/{name}", "--platform", "linux/s390x", "--name", "x")
    assert (ended.code, ended.error["code"]) == (3, "not_found")
    assert "linux/s390x" in ended.error["message"]
    assert "linux/amd64" in ended.error["hint"]


def test_a_malformed_platform_is_invalid_input(deck: Deck, plain: str) -> None:
    ended = deck.refused("pull", f"{plain}/lib/multi", "--platform", "bogus", "--name", "x")
    assert ended.code == 2
    assert "bogus" in ended.error["message"]


def test_a_name_that_is_taken_says_by_what(deck: Deck, plain: str) -> None:
    ended = deck.refused("pull", f"{plain}/lib/minbase", "--name", "bb")
    assert (ended.code, ended.error["code"]) == (4, "conflict")
    assert f"{plain}/lib/busybox" in ended.error["message"]
    assert "--name" in ended.error["hint"]


@pytest.mark.parametrize(
    ("source", "code", "why"),
    [
        ("/var/tmp/no such file.tar", 3, "no such file"),
        ("/dev/zero", 2, "not a regular file"),
        ("/etc/passwd", 7, "passwd: "),
    ],
)
def test_a_path_that_is_no_tarball_is_refused(deck: Deck, source: str, code: int, why: str) -> None:
    ended = deck.refused("pull", source, "--name", "x")
    assert ended.code == code
    assert why in ended.error["message"]


def test_a_tarball_has_to_have_its_checksum(deck: Deck, fix: dict[str, Any]) -> None:
    url = fix["http"]["files"]["busybox-amd64.tar.gz"]["url"]
    ended = deck.refused("pull", url, "--name", "x", "--checksum", f"sha256:{'0' * 64}")
    assert (ended.code, ended.error["code"]) == (7, "corrupt")
    ended = deck.refused("pull", url, "--name", "x", "--checksum", "sha256:12")
    assert (ended.code, ended.error["code"]) == (2, "invalid_input")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("rm", "--yes", "nope"), 3),
        (("history", "nope"), 3),
        (("inspect", "nope"), 3),
        (("rm", "--yes", ""), 2),
        (("run", "nope", "--", "true"), 125),
        (("run", "", "--", "true"), 125),
    ],
)
def test_a_verb_on_what_is_not_there_says_where_to_look(
    deck: Deck, words: tuple[str, ...], code: int
) -> None:
    ended = deck.refused(*words)
    assert ended.code == code
    assert "distrodeck ls" in ended.error["hint"]


@pytest.mark.parametrize(
    "words",
    [
        ("nosuchverb",),
        ("ls", "--nosuchflag"),
        ("run", "bb"),
        ("run", "bb", "--bind", "/etc:mnt", "--", "true"),
        ("run", "bb", "--env", "=x", "--", "true"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_usage(deck: Deck, words: tuple[str, ...]) -> None:
    ended = deck("--format", "json", *words)
    assert (ended.code, ended.error["code"]) == (2, "usage")
    assert "--help" in ended.error["hint"]


def test_a_person_reads_the_reason_and_the_next_step(deck: Deck, plain: str) -> None:
    ended = deck("pull", f"{plain}/lib/busybox:stabel", "--quiet")
    thing = f"{plain}/lib/busybox:stabel"
    assert ended.talk.splitlines()[0] == f"distrodeck: {thing}: no such tag"
    assert ended.talk.splitlines()[1].startswith("  try: ")


def test_after_all_of_that_the_store_shows_what_it_did_and_a_good_pull_works(
    deck: Deck, plain: str, before: Shown
) -> None:
    assert deck.shown() == before
    assert deck.done("pull", f"{plain}/lib/busybox-v2s2", "--name", "again").out == "again\n"
    assert deck.done("run", "again", "--", "echo", "well").out == "well\n"
    deck.done("rm", "--now", "--yes", "again")
