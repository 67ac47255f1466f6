"""Finish a layer against the layers below: what its archive only makes sense on top of.

Implied directories take the attributes of the directory below, paths through a symbolic link of a
lower layer go to where the link leads, and hard links to lower files copy the file up: the tree is
then the one that umoci's unpacking in one place gives.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from core.errors import Corrupt, Hostile
from core.layers.attributes import Attributes, read_xattrs
from core.layers.filedata import copy_data
from core.layers.folders import names_in
from core.layers.names import show
from core.layers.resolving import resolve
from core.layers.target import Folder, is_whiteout

if TYPE_CHECKING:
    from core.layers.attributes import Stamper
    from core.layers.below import Below, Found, Path
    from core.layers.target import Target


class Settling:
    """One layer's settling."""

    def __init__(self, target: Target, below: Below, stamper: Stamper) -> None:
        self._target = target
        self._below = below
        self._stamper = stamper

    def settle(self) -> None:
        """Do all of it but the folders' final attributes.

        Raises:
            Corrupt: a hard link leads nowhere.
            Hostile: a path goes through a file or round in circles.
        """
        self._settle_folders()
        for folder in list(self._target.root.walk()):
            for name, path in list(folder.links.items()):
                self._settle_link(folder, name, path)
            folder.links = {}
        if self._target.root.opaque:
            self._hide_root()

    # -- folders ---------------------------------------------------------------------------------

    def _settle_folders(self) -> None:
        root = self._target.root
        todo = [root]
        while todo:
            folder = todo.pop()
            if folder.parent and folder.parent.children.get(folder.name) is not folder:
                continue  # replaced by what was moved over it
            if folder.attributes is None and folder is not root:
                moved_to = self._settle_folder(folder)
                if moved_to:
                    todo.append(moved_to)
                    continue
            todo.extend(folder.children.values())

    def _settle_folder(self, folder: Folder) -> Folder | None:
        """Give an implied folder its attributes, or move it; then where to."""
        path = tuple(folder.path())
        found = self._lower(folder, path)
        if found and found.is_link:
            resolved = self._resolve(path)
            goal = self._target.reach(list(resolved))
            self._inherit_upward(goal)
            self._merge(folder, goal)
            return goal
        folder.attributes = self._attributes(found, path)
        return None

    def _lower(self, folder: Folder, path: Path) -> Found | None:
        """What lower layers have at the ``path`` of ``folder``."""
        if folder.erased or self._is_hidden(path[:-1]):
            return None
        return self._below.look(path)

    def _attributes(self, found: Found | None, path: Path) -> Attributes | None:
        if not found or not found.is_folder:
            return None
        seen = found.stat
        xattrs = read_xattrs(self._below.folder_fd(found.layer, path))
        return Attributes(
            stat.S_IMODE(seen.st_mode), seen.st_uid, seen.st_gid, seen.st_mtime_ns, xattrs
        )

    def _inherit_upward(self, folder: Folder) -> None:
        """Settle the implied folders of a path that goes through no link."""
        path = folder.path()
        here = self._target.root
        for depth, part in enumerate(path, start=1):
            here = here.children[part]
            if here.attributes is None:
                prefix = tuple(path[:depth])
                found = self._lower(here, prefix)
                if found and not found.is_folder:
                    raise Hostile(show(b"/".join(prefix)), "the path goes through a file")
                here.attributes = self._attributes(found, prefix)

    def _merge(self, source: Folder, goal: Folder) -> None:
        """Move what is in ``source`` into ``goal`` and remove ``source``."""
        target = self._target
        todo = [(source, goal)]
        while todo:
            a, b = todo.pop()
            b.opaque |= a.opaque
            b.whiteouts |= a.whiteouts
            b.links.update(a.links)
            for name in names_in(target.fd(a)):
                child, other = a.children.get(name), b.children.get(name)
                if child and other:
                    other.attributes = child.attributes or other.attributes
                    other.erased |= child.erased
                    todo.append((child, other))
                elif self._make_room(a, b, name):
                    os.rename(name, name, src_dir_fd=target.fd(a), dst_dir_fd=target.fd(b))
                    if child:
                        del a.children[name]
                        child.parent = b
                        b.children[name] = child
        assert source.parent  # noqa: S101  # the root is never implied
        target.clear(source.parent, source.name)

    def _make_room(self, a: Folder, b: Folder, name: bytes) -> bool:
        """Whether the ``name`` of ``a`` belongs into ``b``, where nothing is in its way then."""
        target = self._target
        try:
            there = os.lstat(name, dir_fd=target.fd(b))
        except FileNotFoundError:
            return True
        if is_whiteout(os.lstat(name, dir_fd=target.fd(a))):
            with contextlib.suppress(FileExistsError):
                target.put_whiteout(b, name)
            return False
        if is_whiteout(there) and (child := a.children.get(name)):
            child.opaque = child.erased = True
        target.clear(b, name)
        return True

    def _hide_root(self) -> None:
        """What an opaque mark in the root means; overlayfs does not look for one there."""
        for name in self._below.names():
            with contextlib.suppress(FileExistsError):
                self._target.put_whiteout(self._target.root, name)

    # -- looking ---------------------------------------------------------------------------------

    def _folder_at(self, path: Path) -> Folder | None:
        folder: Folder | None = self._target.root
        for part in path:
            folder = folder.children.get(part) if folder else None
        return folder

    def _is_hidden(self, path: Path) -> bool:
        """Whether a folder on ``path`` or its end hides what lower layers have in it."""
        folder = self._target.root
        for part in path:
            if folder.opaque:
                return True
            if part not in folder.children:
                return self._is_covered(folder, part)
            folder = folder.children[part]
        return folder.opaque

    def _is_covered(self, folder: Folder, name: bytes) -> bool:
        try:
            os.lstat(name, dir_fd=self._target.fd(folder))
        except FileNotFoundError:
            return False
        return True

    def _link_at(self, path: Path) -> bytes | None:
        """Where the symbolic link at ``path`` leads, if there is one."""
        parent = self._folder_at(path[:-1])
        if parent and path[-1] not in parent.children:
            fd = self._target.fd(parent)
            try:
                found = os.lstat(path[-1], dir_fd=fd)
            except FileNotFoundError:
                pass
            else:
                return os.readlink(path[-1], dir_fd=fd) if stat.S_ISLNK(found.st_mode) else None
        elif parent:
            child = parent.children[path[-1]]
            if child.attributes or child.erased:
                return None
        if self._is_hidden(path[:-1]):
            return None
        lower = self._below.look(path)
        if not lower or not lower.is_link:
            return None
        return os.readlink(path[-1], dir_fd=self._below.folder_fd(lower.layer, path[:-1]))

    def _resolve(self, path: Path) -> Path:
        """``path`` with all links followed inside the root; what does not exist stays as it is."""
        return resolve(path, self._link_at)

    # -- hard links ------------------------------------------------------------------------------

    def _settle_link(self, folder: Folder, name: bytes, path: list[bytes]) -> None:
        what = show(b"/".join([*folder.path(), name]))
        if name in folder.children:
            raise Hostile(what, "the path goes through a file")
        origin = path[-1]
        source_path = self._resolve(tuple(path[:-1]))
        source = self._folder_at(source_path)
        if not source or not self._is_covered(source, origin):
            source = self._copy_up((*source_path, origin), what)
        elif origin in source.children or is_whiteout(
            os.lstat(origin, dir_fd=self._target.fd(source))
        ):
            raise Hostile(what, "hard link to a folder or to what the layer deletes")
        if (source, origin) == (folder, name):
            return
        if name in folder.children:
            raise Hostile(what, "hard link to what it replaces")
        self._target.clear(folder, name)
        self._link(source, origin, folder, name)

    def _link(self, source: Folder, origin: bytes, folder: Folder, name: bytes) -> None:
        target = self._target
        os.link(
            origin,
            name,
            src_dir_fd=target.fd(source),
            dst_dir_fd=target.fd(folder),
            follow_symlinks=False,
        )

    def _copy_up(self, path: Path, what: str) -> Folder:
        """Copy a lower file with its other names; the folder it is in now."""
        found = None if self._is_hidden(path[:-1]) else self._below.look(path)
        if not found:
            raise Corrupt(what, f"hard link to {show(b'/'.join(path))}, which is not there")
        if found.is_folder:
            raise Hostile(what, "hard link to a folder")
        folder = self._target.reach(list(path[:-1]))
        self._inherit_upward(folder)
        self._copy(found, path, folder)
        if found.stat.st_nlink > 1:
            for other in self._below.siblings(found):
                self._relink(found, other, folder, path)
        return folder

    def _relink(self, found: Found, other: Path, folder: Folder, path: Path) -> None:
        """Keep ``other`` the same file as ``path``, if it is still visible."""
        if other == path or self._is_hidden(other):
            return
        seen = self._below.look(other)
        if not seen or (seen.layer, seen.stat.st_ino) != (found.layer, found.stat.st_ino):
            return
        goal = self._target.reach(list(other[:-1]))
        self._inherit_upward(goal)
        self._link(folder, path[-1], goal, other[-1])

    def _copy(self, found: Found, path: Path, folder: Folder) -> None:
        name, seen = path[-1], found.stat
        source, fd = self._below.folder_fd(found.layer, path[:-1]), self._target.fd(folder)
        if stat.S_ISREG(seen.st_mode):
            self._copy_file(source, fd, name, seen)
            return
        if stat.S_ISLNK(seen.st_mode):
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=fd)
        else:
            os.mknod(name, seen.st_mode, seen.st_rdev, dir_fd=fd)
        if self._stamper.needs_owner(seen.st_uid, seen.st_gid):
            self._stamper.set_owner(seen.st_uid, seen.st_gid, name, fd, at=True)
        os.utime(name, ns=(seen.st_atime_ns, seen.st_mtime_ns), dir_fd=fd, follow_symlinks=False)

    def _copy_file(self, source: int, fd: int, name: bytes, seen: os.stat_result) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        old = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=source)
        new = os.open(name, flags, 0o600, dir_fd=fd)
        try:
            copy_data(old, new, seen.st_size)
            if self._stamper.needs_owner(seen.st_uid, seen.st_gid):
                self._stamper.set_owner(seen.st_uid, seen.st_gid, name, new)
            self._stamper.set_xattrs(new, read_xattrs(old), name)
            os.fchmod(new, stat.S_IMODE(seen.st_mode))
            os.utime(new, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        finally:
            os.close(old)
            os.close(new)
