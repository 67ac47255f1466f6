"""Trees of layers read without a mount: what they hold, and what one of them changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Hostile, NotFound
from core.layers.attributes import OPAQUE
from core.layers.escapes import escape, unescape
from core.layers.listing import FIRST, MOST, open_listing, pieces
from core.layers.resolving import resolve
from core.layers.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Stack:
    """Layers made by hand, lowest first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.layers: list[Path] = []
        self.opened: list[int] = []

    def add(self, **files: str) -> Path:
        layer = self.folder / str(len(self.layers))
        layer.mkdir()
        self.layers.append(layer)
        for name, text in files.items():
            place = layer / name.replace("__", "/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return layer

    def remove(self, path: str) -> None:
        place = self.layers[-1] / path
        place.parent.mkdir(parents=True, exist_ok=True)
        os.mknod(place, 0o020000, 0)

    def hide(self, path: str) -> None:
        (self.layers[-1] / path).mkdir(parents=True, exist_ok=True)
        os.setxattr(self.layers[-1] / path, OPAQUE, b"y")

    def roots(self) -> list[int]:
        """Open, highest first."""
        found = [os.open(layer, os.O_RDONLY) for layer in reversed(self.layers)]
        self.opened += found
        return found

    def listed(self, path: str = "/", *, alone: bool = False) -> list[dict[str, Any]]:
        numbers = list(range(len(self.layers), 0, -1))
        view, listing = open_listing(self.roots(), numbers, alone=alone)
        return list(listing.rows(view.find(unescape(path)), recursive=True))

    def paths(self, *, alone: bool = False) -> list[str]:
        marks = {"": "", "added": "A ", "changed": "C ", "removed": "D "}
        return [
            marks[row.get("change", "")] + row["path"] + (" (opaque)" if "opaque" in row else "")
            for row in self.listed(alone=alone)
        ]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path)
    yield made
    for fd in made.opened:
        os.close(fd)


def test_what_upper_layers_remove_hide_and_replace_is_not_there(stack: Stack) -> None:
    stack.add(a="1", b__c="2", b__d="3", e__f="4", g__h="5")
    stack.add(b__c="new", g="a file now")
    stack.remove("a")
    stack.remove("b/d")
    stack.hide("e")
    stack.add(i="6")
    assert stack.paths() == ["/b", "/b/c", "/e", "/g", "/i"]
    assert {row["path"]: row["layer"] for row in stack.listed()}["/b/c"] == 2


def test_a_folder_over_a_file_shows_nothing_from_below_the_file(stack: Stack) -> None:
    stack.add(a__old="1")
    stack.add(a="a file")
    stack.add(a__new="2")
    assert stack.paths() == ["/a", "/a/new"]


def test_a_layer_tells_what_it_added_changed_and_removed(stack: Stack) -> None:
    stack.add(a="1", b__c="2", b__d="3", e__f="4", z="5")
    top = stack.add(b__c="new", b__x__y="6", e__g="7")
    stack.remove("a")
    stack.remove("nothing")
    stack.hide("e")
    (top / "z").symlink_to("b")
    assert stack.paths(alone=True) == [
        "D /a",
        "/b",
        "C /b/c",
        "A /b/x",
        "A /b/x/y",
        "/e (opaque)",
        "A /e/g",
        "D /nothing",
        "C /z",
    ]
    removed = stack.listed("/a", alone=True)
    assert removed == [{"path": "/a", "change": "removed", "layer": 2, "type": "file", "size": 1}]


def test_a_folder_with_another_mode_is_a_changed_one(stack: Stack) -> None:
    stack.add(a__b="1")
    stack.add(a__c="2")
    stack.layers[-1].joinpath("a").chmod(0o700)
    assert stack.paths(alone=True) == ["C /a", "A /a/c"]


def test_every_attribute_is_told(stack: Stack) -> None:
    layer = stack.add(f="12345")
    os.chown(layer / "f", 7, 8)
    (layer / "f").chmod(0o4751)
    os.utime(layer / "f", (5, 1_700_000_000))
    os.setxattr(layer / "f", "user.note", b"x")
    os.mknod(layer / "null", 0o020666, os.makedev(1, 3))
    (layer / "l").symlink_to("/etc/passwd")
    file, link, device = stack.listed()
    assert file == {
        "path": "/f", "type": "file", "mode": 0o4751, "uid": 7, "gid": 8, "size": 5,
        "mtime": 1_700_000_000.0, "layer": 1, "xattrs": ["user.note"],
    }  # fmt: skip
    assert (device["type"], device["device"]) == ("character", "1:3")
    assert (link["type"], link["link"]) == ("symlink", "/etc/passwd")


def test_links_lead_inside_the_tree_across_layers(stack: Stack) -> None:
    layer = stack.add(usr__bin__sh="shell")
    (layer / "bin").symlink_to("usr/bin")
    stack.add(x="1")
    (stack.layers[-1] / "up").symlink_to("../../../../bin")
    (stack.layers[-1] / "abs").symlink_to("/up/sh")
    view = View(stack.roots())
    assert view.find([b"/up/sh"]).path == (b"usr", b"bin", b"sh")
    assert view.find([b"/abs"]).path == (b"abs",)
    assert view.find([b"/abs"], follow=True).path == (b"usr", b"bin", b"sh")
    assert view.find([b"/bin/.."]).path == (b"usr",)
    for missing in (b"/nope", b"/x/y", b"/bin/nope", b"/" + b"n" * 300):
        with pytest.raises(NotFound):
            view.find([missing])


def test_links_in_circles_end(stack: Stack) -> None:
    layer = stack.add()
    (layer / "a").symlink_to("b/x")
    (layer / "b").symlink_to("a/x")
    with pytest.raises(Hostile, match="too many symbolic links"):
        View(stack.roots()).find([b"/a/x"])


def test_a_path_through_links_of_a_thousand_steps_ends() -> None:
    asked = []

    def link_at(path: tuple[bytes, ...]) -> bytes | None:
        asked.append(path)
        return b"./" * 2000 + b"l" if path[-1] == b"l" else None

    with pytest.raises(Hostile, match="too many symbolic links"):
        resolve((b"l",), link_at)
    assert len(asked) < 10


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"plain", "plain"),
        ("größe".encode(), "größe"),
        (b"\xff\xfe", r"\xff\xfe"),
        (b"a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\u202eb".encode(), r"a\xe2\x80\xaeb"),
        (rb"dev-disk-by\x2dlabel", r"dev-disk-by\x2dlabel"),
        (b"a\nb", r"a\x0ab"),
    ],
)
def test_names_are_text_and_bytes_again(name: bytes, text: str) -> None:
    assert escape(name) == text
    assert name in unescape(text)
    assert unescape(text)[0] == text.encode()


def test_a_file_is_found_by_its_escaped_name(stack: Stack) -> None:
    layer = stack.add()
    with open(os.fsencode(layer) + b"/a\xff\x1b", "w"):
        pass
    (row,) = stack.listed()
    assert row["path"] == r"/a\xff\x1b"
    assert stack.listed(row["path"]) == [row]


def test_pieces_begin_small_and_lose_nothing() -> None:
    rows = [{"path": str(number)} for number in range(FIRST + 2 * MOST + 1)]
    cut = list(pieces(iter(rows)))
    assert [len(piece) for piece in cut] == [FIRST, MOST, MOST, 1]
    assert [row for piece in cut for row in piece] == rows
    assert list(pieces(iter([]))) == []
