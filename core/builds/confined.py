"""A tree that is looked into but never left: links are followed as if it were the whole system.

Blocking, for worker processes and threads; every step is taken through a directory descriptor, so
that nobody who changes the tree meanwhile can lead out of it.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.layers.folders import FOLDER_FLAGS, names_in, open_beneath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Parts = tuple[bytes, ...]
"""Components from the tree's root."""

_MOST_HOPS = 40
"""Symbolic links on one path, as in the kernel."""


def split(path: bytes) -> Parts:
    """The components of a path, ``.`` and doubled slashes left out; ``..`` stays."""
    return tuple(part for part in path.split(b"/") if part not in (b"", b"."))


class Tree:
    """See the module; ``fd`` is its root and stays the caller's."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def resolve(self, path: Parts) -> Parts:
        """Where ``path`` leads when every link is followed, the last one too.

        Raises:
            FileNotFoundError, NotADirectoryError: it leads nowhere.
            OSError: ELOOP, round in circles.
        """
        done: list[bytes] = []
        todo = list(reversed(path))
        hops = 0
        while todo:
            part = todo.pop()
            if part == b"..":
                del done[-1:]
                continue
            found = self.lstat((*done, part))
            if not stat.S_ISLNK(found.st_mode):
                done.append(part)
                continue
            hops += 1
            if hops > _MOST_HOPS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), b"/".join(path))
            link = self.readlink((*done, part))
            if link.startswith(b"/"):
                done.clear()
            todo.extend(reversed(split(link)))
        return tuple(done)

    @contextmanager
    def folder(self, path: Parts) -> Iterator[int]:
        """A descriptor of the folder at ``path``, in which no component is a link."""
        fd = open_beneath(self.fd, path)
        try:
            yield fd
        finally:
            os.close(fd)

    def lstat(self, path: Parts) -> os.stat_result:
        """What is at ``path``; only the last component may be a link."""
        if not path:
            return os.fstat(self.fd)
        with self.folder(path[:-1]) as fd:
            return os.lstat(path[-1], dir_fd=fd)

    def readlink(self, path: Parts) -> bytes:
        """Where the link at ``path`` points to."""
        with self.folder(path[:-1]) as fd:
            return os.readlink(path[-1], dir_fd=fd)

    def open_file(self, path: Parts) -> int:
        """A descriptor for reading of the regular file at ``path``."""
        with self.folder(path[:-1]) as fd:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            found = os.open(path[-1], flags, dir_fd=fd)
        if not stat.S_ISREG(os.fstat(found).st_mode):
            os.close(found)
            raise OSError(errno.EINVAL, "not a regular file", b"/".join(path))
        return found

    def names(self, path: Parts) -> list[bytes]:
        """What is in the folder at ``path``, sorted."""
        with self.folder(path) as fd:
            return sorted(names_in(fd))

    def walk(
        self, start: Parts, *, leave_out: Callable[[Parts], bool] = lambda _: False
    ) -> Iterator[tuple[Parts, os.stat_result]]:
        """``start`` and all below it, parents first, sorted; paths are below ``start``.

        ``leave_out`` is asked for each path; of a folder left out nothing is given.
        """
        todo: list[Parts] = [()]
        while todo:
            path = todo.pop()
            found = self.lstat((*start, *path))
            yield path, found
            if stat.S_ISDIR(found.st_mode):
                inside = [(*path, name) for name in self.names((*start, *path))]
                todo.extend(one for one in reversed(inside) if not leave_out(one))


def open_tree(path: str | bytes) -> Tree:
    """The tree at ``path``; the caller closes its descriptor."""
    return Tree(os.open(path, FOLDER_FLAGS & ~os.O_NOFOLLOW))
