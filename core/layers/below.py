"""What the layers below show: overlayfs' lookup, done by hand on their directories.

Kernel, filesystems/overlayfs, "Upper and Lower", "whiteouts and opaque directories".
"""

from __future__ import annotations

import errno
import os
import stat
from collections import OrderedDict
from typing import TYPE_CHECKING

from core.layers.attributes import OPAQUE
from core.layers.folders import names_in, open_beneath
from core.layers.target import is_whiteout

if TYPE_CHECKING:
    from collections.abc import Sequence

Path = tuple[bytes, ...]
"""Components from the root; no component is a link."""

_MOST_OPEN = 64


class Found:
    """What is visible at a path.

    Attributes:
        layer: The one it comes from; for a folder the highest.
        layers: For a folder all that are merged in it, highest first; else empty.
    """

    __slots__ = ("layer", "layers", "stat")

    def __init__(self, found: os.stat_result, layers: tuple[int, ...], layer: int) -> None:
        self.stat = found
        self.layers = layers
        self.layer = layer

    @property
    def is_folder(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.stat.st_mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.stat.st_mode)


class Below:
    """The merged view of layers given by their open root directories, highest first."""

    def __init__(self, roots: Sequence[int]) -> None:
        self._roots = roots
        self._seen: dict[Path, Found | None] = {}
        self._open: OrderedDict[tuple[int, Path], int] = OrderedDict()
        self._links: dict[int, dict[int, list[Path]]] = {}

    def close(self) -> None:
        """Close what lookups have opened; the roots belong to the caller."""
        for fd in self._open.values():
            os.close(fd)
        self._open.clear()

    def look(self, path: Path) -> Found | None:
        """What is visible at ``path``, which is not the root; None for nothing."""
        layers = tuple(range(len(self._roots)))
        found = None
        for depth in range(1, len(path) + 1):
            prefix = path[:depth]
            if prefix not in self._seen:
                self._seen[prefix] = self.look_in(layers, prefix)
            found = self._seen[prefix]
            if found is None:
                return None
            layers = found.layers
        return found

    def names(self) -> set[bytes]:
        """Everything that some layer has in its root."""
        return {name for root in self._roots for name in names_in(root)}

    def folder_fd(self, layer: int, path: Path) -> int:
        """A descriptor of a directory of ``layer``; valid until many others were asked for."""
        key = (layer, path)
        if key in self._open:
            self._open.move_to_end(key)
            return self._open[key]
        fd = open_beneath(self._roots[layer], path)
        self._open[key] = fd
        if len(self._open) > _MOST_OPEN:
            os.close(self._open.popitem(last=False)[1])
        return fd

    def siblings(self, found: Found) -> list[Path]:
        """The paths in its layer that are hard links of the same file."""
        if found.layer not in self._links:
            self._links[found.layer] = _hard_links(self._roots[found.layer])
        return self._links[found.layer].get(found.stat.st_ino, [])

    def look_in(self, layers: tuple[int, ...], path: Path) -> Found | None:
        """What is visible at ``path`` where ``layers`` are merged in its folder; not remembered."""
        merged: list[int] = []
        top = None
        for layer in layers:
            parent = self.folder_fd(layer, path[:-1])
            try:
                found = os.lstat(path[-1], dir_fd=parent)
            except FileNotFoundError:
                continue
            if not stat.S_ISDIR(found.st_mode):
                if top is None and not is_whiteout(found):
                    return Found(found, (), layer)
                break
            top = top or found
            merged.append(layer)
            if marked_opaque(self.folder_fd(layer, path)):
                break
        return Found(top, tuple(merged), merged[0]) if top else None


def marked_opaque(fd: int) -> bool:
    """Whether the open directory hides what lower layers have in it."""
    try:
        return os.getxattr(fd, OPAQUE) == b"y"
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.ENOTSUP):
            return False
        raise


def _hard_links(root: int) -> dict[int, list[Path]]:
    """Every file with more than one name, by inode."""
    groups: dict[int, list[Path]] = {}
    todo: list[Path] = [()]
    while todo:
        path = todo.pop()
        fd = open_beneath(root, path)
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    here = (*path, os.fsencode(entry.name))
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(here)
                    elif (found := entry.stat(follow_symlinks=False)).st_nlink > 1:
                        groups.setdefault(found.st_ino, []).append(here)
        finally:
            os.close(fd)
    return groups
