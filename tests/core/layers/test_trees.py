"""Removing and measuring trees that are deep, locked or linked."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from core.errors import DeckError
from core.layers.trees import remove_tree, sync_tree, tree_bytes
from tests.core.layers.overlay import SUBIDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.host import User


def make_deep(top: Path, depth: int) -> None:
    """A chain of folders, each with a file, deeper than any path can be."""
    fd = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d" * 50, dir_fd=fd)
        child = os.open("d" * 50, os.O_RDONLY, dir_fd=fd)
        os.close(os.open("0", os.O_CREAT | os.O_WRONLY, dir_fd=child))
        os.close(fd)
        fd = child
    os.close(fd)


async def test_a_tree_deeper_than_any_path_goes(make_root: Callable[..., Path]) -> None:
    top = make_root() / "top"
    top.mkdir()
    make_deep(top, 1500)
    await remove_tree(top)
    assert not top.exists()


async def test_numbers_as_names_do_not_stop_removal(make_root: Callable[..., Path]) -> None:
    top = make_root() / "top"
    for name in ("1/1/1", "2/1/3", "a/b/2", "3"):
        (top / name).mkdir(parents=True)
        (top / name / "4").write_text("")
    (top / "5").write_text("")
    await remove_tree(top)
    assert not top.exists()


async def test_a_link_goes_and_not_what_it_leads_to(make_root: Callable[..., Path]) -> None:
    root = make_root()
    (root / "kept").mkdir()
    (root / "kept" / "file").write_text("")
    (root / "top").mkdir()
    (root / "top" / "link").symlink_to(root / "kept")
    (root / "direct").symlink_to(root / "kept")
    await remove_tree(root / "top")
    await remove_tree(root / "direct")
    assert [path.name for path in root.iterdir()] == ["kept"]
    assert (root / "kept" / "file").exists()


async def test_nothing_to_remove_is_fine(make_root: Callable[..., Path]) -> None:
    root = make_root()
    (root / "kept").touch()
    await remove_tree(root / "absent")
    assert [path.name for path in root.iterdir()] == ["kept"]


async def test_what_cannot_be_removed_is_named(make_root: Callable[..., Path]) -> None:
    top = make_root() / "top"
    (top / "mounted").mkdir(parents=True)
    subprocess.run(["mount", "--bind", top, top / "mounted"], check=True)
    with pytest.raises(DeckError, match="mounted: device or resource busy"):
        await remove_tree(top)


def test_a_user_removes_folders_that_are_locked(
    make_root: Callable[..., Path],
    single_uid_user: User,
    as_user: Callable[[User], list[str]],
) -> None:
    root = make_root(single_uid_user)
    script = f"""
import asyncio, os, pathlib
from core.layers.trees import remove_tree
top = pathlib.Path({str(root)!r}) / "top"
(top / "a/b/c").mkdir(parents=True)
(top / "a/b/c/file").write_text("")
for locked, mode in (("a/b/c", 0), ("a/b", 0o555), ("a", 0o300), ("", 0)):
    (top / locked).chmod(mode)
asyncio.run(remove_tree(top))
assert not top.exists()
"""
    command = [*as_user(single_uid_user), sys.executable, "-P", "-c", script]
    subprocess.run(command, check=True, cwd="/")


def test_a_user_removes_and_measures_what_belongs_to_its_subuids(
    make_root: Callable[..., Path],
    ordinary_user: User,
    as_user: Callable[[User], list[str]],
) -> None:
    root = make_root(ordinary_user)
    user = as_user(ordinary_user)
    made = (
        "mkdir -p $0/top/d && echo 1 >$0/top/d/f && chown -R 33:33 $0/top/d && chmod 700 $0/top/d"
    )
    subprocess.run([*user, *SUBIDS, "sh", "-c", made, root / "top"], check=True)
    script = f"""
import asyncio, pathlib
from core.layers.trees import remove_tree, tree_bytes
top = pathlib.Path({str(root)!r}) / "top"
assert asyncio.run(tree_bytes(top, enter={SUBIDS!r})) >= 4096
asyncio.run(remove_tree(top, enter={SUBIDS!r}))
assert not top.exists()
"""
    subprocess.run([*user, sys.executable, "-P", "-c", script], check=True, cwd="/")


async def test_hard_links_count_once(make_root: Callable[..., Path]) -> None:
    root = make_root()
    (root / "a").write_bytes(bytes(1 << 20))
    alone = await tree_bytes(root)
    (root / "b").hardlink_to(root / "a")
    assert await tree_bytes(root) == alone
    assert alone >= 1 << 20


async def test_holes_take_no_bytes(make_root: Callable[..., Path]) -> None:
    root = make_root()
    with (root / "hollow").open("wb") as file:
        file.truncate(1 << 30)
    assert await tree_bytes(root) < 1 << 20


async def test_syncing_what_is_not_there_is_an_error(make_root: Callable[..., Path]) -> None:
    root = make_root()
    await sync_tree(root)
    with pytest.raises(DeckError):
        await sync_tree(root / "absent")
