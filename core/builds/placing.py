"""Put files into a stage's file system; the process has it as its root.

Dockerfile reference, "COPY" and "ADD": what a folder's contents, a trailing slash and an archive
mean. That the root is the stage's keeps every link in it inside.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from core.builds.selection import entries
from core.errors import InvalidInput
from core.layers.attributes import Stamper, read_xattrs
from core.layers.names import show

if TYPE_CHECKING:
    from core.builds.confined import Parts, Tree
    from core.builds.ignore import Ignore
    from core.builds.selection import Source

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PIECE = 1 << 30


class Placer:
    """Places sources at one target."""

    def __init__(
        self, target: bytes, stamper: Stamper, *, owner: tuple[int, int] | None, mode: int
    ) -> None:
        """``owner`` None: root, or as in the source; ``mode`` -1: as in the source."""
        self._named = target
        self.target = os.path.realpath(target)
        self.stamper = stamper
        self.owner = owner
        self.mode = mode
        self.keep_owners = False
        self._links: dict[tuple[int, int], bytes] = {}
        self._folders: list[tuple[bytes, int]] = []

    def is_folder(self, sources: int) -> bool:
        """Whether sources go into the target, and not in its place."""
        named = self._named.endswith((b"/", b"/."))
        return named or sources > 1 or os.path.isdir(self.target)

    def place_one(self, tree: Tree, source: Source, ignore: Ignore, *, into: bool) -> None:
        """One file, or the contents of one folder."""
        self._links.clear()
        if not source.folder:
            # A link that is in the way gives way; folders above it are followed.
            named = os.path.join(self._named, source.base) if into else self._named
            folder, base = os.path.split(os.path.normpath(named))
            folder = os.path.realpath(folder)
            self.make_folders(folder)
            found = tree.lstat(source.path)
            self._put(tree, source.path, found, os.path.join(folder, base))
            return
        self.make_folders(self.target)
        for path, found in entries(tree, source, ignore):
            if path:
                where = (*source.path, *path)
                self._put(tree, where, found, os.path.join(self.target, *path))

    def finish(self) -> None:
        """Give the folders their times, now that all is in them."""
        for path, time in reversed(self._folders):
            os.utime(path, ns=(time, time), follow_symlinks=False)

    def make_folders(self, path: bytes) -> None:
        """Make a folder and those above it. Raises: InvalidInput, where a file is in the way."""
        missing = []
        while not os.path.isdir(path):
            if os.path.lexists(path):
                raise InvalidInput(show(path), "is a file", hint="name another target")
            missing.append(path)
            path = os.path.dirname(path)
        for one in reversed(missing):
            os.mkdir(one, 0o755)
            self._chown(one, self.owner or (0, 0))

    def owner_of(self, uid: int, gid: int) -> tuple[int, int]:
        """Whose something becomes that was ``uid``'s and ``gid``'s."""
        if self.owner is not None:
            return self.owner
        return (uid, gid) if self.keep_owners else (0, 0)

    def mode_of(self, mode: int) -> int:
        """The mode of something that had ``mode``."""
        return stat.S_IMODE(mode) if self.mode < 0 else self.mode

    def _put(self, tree: Tree, where: Parts, found: os.stat_result, target: bytes) -> None:
        kind = stat.S_IFMT(found.st_mode)
        owner = self.owner_of(found.st_uid, found.st_gid)
        if kind == stat.S_IFDIR:
            self.put_folder(target, owner, self.mode_of(found.st_mode), found.st_mtime_ns)
        elif kind == stat.S_IFREG:
            self._put_file(tree, where, found, target)
        elif kind == stat.S_IFLNK:
            self.clear(target)
            os.symlink(tree.readlink(where), target)
            self._chown(target, owner)
            self._set_time(target, found.st_mtime_ns)
        elif kind == stat.S_IFIFO:
            self.clear(target)
            os.mkfifo(target)
            self._chown(target, owner)
            os.chmod(target, self.mode_of(found.st_mode))
            self._set_time(target, found.st_mtime_ns)
        else:
            what = "socket" if kind == stat.S_IFSOCK else "device"
            self.stamper.warnings.add(f"{what} not copied", b"/".join(where))

    def put_folder(self, target: bytes, owner: tuple[int, int], mode: int, time: int) -> None:
        """A folder in place of anything else, or the one there is; :meth:`finish` sets its time."""
        try:
            os.mkdir(target, 0o755)
        except FileExistsError:
            if not stat.S_ISDIR(os.lstat(target).st_mode):
                self.clear(target)
                os.mkdir(target, 0o755)
        self._chown(target, owner)
        os.chmod(target, mode)
        self._folders.append((target, time))

    def _put_file(self, tree: Tree, where: Parts, found: os.stat_result, target: bytes) -> None:
        self.clear(target)
        key = (found.st_dev, found.st_ino)
        if found.st_nlink > 1 and key in self._links:
            os.link(self._links[key], target, follow_symlinks=False)
            return
        try:
            source = tree.open_file(where)
        except PermissionError:
            hint = "chmod it, or list it in .dockerignore"
            raise InvalidInput(show(b"/".join(where)), "cannot be read", hint=hint) from None
        try:
            fd = os.open(target, _NEW_FILE, 0o600)
            try:
                while os.sendfile(fd, source, None, _PIECE):
                    pass
                owner = self.owner_of(found.st_uid, found.st_gid)
                if self.stamper.needs_owner(*owner):
                    self.stamper.set_owner(*owner, target, fd)
                self.stamper.set_xattrs(fd, read_xattrs(source), target)
                os.fchmod(fd, self.mode_of(found.st_mode))
                os.utime(fd, ns=(found.st_mtime_ns, found.st_mtime_ns))
            finally:
                os.close(fd)
        finally:
            os.close(source)
        if found.st_nlink > 1:
            self._links[key] = target

    def clear(self, target: bytes) -> None:
        """Make room for something that is no folder. Raises: InvalidInput, for a folder."""
        try:
            os.unlink(target)
        except FileNotFoundError:
            return
        except (IsADirectoryError, PermissionError):
            if not os.path.isdir(target):
                raise
            raise InvalidInput(
                show(target), "is a folder", hint="a file cannot take its place"
            ) from None

    def _chown(self, path: bytes, owner: tuple[int, int]) -> None:
        if self.stamper.needs_owner(*owner):
            fd = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                self.stamper.set_owner(*owner, os.path.basename(path), fd, at=True)
            finally:
                os.close(fd)

    def _set_time(self, path: bytes, time: int) -> None:
        os.utime(path, ns=(time, time), follow_symlinks=False)

    def chown_at(self, path: bytes, owner: tuple[int, int]) -> None:
        """Owner of something that was just made."""
        self._chown(path, owner)
