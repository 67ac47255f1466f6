"""Trees on disk: remove them, measure them, make them durable."""

from __future__ import annotations

import asyncio
import ctypes
import os
from typing import TYPE_CHECKING

from core.errors import DeckError
from core.layers.compression import compression_of
from core.layers.folders import measure, remove_at
from core.layers.process import run_worker
from core.layers.worker import explain

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["compression_of", "remove_tree", "sync_tree", "tree_bytes"]


async def remove_tree(path: Path, *, enter: tuple[str, ...] = ()) -> None:
    """Remove ``path`` and all in it; nothing happens if it is not there.

    Args:
        path: What to remove; a symbolic link itself, not what it leads to.
        enter: Command prefix into the user namespace whose ids own the tree.

    Raises:
        DeckError: something could not be removed; what was, is gone. Cancelling leaves a part.
    """
    if enter:
        await run_worker("remove", path, enter=enter)
        return
    try:
        await asyncio.to_thread(remove_at, os.fsencode(path))
    except OSError as error:
        raise explain(error) from error


async def tree_bytes(path: Path, *, enter: tuple[str, ...] = ()) -> int:
    """Bytes that the tree takes on disk; a file with several hard links counts once.

    Raises:
        DeckError: something could not be read.
    """
    if enter:
        found = await run_worker("measure", path, enter=enter)
        return int(found["bytes"])
    try:
        return await asyncio.to_thread(measure, os.fsencode(path))
    except OSError as error:
        raise explain(error) from error


async def sync_tree(path: Path) -> None:
    """Have everything on the file system that holds ``path`` on the disk.

    syncfs(2), as one call for many files is far cheaper than one fsync each.

    Raises:
        DeckError: the disk did not take it.
    """
    try:
        await asyncio.to_thread(_syncfs, path)
    except OSError as error:
        raise explain(error) from error


def _syncfs(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(fd):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), os.fspath(path))
    finally:
        os.close(fd)


def make_root(path: Path) -> None:
    """Create the root directory of a tree.

    Raises:
        DeckError: it is there already, or cannot be created.
    """
    try:
        path.mkdir(mode=0o700)
    except FileExistsError as error:
        raise DeckError(os.fspath(path), "is there already") from error
    except OSError as error:
        raise explain(error) from error
