"""Compare two trees of layers; for the process that looks.

Where both have the same folders of the same layers in one place, nothing below can differ and
nothing is read: an image is compared with one that shares its layers, or a distro with its image,
at the price of what is not shared. Times do not count.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from core.layers.escapes import escape
from core.layers.view import Member, View, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PIECE = 1 << 20

Row = dict[str, Any]
"""A :class:`core.verbs.contents.FileChange` as JSON."""


Pair = tuple["Member | None", "Member | None"]
"""What the old and the new tree have at one path."""


class Difference:
    """Of two views whose layers have the given identities, highest first."""

    def __init__(
        self, old: View, new: View, old_ids: Sequence[object], new_ids: Sequence[object]
    ) -> None:
        self._old = old
        self._new = new
        self._ids = (old_ids, new_ids)

    def rows(self) -> Iterator[Row]:
        """Every path that differs, a folder before what is in it."""
        roots: Pair = (self._old.root(), self._new.root())
        todo: list[Iterator[Pair]] = [iter([roots])]
        while todo:
            for old, new in todo[-1]:
                if old and new:
                    yield from self._both(old, new)
                    if old.layers and new.layers and not self._shared(old, new):
                        todo.append(self._pairs(old, new))
                        break
                    if old.layers or not new.layers:
                        continue
                    todo.append((None, inner) for inner in self._new.read(new))
                    break
                if new:
                    yield self._added(new)
                    if new.layers:
                        todo.append((None, inner) for inner in self._new.read(new))
                        break
                elif old:
                    yield self._removed(old)
            else:
                todo.pop()

    def _shared(self, old: Member, new: Member) -> bool:
        ours, theirs = self._ids
        return [ours[layer] for layer in old.layers] == [theirs[layer] for layer in new.layers]

    def _pairs(self, old: Member, new: Member) -> Iterator[Pair]:
        ours = {member.path[-1]: member for member in self._old.read(old)}
        theirs = {member.path[-1]: member for member in self._new.read(new)}
        for name in sorted(ours.keys() | theirs.keys()):
            yield ours.get(name), theirs.get(name)

    def _added(self, new: Member) -> Row:
        found = self._new.stat(new)
        return _row(new, "added", found, new_size=_size(found))

    def _removed(self, old: Member) -> Row:
        found = self._old.stat(old)
        size = _size(found)
        if old.layers:
            size = sum(_size(self._old.stat(member)) for member in self._old.walk(old))
        return _row(old, "removed", found, old_size=size)

    def _both(self, old: Member, new: Member) -> Iterator[Row]:
        ours, theirs = self._old.stat(old), self._new.stat(new)
        if (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino):
            return
        if why := self._why(old, new, ours, theirs):
            yield _row(
                new, "changed", theirs, why=why, old_size=_size(ours), new_size=_size(theirs)
            )

    def _why(
        self, old: Member, new: Member, ours: os.stat_result, theirs: os.stat_result
    ) -> list[str]:
        if stat.S_IFMT(ours.st_mode) != stat.S_IFMT(theirs.st_mode):
            return ["type"]
        why = []
        if stat.S_ISREG(ours.st_mode) and ours.st_size != theirs.st_size:
            why += ["content", "size"]
        elif not self._same_content(old, new, ours, theirs):
            why.append("content")
        # the mode of a symbolic link means nothing
        if ours.st_mode != theirs.st_mode and not stat.S_ISLNK(ours.st_mode):
            why.append("mode")
        if (ours.st_uid, ours.st_gid) != (theirs.st_uid, theirs.st_gid):
            why.append("owner")
        if self._old.xattrs(old) != self._new.xattrs(new):
            why.append("xattr")
        return why

    def _same_content(
        self, old: Member, new: Member, ours: os.stat_result, theirs: os.stat_result
    ) -> bool:
        if stat.S_ISREG(ours.st_mode):
            return _same_bytes(self._old.open(old), self._new.open(new))
        if stat.S_ISLNK(ours.st_mode):
            return _target(self._old, old) == _target(self._new, new)
        return stat.S_ISDIR(ours.st_mode) or ours.st_rdev == theirs.st_rdev


def _row(member: Member, kind: str, found: os.stat_result, **more: object) -> Row:
    path = "/" + escape(b"/".join(member.path))
    return {"path": path, "kind": kind, "type": kind_of(found.st_mode), **more}


def _size(found: os.stat_result) -> int:
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _target(view: View, member: Member) -> bytes:
    fd = view.folder_fd(member.layer, member.path[:-1])
    return os.readlink(member.path[-1], dir_fd=fd)


def _same_bytes(old: int, new: int) -> bool:
    """Whether two files of one size hold the same; closes both."""
    with open(old, "rb", buffering=0) as ours, open(new, "rb", buffering=0) as theirs:
        while True:
            piece = ours.read(_PIECE)
            if piece != theirs.read(_PIECE):
                return False
            if not piece:
                return True
