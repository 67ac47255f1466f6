"""List a tree, or one layer as it changed what lies below it; for the process that looks."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from core.errors import NotFound
from core.layers.escapes import escape
from core.layers.target import is_whiteout
from core.layers.view import Member, View, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.layers.below import Found, Path

FIRST, MOST = 100, 1000
"""Entries of the first piece, and of every other."""

Row = dict[str, Any]
"""A :class:`core.verbs.contents.FileEntry` as JSON, without what is as by default."""


class Listing:
    """Gives rows of members.

    Args:
        view: What is listed.
        numbers: For each of its roots the number of the layer.
    """

    def __init__(self, view: View, numbers: Sequence[int]) -> None:
        self._view = view
        self._numbers = numbers

    def rows(self, top: Member, *, recursive: bool) -> Iterator[Row]:
        """The rows of what is in ``top``, or of itself if it is no folder."""
        view = self._view
        if not top.layers:
            yield self.row(top)
        else:
            for member in view.walk(top) if recursive else view.read(top):
                yield self.row(member)

    def row(self, member: Member) -> Row:
        """What is known of one member."""
        view = self._view
        found = view.stat(member)
        mode = found.st_mode
        row: Row = {
            "path": "/" + escape(b"/".join(member.path)),
            "type": kind_of(mode),
            "mode": stat.S_IMODE(mode),
            "uid": found.st_uid,
            "gid": found.st_gid,
            "mtime": found.st_mtime_ns / 1e9,
            "layer": self._numbers[member.layer],
        }
        if stat.S_ISREG(mode):
            row["size"] = found.st_size
        elif stat.S_ISLNK(mode):
            fd = view.folder_fd(member.layer, member.path[:-1])
            row["link"] = escape(os.readlink(member.path[-1], dir_fd=fd))
        elif stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            row["device"] = f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
        if names := view.xattr_names(member):
            row["xattrs"] = [escape(os.fsencode(name)) for name in names]
        return row


class LayerListing(Listing):
    """Also says what the layer did to the merged tree of those below it."""

    def __init__(self, view: View, number: int, below: View) -> None:
        super().__init__(view, [number])
        self._below = below
        self._number = number
        self._lowers: list[tuple[Path, tuple[int, ...]]] = []

    def row(self, member: Member) -> Row:
        """What is known of one member, and what the layer did to it."""
        row = super().row(member)
        seen = self._view.stat(member)
        lower = self._lower(member.path)
        if is_whiteout(seen):
            return self._removed(row["path"], lower)
        if member.layers and self._view.is_opaque(0, member.path):
            row["opaque"] = True
        if lower is None:
            row["change"] = "added"
        elif not (member.layers and lower.is_folder and self._same(member, seen, lower)):
            row["change"] = "changed"
        return row

    def _removed(self, path: str, lower: Found | None) -> Row:
        row: Row = {"path": path, "change": "removed", "layer": self._number}
        if lower:
            row["type"] = kind_of(lower.stat.st_mode)
            if stat.S_ISREG(lower.stat.st_mode):
                row["size"] = lower.stat.st_size
        return row

    def _lower(self, path: Path) -> Found | None:
        """What the layers below show at ``path``; its folders are kept while they are walked."""
        known = self._lowers
        while known and path[: len(known[-1][0])] != known[-1][0]:
            known.pop()
        layers = known[-1][1] if known else self._below.root().layers
        for depth in range(len(known[-1][0]) + 1 if known else 1, len(path)):
            found = self._below.look_in(layers, path[:depth]) if layers else None
            layers = found.layers if found else ()
            known.append((path[:depth], layers))
        if not path:
            return None
        return self._below.look_in(layers, path) if layers else None

    def _same(self, member: Member, seen: os.stat_result, lower: Found) -> bool:
        old = lower.stat
        if (seen.st_mode, seen.st_uid, seen.st_gid) != (old.st_mode, old.st_uid, old.st_gid):
            return False
        below = Member(member.path, lower.layer, folder=True)
        return self._view.xattrs(member) == self._below.xattrs(below)


def open_listing(
    roots: Sequence[int], numbers: Sequence[int], *, alone: bool
) -> tuple[View, Listing]:
    """The view of layers, highest first, and its listing; ``alone``: of the highest only."""
    if not roots:
        raise NotFound("image", "it has no layers, so no files")
    if not alone:
        view = View(roots)
        return view, Listing(view, numbers)
    view = View(roots[:1], whiteouts=True)
    return view, LayerListing(view, numbers[0], View(roots[1:]))


def pieces(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """The rows in pieces, so that the first ones are there at once."""
    most, piece = FIRST, []
    for row in rows:
        piece.append(row)
        if len(piece) >= most:
            yield piece
            piece, most = [], MOST
    if piece:
        yield piece
