"""What was removed and can come back: rows that tell how.

A removed distro keeps its row and its folder; a removed image keeps its row, hidden, with the id
of its entry here. Both go when the entry does.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.errors import Conflict, NotFound
from core.store.images import from_text, to_text
from core.verbs.storage import Trashed, TrashKind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from core.store.index import Index

IN_TRASH = 2
"""``distro.removed`` of one that can come back; 1: it is being deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """What an image had before it was removed."""

    digest: str
    references: tuple[str, ...]
    pinned: bool


def put(
    connection: sqlite3.Connection,
    what: TrashKind,
    name: str,
    subject: str,
    undo: Iterable[Undo] = (),
) -> str:
    """Make an entry and give its id; ``subject`` is the distro's id or the image's digest."""
    ident = secrets.token_hex(4)
    connection.execute(
        "INSERT INTO trash VALUES (?, ?, ?, ?, ?, ?)",
        (ident, what, name, time.time(), subject, to_text(tuple(undo))),
    )
    return ident


def load_trash(index: Index, keep: float, sizes: dict[str, int]) -> list[Trashed]:
    """All entries, newest first; each is kept for ``keep`` seconds.

    ``sizes``: bytes of an image's own layers by digest.
    """
    return [
        Trashed(
            id=row["id"],
            what=row["what"],
            name=row["name"],
            removed=row["removed"],
            until=row["removed"] + keep,
            size=row["upper_size"]
            if row["upper_size"] is not None
            else sizes.get(row["subject"], 0)
            if row["what"] == "image"
            else 0,
        )
        for row in index.rows(
            "SELECT trash.*, upper_size + (SELECT coalesce(sum(size), 0) FROM snapshot"
            " WHERE snapshot.distro = distro.id) AS upper_size"
            " FROM trash LEFT JOIN distro ON distro.id = subject"
            " ORDER BY trash.removed DESC"
        )
    ]


def find_trashed(entries: list[Trashed], name: str) -> Trashed:
    """The entry with that id, or the newest of that name; without a name the newest of all.

    Raises:
        NotFound: there is none.
    """
    hint = "distrodeck undo --list shows what can come back"
    for entry in entries:
        if entry.id == name:
            return entry
    for entry in entries:
        if not name or _is_called(entry.name, name):
            return entry
    raise NotFound(name or "trash", "nothing of that name in it" if name else "is empty", hint=hint)


def _is_called(full: str, name: str) -> bool:
    return full == name or (len(name) >= 6 and full.removeprefix("sha256:").startswith(name))


def bring_back(connection: sqlite3.Connection, entry: Trashed, rename: str) -> Trashed:
    """Undo what the entry stands for, and drop it.

    Raises:
        Conflict: the name was taken meanwhile.
    """
    row = connection.execute("SELECT subject, undo FROM trash WHERE id = ?", (entry.id,)).fetchone()
    if row is None:
        raise NotFound(entry.name, "it was undone, or deleted, meanwhile")
    if entry.what == "distro":
        entry = _restore_distro(connection, entry, row["subject"], rename or entry.name)
    else:
        for one in from_text(row["undo"], tuple[Undo, ...]):
            _restore_image(connection, entry, one)
    connection.execute("DELETE FROM trash WHERE id = ?", (entry.id,))
    return entry


def _restore_distro(
    connection: sqlite3.Connection, entry: Trashed, ident: str, name: str
) -> Trashed:
    if connection.execute(
        "SELECT 1 FROM distro WHERE name = ? AND NOT removed", (name,)
    ).fetchone():
        hint = f"give it another: distrodeck undo {entry.id} --name OTHER"
        raise Conflict(name, "the name was taken meanwhile", hint=hint)
    connection.execute("UPDATE distro SET removed = 0, name = ? WHERE id = ?", (name, ident))
    connection.execute(
        "UPDATE image SET trashed = NULL WHERE digest = (SELECT image FROM distro WHERE id = ?)",
        (ident,),
    )
    return replace(entry, name=name)


def _restore_image(connection: sqlite3.Connection, entry: Trashed, one: Undo) -> None:
    if not connection.execute("SELECT 1 FROM image WHERE digest = ?", (one.digest,)).fetchone():
        return  # a parent that was deleted meanwhile
    for name in one.references:
        there = connection.execute("SELECT image FROM reference WHERE name = ?", (name,)).fetchone()
        if there and there["image"] != one.digest:
            hint = f"free it first: distrodeck untag {name}"
            raise Conflict(name, "another image has that reference by now", hint=hint)
        connection.execute("INSERT OR IGNORE INTO reference VALUES (?, ?)", (name, one.digest))
    # A reference that comes back to an image removed later brings that back too, and to stay.
    connection.execute(
        "UPDATE image SET pinned = max(pinned, ?, trashed IS NOT NULL AND trashed != ?),"
        " trashed = NULL WHERE digest = ?",
        (one.pinned, entry.id, one.digest),
    )


def forget(connection: sqlite3.Connection, idents: Iterable[str]) -> None:
    """Drop entries: what they kept may be collected."""
    for ident in idents:
        connection.execute(
            "UPDATE distro SET removed = 1 WHERE removed = ?"
            " AND id = (SELECT subject FROM trash WHERE id = ?)",
            (IN_TRASH, ident),
        )
        connection.execute("DELETE FROM trash WHERE id = ?", (ident,))


def forget_dead(connection: sqlite3.Connection) -> None:
    """Drop the entries of images and names of images that are deleted."""
    connection.execute(
        "DELETE FROM trash WHERE what != 'distro' AND subject NOT IN (SELECT digest FROM image)"
    )
