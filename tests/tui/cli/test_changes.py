"""A distro's changes by the command line, as every kind of user: real store, sandbox, registry."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.tui.cli.test_end_to_end import Deck

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["root", "subuid", "single"])
def box(request: pytest.FixtureRequest, make_root: Any, as_user: Any, fix: Any) -> Iterator[Deck]:
    """A deck with a distro ``box`` of this kind of user."""
    if request.param == "root":
        deck = Deck([], make_root())
    else:
        name = {"subuid": "ordinary_user", "single": "single_uid_user"}[request.param]
        user = request.getfixturevalue(name)
        deck = Deck(as_user(user), make_root(user))
    deck.done("pull", f"{fix['registries']['plain']['host']}/lib/edge", "--name", "box")
    yield deck
    deck("serve", "--stop")


@pytest.fixture
def is_single(request: pytest.FixtureRequest) -> bool:
    return request.node.callspec.params["box"] == "single"


def sh(deck: Deck, script: str, distro: str = "box") -> str:
    return deck.done("run", distro, "sh", "-c", script).text.strip()


def members(data: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: member for member in archive}


SECRET = "umask 077; mkdir -p /a/b; echo x > /a/b/c; chmod 0 /a/b/c; chmod 0300 /a/b; chmod 0 /a"


def test_every_verb_of_changes(box: Deck, is_single: bool) -> None:
    sh(box, f"echo new > /new; {SECRET}")
    if not is_single:
        sh(box, "chown 12:34 /new")
    (image,) = box.items("commit", "box", "localhost/mine:1", "-m", "first", "-c", "ENV A=b")
    assert (image["references"], image["origin"]) == (["localhost/mine:1"], "commit")
    (made,) = box.items("create", "other", "localhost/mine:1", "--pull", "never")
    assert (made["name"], made["image_digest"]) == ("other", image["digest"])
    owner = "0:0" if is_single else "12:34"
    assert sh(box, "cat /new /a/b/c; echo $A; stat -c %u:%g /new", "other") == f"new\nx\nb\n{owner}"

    (twin,) = box.items("clone", "box", "twin")
    assert sh(box, "cat /new /a/b/c; stat -c %u:%g /new", twin["name"]) == f"new\nx\n{owner}"
    (renamed,) = box.items("rename", "twin", "twin2")
    assert renamed["name"] == "twin2"

    (kept,) = box.items("snapshot", "box", "first", "-m", "why")
    assert (kept["name"], kept["comment"]) == ("first", "why")
    sh(box, "echo newer > /new")
    (before,) = box.items("rollback", "box", "first", "--force")
    assert sh(box, "cat /new; stat -c %u:%g /new") == f"new\n{owner}"
    listed = box.items("snapshot", "--list", "box")
    assert [one["name"] for one in listed] == [before["name"], "first"]
    assert listed[0]["size"] > 0
    assert box.items("snapshots") == box.items("snapshots", "box") == listed
    assert box.items("snapshot", "--remove", "box", "first", "--yes") == [{"name": "first"}]

    assert box.items("upgrade", "box", "--force") == []
    assert box.items("upgrade", "--check") == []

    found = members(box.done("export", "box").out)
    assert found["a/b/c"].size == 2
    assert (found["new"].uid, found["new"].gid) == ((0, 0) if is_single else (12, 34))


@pytest.mark.parametrize("box", ["subuid", "single"], indirect=True)
def test_the_packed_layer_is_what_is_mounted(box: Deck) -> None:
    """The image's blob unpacked by a pull elsewhere would be the tree that is here."""
    sh(box, f"echo new > /new; rm -rf /etc/passwd; {SECRET}")
    sh(box, "ln /new /link; ln -s new /soft; mkfifo /pipe; mkdir -p /d; touch -d @5 /d")
    box.done("commit", "box", "localhost/mine:1")
    (image,) = box.items("images", "--filter", "reference=localhost/mine")
    script = "cd /; ls -lA --full-time a d new link soft pipe 2>&1; cat a/b/c"
    box.done("create", "other", "localhost/mine:1")
    assert sh(box, script, "other") == sh(box, script)
    blobs = box.root / "data" / "blobs" / "sha256"
    digest = image["layers"][-1]["digest"].removeprefix("sha256:")
    found = members((blobs / digest[:2] / digest).read_bytes())
    assert {"new", "link", "soft", "pipe", "d", "a", "a/b", "a/b/c"} <= set(found)
    assert found["link"].islnk() != found["new"].islnk()


@pytest.mark.parametrize("box", ["subuid"], indirect=True)
def test_an_export_pulled_by_path(box: Deck, tmp_path: Path) -> None:
    sh(box, "echo new > /new")
    path = box.root / "box.tar.zst"
    assert box.items("export", "box", "-o", str(path)) == [{"path": str(path)}]
    assert path.read_bytes()[:4] == b"\x28\xb5\x2f\xfd"
    box.done("pull", str(path), "--name", "again")
    assert sh(box, "cat /new", "again") == "new"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("commit", "nobody"), 3),
        (("commit", "nobody", "--config", "@/no/such"), 2),
        (("clone", "nobody", "new"), 3),
        (("snapshot",), 2),
        (("snapshots", "nobody"), 3),
        (("close", "77"), 3),
        (("upgrade",), 2),
        (("export", "nobody", "-o", "/tmp/never.tar"), 3),
    ],
)
def test_what_cannot_be_meant_has_its_exit_code(
    make_root: Any, words: tuple[str, ...], code: int
) -> None:
    deck = Deck([], make_root())
    ended = deck(*words, "--embedded")
    assert ended.code == code, ended.talk
    assert ended.out == b""
