"""``tag``, ``untag``, ``rmi``, ``exists``, ``undo``, ``prune``, ``df``, ``fsck`` for real."""

from __future__ import annotations

import re

import pytest

from tests.tui.cli.conftest import environment
from tests.tui.cli.test_end_to_end import Deck, Tty


@pytest.fixture(params=["root", "ordinary user"])
def store(request: pytest.FixtureRequest, make_root, as_user, fix) -> Deck:
    """A store with one image and one distro of another."""
    deck = Deck([], make_root())
    if request.param != "root":
        user = request.getfixturevalue("ordinary_user")
        deck = Deck(as_user(user), make_root(user))
    plain = fix["registries"]["plain"]["host"]
    deck.done("pull", f"{plain}/lib/busybox", "--image-only", "-q")
    deck.done("pull", f"{plain}/lib/edge", "--name", "edge", "-q")
    return deck


def test_the_whole_life_of_images_and_distros(store: Deck) -> None:
    (image,) = [one for one in store.items("images") if not one["distros"]]
    store.done("tag", image["references"][0], "mine:1")
    assert store.done("images", "--filter", "reference=mine", "-q").text.strip() == image["digest"]
    assert store.done("images", "mine", "-q").text.strip() == image["digest"]
    assert "no image fits" in store.done("images", "nobody's").talk
    assert store.items("images", "--filter", "since=mine:1") == []  # found by its short name
    ended = store("rmi", "edge")
    assert (ended.code, "distrodeck rm edge" in ended.talk) == (3, True)
    ended = store("export", "mine:1", "-o", "/tmp/never.tar")
    assert (ended.code, "mine:1: no such distro" in ended.talk) == (3, True)
    assert "distrodeck create NAME mine:1" in ended.talk
    for name, code in (("mine:1", 0), ("edge", 0), ("other", 1)):
        assert store("exists", name).code == code
    ended = store("rmi", image["digest"])
    assert (ended.code, "--force" in ended.talk) == (4, True)
    (removal,) = store.items("rmi", image["digest"], "-f")
    assert removal["deleted"] == [image["digest"]]
    assert len(removal["untagged"]) == 2
    assert store.done("undo").text.strip() in removal["untagged"]
    assert store.done("untag", "mine:1").text == "untagged: docker.io/library/mine:1\n"

    store.done("run", "edge", "--", "sh", "-c", "echo kept >/kept")
    store.done("rm", "edge", "--force")
    assert store.items("undo", "--list")[0]["name"] == "edge"
    store.done("undo", "edge", "--name", "back")
    assert store.done("run", "back", "--", "cat", "/kept").text == "kept\n"
    assert store.done("fsck").talk.endswith("no problems\n")
    store.done("stop", "back")

    usage = store.done("df", "--format", "json").document
    assert {one["kind"] for one in usage["items"]} >= {"images", "layers", "blobs", "trash"}
    assert [one["name"] for one in usage["distros"]] == ["back"]
    assert "UNIQUE" in store.done("df", "-v").text
    store.done("rm", "back")
    plan = store.done("prune", "--all", "-n", "--format", "json").document
    assert plan["dry_run"]
    assert {one["kind"] for one in plan["items"]} == {"trash", "image"}
    assert store("prune", "--all").code == 9
    done = store.done("prune", "--all", "--yes", "--format", "json").document
    assert (done["items"], done["size"]) == (plan["items"], plan["size"])
    assert store.items("images") == store.items("undo", "--list") == []


def test_prune_shows_what_goes_and_asks(store: Deck) -> None:
    store.done("rm", "edge", "--force")
    tty = Tty(store.argv("prune"), environment())
    try:
        tty.until(rb"trash +edge")
        tty.until(rb"Delete this .*\[y/N\]")
        tty.type(b"n\n")
        tty.until(rb"not confirmed")
        assert tty.wait() == 9
    finally:
        tty.close()
    assert store.done("undo").text == "edge\n"


def test_ctrl_c_ends_a_question(store: Deck) -> None:
    tty = Tty(store.argv("rmi", "--now", "edge"), environment())
    try:
        tty.until(rb"\[y/N\]")
        tty.type(b"\x03")
        assert tty.wait() == 130
    finally:
        tty.close()


def test_a_broken_image_is_found_mended_by_a_pull_and_then_well(store: Deck, fix) -> None:
    (image,) = [one for one in store.items("images") if not one["distros"]]
    name = image["layers"][0]["digest"].removeprefix("sha256:")
    blob = store.root / "data/blobs/sha256" / name[:2] / name
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    ended = store("fsck")
    assert ended.code == 7
    assert re.search("^blob .*differ", ended.text, re.MULTILINE)
    store.done("fsck", "--repair")
    assert store("fsck", "--quick").code == 7
    store.done("pull", image["references"][0], "--image-only", "-q")
    store.done("fsck")


def test_what_cannot_be_understood_is_told(store: Deck) -> None:
    for words in (
        ("prune", "--filter", "until=yesterday"),
        ("prune", "--filter", "colour=red"),
        ("images", "--filter", "dangling"),
        ("images", "--filter", "colour=red"),
        ("tag", "edge", "a b"),
        ("undo", "edge", "--name", "/x"),
    ):
        ended = store(*words)
        assert (words, ended.code) == (words, 2)
        assert ended.talk.startswith("distrodeck")
