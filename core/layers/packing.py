"""Write a tree, or what a stack of layers shows, as the archive of a layer or of a rootfs.

OCI image spec v1.1, layer.md, "Representing Changes". The same trees give the same bytes: sorted,
numbers only for owners, no times of access. Blocking, for the worker process.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from core.layers import tar
from core.layers.attributes import read_xattrs
from core.layers.encode import END, encode, padding
from core.layers.filedata import data_regions
from core.layers.marks import check_whole, is_mount_point
from core.layers.merged import walk
from core.layers.names import OPAQUE_MARK, WHITEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.layers.attributes import Warnings
    from core.layers.merged import Node

_READ = 1 << 20
_BIG_HOLES = 16 << 20
"""Holes of fewer bytes are written as zeros: the specification advises against sparse entries,
which every reader that matters here does understand."""
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_KINDS = {
    stat.S_IFREG: tar.FILE, stat.S_IFDIR: tar.FOLDER, stat.S_IFLNK: tar.SYMLINK,
    stat.S_IFCHR: tar.CHARACTER, stat.S_IFBLK: tar.DEVICE, stat.S_IFIFO: tar.FIFO,
}  # fmt: skip


class Packing:
    """One archive; :attr:`entries` and :attr:`size` tell how much it holds."""

    def __init__(
        self, write: Callable[[bytes], None], warnings: Warnings, *, flat: bool, owners: bool
    ) -> None:
        """``write`` takes the archive's bytes.

        ``flat``: a whole file system, so that what hides something below the lowest layer is
        left out. ``owners``: ids mean something; else all belongs to root.
        """
        self._write = write
        self._warnings = warnings
        self._flat = flat
        self._owners = owners
        self._links: dict[tuple[int, int, int], bytes] = {}
        self.entries = 0
        """Members, whiteouts included."""
        self.size = 0
        """Bytes of all files, holes included."""

    def run(self, roots: Sequence[int]) -> None:
        """Pack what the open root directories, highest first, show together.

        Raises:
            Unsupported: something borrows its content from a lower layer.
            OSError: the kernel refused; ``filename`` is the path.
        """
        for node in walk(roots):
            try:
                self._pack(node)
            except OSError as error:
                error.filename = error.filename or b"/".join(node.path)
                raise
        self._write(END)

    def _pack(self, node: Node) -> None:
        name = b"/".join(node.path)
        if node.opaque:
            if not self._flat:
                self._mark(name + b"/" + OPAQUE_MARK)
            return
        if node.whiteout:
            if not self._flat:
                folder, slash, base = name.rpartition(b"/")
                self._mark(folder + slash + WHITEOUT + base)
            return
        if any(part.startswith(WHITEOUT) for part in node.path):
            if node.path[-1].startswith(WHITEOUT):
                self._warnings.add("name reserved for whiteouts left out", name)
            return
        if not self._flat and is_mount_point(node.path, node.stat):
            return
        kind = _KINDS.get(stat.S_IFMT(node.stat.st_mode))
        if kind is None:
            self._warnings.add("socket left out", name)
            return
        self.entries += 1
        entry = self._entry(node.stat, kind, name)
        if kind == tar.FILE:
            self._pack_file(node, entry)
        elif kind == tar.FOLDER:
            self._pack_folder(node, entry)
        else:
            if kind == tar.SYMLINK:
                entry.link = os.readlink(node.path[-1], dir_fd=node.folder)
            self._link_or(node, entry)
            self._write(encode(entry))

    def _mark(self, name: bytes) -> None:
        self.entries += 1
        entry = tar.Entry()
        entry.name, entry.kind, entry.mode, entry.mtime = name, tar.FILE, 0, 0
        entry.uid = entry.gid = entry.size = 0
        entry.regions = entry.xattrs = None
        entry.link = b""
        self._write(encode(entry))

    def _entry(self, found: os.stat_result, kind: str, name: bytes) -> tar.Entry:
        entry = tar.Entry()
        entry.name, entry.kind, entry.link = name, kind, b""
        entry.mode = stat.S_IMODE(found.st_mode)
        entry.uid = found.st_uid if self._owners else 0
        entry.gid = found.st_gid if self._owners else 0
        entry.mtime = found.st_mtime_ns
        entry.size = found.st_size
        entry.major, entry.minor = os.major(found.st_rdev), os.minor(found.st_rdev)
        entry.regions = entry.xattrs = None
        return entry

    def _link_or(self, node: Node, entry: tar.Entry) -> bool:
        """Make the entry a hard link if the file was packed under another name."""
        found = node.stat
        if found.st_nlink < 2:
            return False
        key = (node.layer, found.st_dev, found.st_ino)
        first = self._links.setdefault(key, entry.name)
        if first == entry.name:
            return False
        entry.kind, entry.link, entry.size = tar.LINK, first, 0
        return True

    def _pack_folder(self, node: Node, entry: tar.Entry) -> None:
        entry.name = entry.name + b"/" if node.path else b"./"
        name = node.path[-1] if node.path else b"."
        fd = os.open(name, _FILE | os.O_DIRECTORY, dir_fd=node.folder)
        try:
            entry.xattrs = read_xattrs(fd) or None
        finally:
            os.close(fd)
        self._write(encode(entry))

    def _pack_file(self, node: Node, entry: tar.Entry) -> None:
        if self._link_or(node, entry):
            self._write(encode(entry))
            return
        fd = os.open(node.path[-1], _FILE, dir_fd=node.folder)
        try:
            if names := os.listxattr(fd):
                check_whole(fd, names, entry.name)
                entry.xattrs = read_xattrs(fd) or None
            entry.size = os.fstat(fd).st_size
            self.size += entry.size
            regions = [(0, entry.size)]
            if entry.size - node.stat.st_blocks * 512 >= _BIG_HOLES:
                regions = data_regions(fd, entry.size)
                entry.regions = regions
            self._write(encode(entry))
            for start, length in regions:
                self._copy(fd, start, length, entry.name)
            self._write(padding(sum(length for _, length in regions)))
        finally:
            os.close(fd)

    def _copy(self, fd: int, start: int, length: int, name: bytes) -> None:
        end = start + length
        while start < end:
            chunk = os.pread(fd, min(_READ, end - start), start)
            if not chunk:
                self._warnings.add("shortened while it was read, now filled with zeros", name)
                chunk = bytes(min(_READ, end - start))
            self._write(chunk)
            start += len(chunk)
