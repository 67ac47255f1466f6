"""What differs between two trees, and what layers hold for nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from core.layers.difference import Difference
from core.layers.view import Member, View
from core.layers.wasted import Wasted
from tests.core.layers.test_view import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def stacks(tmp_path: Path) -> Iterator[Callable[[], Stack]]:
    made: list[Stack] = []

    def make() -> Stack:
        folder = tmp_path / f"stack{len(made)}"
        folder.mkdir()
        made.append(Stack(folder))
        return made[-1]

    yield make
    for stack in made:
        for fd in stack.opened:
            os.close(fd)


class Recording(View):
    """Remembers which folders were read."""

    def __init__(self, roots: list[int]) -> None:
        super().__init__(roots)
        self.seen: list[tuple[bytes, ...]] = []

    def read(self, folder: Member) -> list[Member]:
        self.seen.append(folder.path)
        return super().read(folder)


def differences(old: Stack, new: Stack) -> list[str]:
    roots = (old.roots(), new.roots())
    ids = [[os.fstat(root).st_ino for root in some] for some in roots]
    found = Difference(View(roots[0]), View(roots[1]), *ids).rows()
    return [" ".join([row["kind"][0].upper(), row["path"], *row.get("why", [])]) for row in found]


def test_paths_differ_by_type_content_mode_owner_and_attributes(stacks) -> None:
    old, new = stacks(), stacks()
    for stack in (old, new):
        stack.add(same="1", text="1", size="1", mode="1", owner="1", xattr="1", type="1", time="1")
    top = new.layers[0]
    (top / "text").write_text("2")
    (top / "size").write_text("22")
    (top / "mode").chmod(0o600)
    os.chown(top / "owner", 5, 5)
    os.setxattr(top / "xattr", "user.a", b"1")
    (top / "type").unlink()
    (top / "type" / "in").mkdir(parents=True)
    os.utime(top / "time", (1, 1))
    (top / "added").symlink_to("x")
    assert differences(old, new) == [
        "A /added",
        "C /mode mode",
        "C /owner owner",
        "C /size content size",
        "C /text content",
        "C /type type",
        "A /type/in",
        "C /xattr xattr",
    ]


def test_a_removed_folder_is_one_line_with_all_its_bytes(stacks) -> None:
    old, new = stacks(), stacks()
    old.add(d__a="12", d__e__b="345")
    new.add()
    roots = (old.roots(), new.roots())
    (row,) = Difference(View(roots[0]), View(roots[1]), [1], [2]).rows()
    assert (row["path"], row["kind"], row["type"], row["old_size"]) == (
        "/d", "removed", "folder", 5,
    )  # fmt: skip


def test_folders_of_the_same_layers_are_not_read(stacks) -> None:
    base, upper = stacks(), stacks()
    layer = base.add(shared__a="1", b__c="2")
    upper.layers.append(layer)
    upper.add(b__d="3")
    upper.remove("b/c")
    old, new = Recording(base.roots()), Recording(upper.roots())
    rows = Difference(old, new, ["base"], ["upper", "base"]).rows()
    assert [(row["kind"], row["path"]) for row in rows] == [("removed", "/b/c"), ("added", "/b/d")]
    assert old.seen == [(), (b"b",)]


def test_a_copy_counts_as_wasted_where_a_higher_layer_covers_it(stacks) -> None:
    stack = stacks()
    stack.add(kept="1", replaced="22", removed="333", d__a="4444", over__b="55555", o__c="666666")
    stack.add(replaced="2")
    stack.remove("removed")
    stack.remove("d")
    stack.hide("o")
    stack.layers[-1].joinpath("over").write_text("file")
    stack.add(replaced="3", over__new="7")
    found = Wasted(stack.roots()).count()
    assert found["sizes"][::-1] == [21, 5, 2]
    assert found["wasted"][::-1] == [20, 5, 0]
    assert {file["path"]: (file["copies"], file["size"]) for file in found["files"]} == {
        "/replaced": (2, 3), "/removed": (1, 3), "/d/a": (1, 4),
        "/over/b": (1, 5), "/o/c": (1, 6), "/over": (1, 4),
    }  # fmt: skip


def test_hard_links_are_wasted_when_the_last_is_covered(stacks) -> None:
    stack = stacks()
    layer = stack.add(a="12345")
    (layer / "b").hardlink_to(layer / "a")
    stack.add(a="1")
    assert Wasted(stack.roots()).count()["wasted"] == [0, 0]
    stack.add(b="1")
    found = Wasted(stack.roots()).count()
    assert found["sizes"] == [1, 1, 5]
    assert found["wasted"] == [0, 0, 5]
