"""Copy the tree of a layer, or an overlay's upper directory, so that it is one on its own.

Kernel, filesystems/overlayfs. What the overlay noted for itself (origins, impurity) is not copied;
whiteouts and opaque marks are, in the one form that unpacking uses (:mod:`core.layers.target`).
Blocking, for the worker process; the source may change meanwhile, the copy is whole in itself.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from core.layers.attributes import OPAQUE, ORIGIN, read_xattrs
from core.layers.filedata import copy_data
from core.layers.folders import names_in, open_beneath, open_folder
from core.layers.marks import check_whole, is_mount_point, is_whiteout_in, marks_of
from core.layers.names import WHITEOUT

if TYPE_CHECKING:
    from core.layers.attributes import Stamper
    from core.layers.marks import Marks

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

_Path = tuple[bytes, ...]


class Copying:
    """One copy; :attr:`entries` and :attr:`size` tell how much it was."""

    def __init__(self, source: int, target: int, stamper: Stamper, *, as_layer: bool) -> None:
        """``source`` and ``target`` are open directories, the target empty.

        ``as_layer``: leave out names that no layer can hold, and what only a sandbox put there.
        """
        self._source = source
        self._target = target
        self._stamper = stamper
        self._as_layer = as_layer
        self._links: dict[tuple[int, int], _Path] = {}
        self.entries = 0
        """Files of every kind and whiteouts, the root not counted."""
        self.size = 0
        """Bytes of all files, holes included."""

    def run(self) -> None:
        """Copy everything.

        Raises:
            Unsupported: something borrows its content from a lower layer.
            OSError: the kernel refused; ``filename`` is the path.
        """
        todo: list[_Path] = [()]
        done: list[_Path] = []
        while todo:
            path = todo.pop()
            done.append(path)
            try:
                todo.extend(self._copy_folder(path))
            except OSError as error:
                error.filename = error.filename or b"/".join(path)
                raise
        for path in reversed(done):
            self._finish_folder(path)

    def _copy_folder(self, path: _Path) -> list[_Path]:
        """What is in a directory; the directories in it are made and given back."""
        folders: list[_Path] = []
        source, target = open_beneath(self._source, path), open_beneath(self._target, path)
        try:
            marks = marks_of(source)
            hiding = False
            for name in names_in(source):
                found = os.lstat(name, dir_fd=source)
                if stat.S_ISDIR(found.st_mode):
                    if self._is_reserved(name, path):
                        continue
                    os.mkdir(name, 0o700, dir_fd=target)
                    folders.append((*path, name))
                    self.entries += 1
                elif is_whiteout_in(marks, source, name, found):
                    os.mknod(name, stat.S_IFCHR, 0, dir_fd=target)
                    self.entries += 1
                    hiding = True
                elif self._as_layer and is_mount_point((*path, name), found):
                    continue
                elif not self._is_reserved(name, path):
                    self._copy_one((*path, name), found, source, target)
            if hiding:
                os.setxattr(target, ORIGIN, b"")
            self._copy_marks(source, target, marks, path)
        finally:
            os.close(source)
            os.close(target)
        return folders

    def _is_reserved(self, name: bytes, path: _Path) -> bool:
        if not self._as_layer or not name.startswith(WHITEOUT):
            return False
        where = b"/".join((*path, name))
        self._stamper.warnings.add("name reserved for whiteouts left out", where)
        return True

    def _copy_marks(self, source: int, target: int, marks: Marks, path: _Path) -> None:
        check_whole(source, os.listxattr(source), b"/".join(path))
        if marks.opaque and path:
            os.setxattr(target, OPAQUE, b"y")

    def _finish_folder(self, path: _Path) -> None:
        source, target = open_beneath(self._source, path), open_beneath(self._target, path)
        try:
            found = os.fstat(source)
            self._stamp(target, found, source, b"/".join(path))
        finally:
            os.close(source)
            os.close(target)

    def _copy_one(self, path: _Path, found: os.stat_result, source: int, target: int) -> None:
        name = path[-1]
        if stat.S_ISSOCK(found.st_mode):
            self._stamper.warnings.add("socket left out", b"/".join(path))
            return
        self.entries += 1
        if found.st_nlink > 1 and self._link(path, found, target):
            return
        if stat.S_ISREG(found.st_mode):
            self._copy_file(path, source, target)
            return
        if stat.S_ISLNK(found.st_mode):
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        elif not self._copy_node(path, found, target):
            return
        if self._stamper.needs_owner(found.st_uid, found.st_gid):
            self._stamper.set_owner(found.st_uid, found.st_gid, name, target, at=True)
        times = (found.st_atime_ns, found.st_mtime_ns)
        os.utime(name, ns=times, dir_fd=target, follow_symlinks=False)

    def _link(self, path: _Path, found: os.stat_result, target: int) -> bool:
        """Link to the copy of another name of the same file, if there is one."""
        first = self._links.setdefault((found.st_dev, found.st_ino), path)
        if first == path:
            return False
        folder = open_beneath(self._target, first[:-1])
        try:
            os.link(
                first[-1], path[-1], src_dir_fd=folder, dst_dir_fd=target, follow_symlinks=False
            )
        except FileNotFoundError:  # the first was left out
            return False
        finally:
            os.close(folder)
        return True

    def _copy_node(self, path: _Path, found: os.stat_result, target: int) -> bool:
        try:
            os.mknod(path[-1], found.st_mode, found.st_rdev, dir_fd=target)
        except PermissionError:
            self._stamper.warnings.add("device left out, not permitted here", b"/".join(path))
            self.entries -= 1
            return False
        return True

    def _copy_file(self, path: _Path, source: int, target: int) -> None:
        old = os.open(path[-1], _OLD_FILE, dir_fd=source)
        new = os.open(path[-1], _NEW_FILE, 0o600, dir_fd=target)
        try:
            found = os.fstat(old)
            copy_data(old, new, found.st_size)
            self.size += found.st_size
            self._stamp(new, found, old, b"/".join(path))
        finally:
            os.close(old)
            os.close(new)

    def _stamp(self, new: int, found: os.stat_result, old: int, path: bytes) -> None:
        stamper = self._stamper
        names = os.listxattr(old)
        if names:
            check_whole(old, names, path)
        if stamper.needs_owner(found.st_uid, found.st_gid):
            stamper.set_owner(found.st_uid, found.st_gid, path, new)
        if names:
            stamper.set_xattrs(new, read_xattrs(old), path)
        os.fchmod(new, stat.S_IMODE(found.st_mode))
        os.utime(new, ns=(found.st_atime_ns, found.st_mtime_ns))


def copy_tree_at(source: bytes, target: int, stamper: Stamper, *, as_layer: bool) -> Copying:
    """Copy the directory ``source`` into the empty open directory ``target``."""
    fd = open_folder(source)
    try:
        copying = Copying(fd, target, stamper, as_layer=as_layer)
        copying.run()
        return copying
    finally:
        os.close(fd)
