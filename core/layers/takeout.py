"""Copy files out of a tree: to a folder of this host, or as a tar archive.

The copy on this host belongs to whoever makes it and can do no harm by being there: no devices, no
set-user-ID, nothing followed and nothing overwritten unless asked for. The folder it goes to is the
person's own choice; from there on every step goes through a directory descriptor.
"""

from __future__ import annotations

import os
import stat
import tarfile
from typing import IO, TYPE_CHECKING, Any

from core.errors import Conflict
from core.layers.attributes import Warnings
from core.layers.escapes import escape
from core.layers.filedata import copy_data
from core.layers.folders import open_beneath, remove_at

if TYPE_CHECKING:
    from core.layers.below import Path
    from core.layers.view import Member, View

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class TakeOut:
    """One copy to the folder ``to`` of this host."""

    def __init__(self, view: View, to: str, *, force: bool) -> None:
        self._view = view
        self._force = force
        os.makedirs(to, exist_ok=True)  # noqa: PTH103  # the process does without pathlib
        self.folder = os.open(to, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        """Stays open: the process ends with the copy."""
        self._to = to
        self._links: dict[tuple[int, int], Path] = {}
        self.warnings = Warnings()
        self.entries = 0
        self.size = 0

    def run(self, top: Member) -> dict[str, Any]:
        """Copy ``top`` with all in it, under its own name; of the root, what is in it."""
        place = (*top.path[-1:],)
        self._check_free(top, place)
        finish: list[tuple[Path, os.stat_result]] = []
        skip = len(top.path) - len(place)
        for member in (top, *([] if not top.layers else self._view.walk(top))):
            found = self._view.stat(member)
            if target := member.path[skip:]:
                self._copy(member, found, target, finish)
        for target, found in reversed(finish):
            fd = open_beneath(self.folder, target)
            try:
                os.fchmod(fd, found.st_mode & 0o777)
                os.utime(fd, ns=(found.st_mtime_ns, found.st_mtime_ns))
            finally:
                os.close(fd)
        return {
            "path": os.path.join(self._to, *(os.fsdecode(part) for part in place)),
            "entries": self.entries,
            "size": self.size,
            "warnings": self.warnings.lines(),
        }

    def _check_free(self, top: Member, place: Path) -> None:
        """Refuse before anything is copied, where that can be told."""
        if self._force:
            return
        names = [place] if place else [member.path for member in self._view.read(top)]
        for (name,) in names:
            if _kind_at(name, self.folder):
                raise _taken(self._to, (name,))

    def _copy(
        self,
        member: Member,
        found: os.stat_result,
        target: Path,
        finish: list[tuple[Path, os.stat_result]],
    ) -> None:
        fd = open_beneath(self.folder, target[:-1])
        try:
            if stat.S_ISDIR(found.st_mode):
                self._folder(target, fd)
                finish.append((target, found))
            elif stat.S_ISREG(found.st_mode):
                self._file(member, found, target, fd)
            elif stat.S_ISLNK(found.st_mode):
                self._make_room(target, fd)
                source = self._view.folder_fd(member.layer, member.path[:-1])
                os.symlink(os.readlink(member.path[-1], dir_fd=source), target[-1], dir_fd=fd)
            else:
                self.warnings.add("left out, neither file nor folder nor link", _path(member))
                return
        finally:
            os.close(fd)
        self.entries += 1

    def _folder(self, target: Path, fd: int) -> None:
        try:
            os.mkdir(target[-1], 0o700, dir_fd=fd)
        except FileExistsError:
            if not self._force:
                raise _taken(self._to, target) from None
            if _kind_at(target[-1], fd) != stat.S_IFDIR:
                os.unlink(target[-1], dir_fd=fd)
                os.mkdir(target[-1], 0o700, dir_fd=fd)

    def _file(self, member: Member, found: os.stat_result, target: Path, fd: int) -> None:
        self._make_room(target, fd)
        key = (found.st_dev, found.st_ino)
        if (first := self._links.get(key)) is not None:
            source = open_beneath(self.folder, first[:-1])
            try:
                os.link(
                    first[-1], target[-1], src_dir_fd=source, dst_dir_fd=fd, follow_symlinks=False
                )
            finally:
                os.close(source)
            return
        if found.st_mode & (stat.S_ISUID | stat.S_ISGID):
            self.warnings.add("set-user-ID or set-group-ID left out", _path(member))
        old = self._view.open(member)
        try:
            new = os.open(target[-1], _NEW, 0o600, dir_fd=fd)
            try:
                copy_data(old, new, found.st_size)
                os.fchmod(new, found.st_mode & 0o777)
                os.utime(new, ns=(found.st_mtime_ns, found.st_mtime_ns))
            finally:
                os.close(new)
        finally:
            os.close(old)
        self.size += found.st_size
        if found.st_nlink > 1:
            self._links[key] = target

    def _make_room(self, target: Path, fd: int) -> None:
        kind = _kind_at(target[-1], fd)
        if not kind:
            return
        if not self._force or kind == stat.S_IFDIR:
            raise _taken(self._to, target)
        remove_at(target[-1], fd)


def _kind_at(name: bytes, fd: int) -> int:
    """The type of what is there; 0 for nothing."""
    try:
        return stat.S_IFMT(os.lstat(name, dir_fd=fd).st_mode)
    except FileNotFoundError:
        return 0


def _path(member: Member) -> bytes:
    return b"/" + b"/".join(member.path)


def _taken(to: str, target: Path) -> Conflict:
    place = f"{to.rstrip('/')}/{escape(b'/'.join(target))}"
    return Conflict(place, "is there already", hint="add --force to replace files")


def pack(view: View, top: Member, file: IO[bytes]) -> None:
    """Write ``top`` with all in it as a pax archive, under its own name; of the root, ``./…``."""
    skip = max(len(top.path) - 1, 0)
    links: dict[tuple[int, int], str] = {}
    with tarfile.open(
        fileobj=file, mode="w|", format=tarfile.PAX_FORMAT, errors="surrogateescape"
    ) as archive:
        for member in (top, *([] if not top.layers else view.walk(top))):
            _pack_one(archive, view, member, skip, links)


def _pack_one(
    archive: tarfile.TarFile,
    view: View,
    member: Member,
    skip: int,
    links: dict[tuple[int, int], str],
) -> None:
    found = view.stat(member)
    info = tarfile.TarInfo(os.fsdecode(b"/".join(member.path[skip:]) or b"."))
    info.mode = stat.S_IMODE(found.st_mode)
    info.uid, info.gid = found.st_uid, found.st_gid
    info.mtime = found.st_mtime_ns / 1e9
    info.pax_headers = {
        f"SCHILY.xattr.{os.fsdecode(key)}": value.decode("utf-8", "surrogateescape")
        for key, value in view.xattrs(member).items()
    }
    key = (found.st_dev, found.st_ino)
    if stat.S_ISDIR(found.st_mode):
        info.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(found.st_mode):
        fd = view.folder_fd(member.layer, member.path[:-1])
        info.type = tarfile.SYMTYPE
        info.linkname = os.fsdecode(os.readlink(member.path[-1], dir_fd=fd))
    elif stat.S_ISREG(found.st_mode) and key in links:
        info.type, info.linkname = tarfile.LNKTYPE, links[key]
    elif stat.S_ISREG(found.st_mode):
        if found.st_nlink > 1:
            links[key] = info.name
        info.size = found.st_size
        with open(view.open(member), "rb") as data:
            archive.addfile(info, data)
        return
    elif stat.S_ISFIFO(found.st_mode):
        info.type = tarfile.FIFOTYPE
    elif stat.S_ISSOCK(found.st_mode):
        return
    else:
        info.type = tarfile.CHRTYPE if stat.S_ISCHR(found.st_mode) else tarfile.BLKTYPE
        info.devmajor, info.devminor = os.major(found.st_rdev), os.minor(found.st_rdev)
    archive.addfile(info)
