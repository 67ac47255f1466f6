"""``files``, ``cat``, ``diff``, ``waste``, ``inspect`` and ``history`` on the real engine."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.tui.cli.test_end_to_end import Deck, plain  # noqa: F401

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["root", "subordinate ids", "one id"])
def owner(request: pytest.FixtureRequest, make_root, as_user) -> tuple[Deck, int]:
    """The command line as each kind of user, and the uid."""
    if request.param == "root":
        return Deck([], make_root()), 0
    fixture = "ordinary_user" if request.param == "subordinate ids" else "single_uid_user"
    user = request.getfixturevalue(fixture)
    return Deck(as_user(user), make_root(user)), user.uid


def test_files_are_listed_read_and_copied_out(owner: tuple[Deck, int], plain: str) -> None:  # noqa: F811
    real, uid = owner
    real.done("pull", f"{plain}/lib/busybox", "--name", "box")
    script = (
        "mkdir -p /srv; echo secret >/srv/locked; chmod 0 /srv/locked; mkdir /srv/d; chmod 0 /srv/d"
    )
    real.done("run", "box", "--", "sh", "-c", f"{script}; rm /etc/group; echo more >>/etc/passwd")
    found = {entry["path"]: entry for entry in real.items("files", "box", "-r")}
    assert found["/srv/locked"]["mode"] == 0
    assert "/etc/group" not in found
    assert real.done("cat", "box", "/srv/locked").out == b"secret\n"

    to = real.root / "out"
    ended = real.done("files", "box", "/srv", "--extract", "--to", str(to))
    assert ended.text == f"{to}/srv\n"
    copied = to / "srv" / "locked"
    assert (copied.read_text(), copied.stat().st_uid) == ("secret\n", uid)
    ended = real("files", "box", "/srv", "--extract", "--to", str(to), "--format", "json")
    assert (ended.code, ended.error["code"]) == (4, "conflict")
    ended = real.done("files", "box", "/srv", "--extract", "-o", "-")
    with tarfile.open(fileobj=io.BytesIO(ended.out)) as archive:
        assert {"srv", "srv/locked", "srv/d"} <= set(archive.getnames())

    lines = real.done("diff", "box", "-l").text.splitlines()
    told = {line.split("  ")[0]: line for line in lines}
    assert {"A /srv/locked", "A /srv/d/", "C /etc/passwd", "D /etc/group"} <= told.keys()
    assert "content,size" in told["C /etc/passwd"]


def test_layers_are_told_apart(deck_root: Path, plain: str) -> None:  # noqa: F811
    real = Deck([], deck_root)
    real.done("pull", f"{plain}/lib/edge", "--name", "edge")
    (told,) = real.items("inspect", "edge")
    layers = told["image"]["layers"]
    last = len(layers)
    lines = real.done("files", "edge", "--layer", str(last), "-r").text.splitlines()
    assert {line[0] for line in lines} <= {"A", "C", "D", " "}
    by_digest = real.done("files", "edge", "--layer", layers[-1]["digest"][:19], "-r")
    assert by_digest.text.splitlines() == lines
    assert told["image"]["root_fs"] == [layer["diff_id"] for layer in layers]
    assert told["image"]["config"]["labels"] == dict(told["image"]["config"]["labels"])
    (waste,) = real.items("waste", "edge")
    assert [layer["number"] for layer in waste["layers"]] == list(range(1, last + 1))
    entries = real.items("history", "edge")
    assert entries[0]["id"] == told["image"]["digest"]
    ended = real("files", "edge", "--layer", "99")
    assert (ended.code, "history edge" in ended.talk) == (3, True)


def test_what_cannot_be_shown_says_what_to_do(deck_root: Path) -> None:
    real = Deck([], deck_root)
    real.done("pull", "host")
    for words, code, hint in (
        (("inspect", "nope"), 3, "distrodeck images"),
        (("history", "nope"), 3, "distrodeck images"),
        (("history", "host"), 1, "distrodeck diff host"),
        (("waste", "host"), 1, "distrodeck diff host"),
        (("files", "nope"), 3, "distrodeck images"),
        (("files", "host", "/nope"), 3, "distrodeck files"),
        (("files", "host", "/", "--extract"), 2, "--to DIR or -o FILE"),
        (("diff", "nope"), 3, "distrodeck"),
    ):
        ended = real(*words)
        assert ended.code == code, (words, ended.talk)
        assert hint in ended.talk, words
    real.done("diff", "host")


def test_a_large_listing_begins_at_once_and_may_be_left(deck_root: Path, plain: str) -> None:  # noqa: F811
    real = Deck([], deck_root)
    real.done("pull", f"{plain}/lib/busybox", "--name", "box")
    upper = deck_root / real.items("ls")[0]["path"]
    many = upper / "srv" / "many"
    many.mkdir(parents=True)
    for number in range(2_000):
        os.close(os.open(many / f"{number:05}", os.O_CREAT | os.O_WRONLY))
    process = subprocess.Popen(
        real.argv("files", "box", "/srv/many"), stdout=subprocess.PIPE, cwd="/"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"/srv/many/00000\n"
    process.stdout.close()
    assert process.wait(60) == 141
    assert len(real.done("files", "box", "/srv/many").text.splitlines()) == 2_000
