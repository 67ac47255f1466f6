"""Walk what a stack of unpacked layers shows, or what the one on top changes; nothing is mounted.

Kernel, filesystems/overlayfs, "Upper and Lower", "whiteouts and opaque directories". A directory's
entries come together, sorted by their bytes, and before those of the directories in it: the same
trees give the same order.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from core.layers.folders import names_in, open_beneath
from core.layers.marks import check_whole, is_whiteout_in, marks_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

Path = tuple[bytes, ...]
"""Components from the root; no component is a link."""


class Node:
    """Something visible in the walk.

    Attributes:
        path: Empty for the root.
        layer: Which of the roots it comes from.
        folder: A descriptor of the directory that holds it there, valid until the next node is
            asked for; of the root directory for the root itself.
        stat: Of itself, links not followed.
        whiteout: It hides what layers below the walked ones have.
        opaque: It is a directory that hides what they have in it.
    """

    __slots__ = ("folder", "layer", "opaque", "path", "stat", "whiteout")

    def __init__(self, path: Path, layer: int, folder: int, found: os.stat_result) -> None:
        self.path = path
        self.layer = layer
        self.folder = folder
        self.stat = found
        self.whiteout = False
        self.opaque = False


def walk(roots: Sequence[int]) -> Iterator[Node]:
    """All that the open root directories, highest first, show together.

    Whiteouts and opaque marks that hide something below the lowest root come as such.

    Raises:
        Unsupported: something borrows its content in a way that is not followed here.
    """
    yield Node((), 0, roots[0], os.fstat(roots[0]))
    todo: list[tuple[Path, tuple[int, ...], bool]] = [((), tuple(range(len(roots))), False)]
    while todo:
        path, layers, closed = todo.pop()
        opened: list[_Open] = []
        try:
            for layer in layers:
                opened.append(_Open(layer, open_beneath(roots[layer], path)))
                if path and opened[-1].marks.opaque:
                    closed = True
                    break
            folders = yield from _walk_folder(path, opened, closed=closed)
        finally:
            for one in opened:
                os.close(one.fd)
        todo.extend(reversed(folders))


class _Open:
    """One layer's directory at the path that is being walked."""

    __slots__ = ("fd", "layer", "marks", "names")

    def __init__(self, layer: int, fd: int) -> None:
        self.layer = layer
        self.fd = fd
        try:
            check_whole(fd, os.listxattr(fd), b"directory")
            self.marks = marks_of(fd)
            self.names = names_in(fd)
        except BaseException:
            os.close(fd)
            raise


def _walk_folder(
    path: Path, opened: list[_Open], *, closed: bool
) -> Generator[Node, None, list[tuple[Path, tuple[int, ...], bool]]]:
    """The entries of a directory; its directories are given back."""
    if closed:
        mark = Node(path, opened[0].layer, opened[0].fd, os.fstat(opened[0].fd))
        mark.opaque = True
        yield mark
    found: dict[bytes, list[_Open]] = {}
    for one in opened:
        for name in one.names:
            found.setdefault(name, []).append(one)
    folders = []
    for name in sorted(found):
        here = (*path, name)
        top = found[name][0]
        seen = os.lstat(name, dir_fd=top.fd)
        node = Node(here, top.layer, top.fd, seen)
        if stat.S_ISDIR(seen.st_mode):
            merged, cut = _merge(name, found[name])
            folders.append((here, merged, closed or cut))
        else:
            node.whiteout = is_whiteout_in(top.marks, top.fd, name, seen)
            if node.whiteout and closed:
                continue
        yield node
    return folders


def _merge(name: bytes, candidates: list[_Open]) -> tuple[tuple[int, ...], bool]:
    """The layers whose directories ``name`` show as one, and whether something ends them."""
    merged: list[int] = []
    for one in candidates:
        if not stat.S_ISDIR(os.lstat(name, dir_fd=one.fd).st_mode):
            return tuple(merged), True
        merged.append(one.layer)
    return tuple(merged), False
