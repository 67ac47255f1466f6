"""Layers as the tree that they make together, read folder by folder, without a mount.

Kernel, filesystems/overlayfs, "Upper and Lower", "whiteouts and opaque directories". Nothing is
read before it is asked for, so that the beginning of a large tree costs what it shows.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from core.errors import NotFound
from core.layers.below import Below, marked_opaque
from core.layers.escapes import escape
from core.layers.resolving import resolve
from core.layers.target import is_whiteout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.layers.below import Path


class Member:
    """Something at a path.

    Attributes:
        path: Components from the root.
        layer: The layer it comes from, of a folder the highest.
        layers: Of a folder all that are merged in it, highest first; else empty.
        closed: A folder that lower layers cannot add to any more.
    """

    __slots__ = ("closed", "layer", "layers", "path")

    def __init__(self, path: Path, layer: int, *, folder: bool) -> None:
        self.path = path
        self.layer = layer
        self.layers: tuple[int, ...] = (layer,) if folder else ()
        self.closed = not folder


class View(Below):
    """The merged tree of layers given by their open root directories, highest first.

    Args:
        roots: The layers.
        whiteouts: Whether they are members too, as in the listing of a single layer.
        locked: Whether a folder that may not be read counts as empty, as on this host's own root.
    """

    def __init__(
        self, roots: Sequence[int], *, whiteouts: bool = False, locked: bool = False
    ) -> None:
        super().__init__(roots)
        self._whiteouts = whiteouts
        self._locked = locked

    def root(self) -> Member:
        """The root folder."""
        found = Member((), 0, folder=True)
        found.layers = tuple(range(len(self._roots)))
        return found

    def read(self, folder: Member) -> list[Member]:
        """What is in a folder, by name."""
        found: dict[bytes, Member | None] = {}
        last = folder.layers[-1] if folder.layers else 0
        for layer in folder.layers:
            for name, is_folder, hides in self._scan(layer, folder.path):
                path = (*folder.path, name)
                if name not in found:
                    found[name] = None if hides else Member(path, layer, folder=is_folder)
                elif (member := found[name]) and not member.closed:
                    if is_folder:
                        member.layers = (*member.layers, layer)
                    else:
                        member.closed = True
                member = found[name]
                if member and is_folder and not member.closed and layer != last:
                    member.closed = self.is_opaque(layer, path)
        return [member for _, member in sorted(found.items()) if member]

    def _scan(self, layer: int, path: Path) -> list[tuple[bytes, bool, bool]]:
        """Name, whether it is a folder, whether it is a whiteout that nobody shall see."""
        try:
            fd = self.folder_fd(layer, path)
            with os.scandir(fd) as entries:
                return [
                    (
                        os.fsencode(entry.name),
                        is_folder := entry.is_dir(follow_symlinks=False),
                        not (
                            self._whiteouts
                            or is_folder
                            or entry.is_file(follow_symlinks=False)
                            or entry.is_symlink()
                        )
                        and is_whiteout(entry.stat(follow_symlinks=False)),
                    )
                    for entry in entries
                ]
        except PermissionError:
            if self._locked:
                return []
            raise

    def is_opaque(self, layer: int, path: Path) -> bool:
        """Whether the layer's folder hides what lower ones have in it."""
        return marked_opaque(self.folder_fd(layer, path))

    def walk(self, top: Member) -> Iterator[Member]:
        """All below ``top``, a folder before what is in it, by name."""
        todo = [iter(self.read(top))]
        while todo:
            for member in todo[-1]:
                yield member
                if member.layers:
                    todo.append(iter(self.read(member)))
                    break
            else:
                todo.pop()

    def stat(self, member: Member) -> os.stat_result:
        """Its status."""
        if not member.path:
            return os.fstat(self._roots[member.layer])
        return os.lstat(member.path[-1], dir_fd=self.folder_fd(member.layer, member.path[:-1]))

    def open(self, member: Member) -> int:
        """A new descriptor for reading a regular file."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(
            member.path[-1], flags, dir_fd=self.folder_fd(member.layer, member.path[:-1])
        )

    def xattrs(self, member: Member) -> dict[bytes, bytes]:
        """Its extended attributes, without those that overlayfs keeps its books with."""
        place = self._place(member)
        return {
            os.fsencode(name): os.getxattr(place, name, follow_symlinks=False)
            for name in self._listed(place)
        }

    def xattr_names(self, member: Member) -> list[str]:
        """Their names."""
        return self._listed(self._place(member))

    def _place(self, member: Member) -> str:
        if not member.path:
            return f"/proc/self/fd/{self._roots[member.layer]}/."
        # listxattr has no dir_fd; the descriptor's own path in /proc does it
        fd = self.folder_fd(member.layer, member.path[:-1])
        return f"/proc/self/fd/{fd}/{os.fsdecode(member.path[-1])}"

    def _listed(self, place: str) -> list[str]:
        try:
            names = os.listxattr(place, follow_symlinks=False)
        except PermissionError:
            return []
        return [n for n in names if not n.startswith(("user.overlay.", "trusted.overlay."))]

    def find(self, names: Sequence[bytes], *, follow: bool = False) -> Member:
        """The member at a path, given in its possible spellings; links on the way are followed.

        Args:
            names: Paths to try, one after the other.
            follow: Whether a link at the very end is followed too.

        Raises:
            NotFound: there is nothing.
            Hostile: the path goes round in circles.
        """
        for name in names:
            parts = tuple(part for part in name.split(b"/") if part not in (b"", b"."))
            if any(len(part) > 255 for part in parts) or b"\0" in name:
                continue
            whole = follow or name.endswith(b"/")
            head = parts if whole else parts[:-1]
            path = resolve(head, self._link) + (() if whole else parts[-1:])
            if path[-1:] == (b"..",):
                path = resolve(path, self._link)
            if not path:
                return self.root()
            if found := self.look(path):
                member = Member(path, found.layer, folder=found.is_folder)
                member.layers = found.layers
                return member
            if self._whiteouts and (mark := self._whiteout(path)):
                return mark
        raise NotFound(escape(names[0]), "no such file there", hint="look with: distrodeck files")

    def _whiteout(self, path: Path) -> Member | None:
        """In a single layer: the mark that says that something was removed."""
        parent = self.look(path[:-1]) if path[1:] else None
        if path[1:] and not (parent and parent.is_folder):
            return None
        try:
            os.lstat(path[-1], dir_fd=self.folder_fd(0, path[:-1]))
        except FileNotFoundError:
            return None
        return Member(path, 0, folder=False)

    def _link(self, path: Path) -> bytes | None:
        found = self.look(path)
        if not found or not found.is_link:
            return None
        return os.readlink(path[-1], dir_fd=self.folder_fd(found.layer, path[:-1]))


def kind_of(mode: int) -> str:
    """What a person calls a type of file."""
    return _KINDS.get(stat.S_IFMT(mode), "file")


_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "character",
    stat.S_IFBLK: "block",
    stat.S_IFSOCK: "socket",
}
