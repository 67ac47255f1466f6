"""Copies out of a tree: confined to the folder, harmless, and whole."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from typing import TYPE_CHECKING

import pytest

from core.errors import Conflict
from core.layers.takeout import TakeOut, pack
from core.layers.view import View
from tests.core.layers.test_view import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    (tmp_path / "layers").mkdir()
    made = Stack(tmp_path / "layers")
    yield made
    for fd in made.opened:
        os.close(fd)


def take_out(stack: Stack, path: bytes, to: Path, *, force: bool = False) -> TakeOut:
    view = View(stack.roots())
    work = TakeOut(view, str(to), force=force)
    stack.opened.append(work.folder)
    work.run(view.find([path]))
    return work


def test_links_in_the_image_lead_no_copy_out_of_the_folder(stack: Stack, tmp_path: Path) -> None:
    layer = stack.add(d__e__f="evil")
    (layer / "d" / "out").symlink_to(tmp_path / "canary")
    (tmp_path / "canary").write_text("untouched")
    take_out(stack, b"/d", tmp_path / "to")
    copy = tmp_path / "to" / "d" / "out"
    assert copy.is_symlink()
    assert (tmp_path / "canary").read_text() == "untouched"


def test_links_in_the_target_are_replaced_and_not_followed(stack: Stack, tmp_path: Path) -> None:
    stack.add(d__e__f="new")
    to, outside = tmp_path / "to", tmp_path / "outside"
    (to / "d").mkdir(parents=True)
    outside.mkdir()
    (to / "d" / "e").symlink_to(outside)
    with pytest.raises(Conflict):
        take_out(stack, b"/d", to)
    take_out(stack, b"/d", to, force=True)
    assert list(outside.iterdir()) == []
    assert (to / "d" / "e" / "f").read_text() == "new"
    (to / "d" / "e" / "f").unlink()
    (to / "d" / "e" / "f").symlink_to(outside / "f")
    take_out(stack, b"/d/e/f", to / "d" / "e", force=True)
    assert not (outside / "f").exists()


def test_a_folder_is_never_replaced_by_a_file(stack: Stack, tmp_path: Path) -> None:
    stack.add(f="new")
    (tmp_path / "to" / "f").mkdir(parents=True)
    with pytest.raises(Conflict):
        take_out(stack, b"/f", tmp_path / "to", force=True)


def test_what_could_do_harm_stays_behind(stack: Stack, tmp_path: Path) -> None:
    layer = stack.add(d__su="x", d__plain="y")
    (layer / "d" / "su").chmod(0o6755)
    os.chown(layer / "d" / "plain", 33, 33)
    os.mknod(layer / "d" / "null", 0o020666, os.makedev(1, 3))
    os.mkfifo(layer / "d" / "pipe")
    work = take_out(stack, b"/d", tmp_path / "to")
    copy = tmp_path / "to" / "d"
    assert {path.name for path in copy.iterdir()} == {"su", "plain"}
    assert stat.S_IMODE((copy / "su").stat().st_mode) == 0o755
    assert (copy / "plain").stat().st_uid == os.geteuid()
    assert work.warnings.lines() == [
        "left out, neither file nor folder nor link: /d/null and 1 more",
        "set-user-ID or set-group-ID left out: /d/su",
    ]


def test_links_times_modes_and_holes_are_kept(stack: Stack, tmp_path: Path) -> None:
    layer = stack.add(d__a="x")
    (layer / "d" / "b").hardlink_to(layer / "d" / "a")
    with (layer / "d" / "hollow").open("wb") as file:
        file.truncate(50 << 20)
    os.utime(layer / "d" / "a", (5, 6))
    (layer / "d").chmod(0o500)
    os.utime(layer / "d", (7, 8))
    work = take_out(stack, b"/d", tmp_path / "to")
    copy = tmp_path / "to" / "d"
    assert (copy / "a").stat().st_ino == (copy / "b").stat().st_ino
    assert (copy / "a").stat().st_mtime == 6
    assert (copy.stat().st_mtime, stat.S_IMODE(copy.stat().st_mode)) == (8, 0o500)
    assert (copy / "hollow").stat().st_blocks * 512 < 1 << 20
    assert (work.entries, work.size) == (4, (50 << 20) + 1)


def test_the_whole_tree_goes_into_the_folder_itself(stack: Stack, tmp_path: Path) -> None:
    stack.add(a="1", b__c="2")
    stack.add(a="3")
    stack.remove("b/c")
    take_out(stack, b"/", tmp_path / "to")
    assert {path.name for path in (tmp_path / "to").rglob("*")} == {"a", "b"}
    assert (tmp_path / "to" / "a").read_text() == "3"


def test_an_archive_holds_owners_attributes_links_and_odd_names(stack: Stack) -> None:
    layer = stack.add(d__a="12")
    os.chown(layer / "d" / "a", 1234, 4321)
    (layer / "d" / "a").chmod(0o4711)
    os.setxattr(layer / "d" / "a", "user.bin", b"\xff\x00x")
    (layer / "d" / "b").hardlink_to(layer / "d" / "a")
    (layer / "d" / "l").symlink_to("/x")
    with open(os.fsencode(layer) + b"/d/\xfe\x1b", "w"):
        pass
    os.mknod(layer / "d" / "null", 0o020666, os.makedev(1, 3))
    view = View(stack.roots())
    file = io.BytesIO()
    pack(view, view.find([b"/d"]), file)
    file.seek(0)
    with tarfile.open(fileobj=file, errors="surrogateescape") as archive:
        found = {member.name: member for member in archive}
    assert list(found) == ["d", "d/a", "d/b", "d/l", "d/null", "d/\udcfe\x1b"]
    a = found["d/a"]
    assert (a.mode, a.uid, a.gid, a.size) == (0o4711, 1234, 4321, 2)
    value = a.pax_headers["SCHILY.xattr.user.bin"]
    assert value.encode("utf-8", "surrogateescape") == b"\xff\x00x"
    assert (found["d/b"].islnk(), found["d/b"].linkname) == (True, "d/a")
    assert (found["d/l"].issym(), found["d/l"].linkname) == (True, "/x")
    assert (found["d/null"].devmajor, found["d/null"].devminor) == (1, 3)
