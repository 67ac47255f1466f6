"""Give images names, take them away, and remove images: one transaction each.

As docker and podman do it: a reference of several is only untagged, an image from which others
were made only loses its names, and parents that nobody named go with their last child.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import Conflict, NotFound
from core.store.images import point
from core.store.trash import Undo, put
from core.verbs.storage import Removal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

GONE = "gone"
"""``image.trashed`` of one without an entry in the trash: it goes at the next collection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How an image shall be removed."""

    name: str
    """As the person wrote it, for errors."""
    reference: str = ""
    """The one it was named by; empty: it was named by its digest."""
    force: bool = False
    prune: bool = True
    now: bool = False


def add_reference(connection: sqlite3.Connection, digest: str, reference: str) -> None:
    """Tag an image; it is then kept for its own sake. Raises: NotFound."""
    changed = connection.execute(
        "UPDATE image SET pinned = 1 WHERE digest = ? AND trashed IS NULL", (digest,)
    )
    if not changed.rowcount:
        raise NotFound(digest, "no such image")
    point(connection, reference, digest)


def drop_reference(connection: sqlite3.Connection, reference: str, *, now: bool = False) -> Removal:
    """Untag; the image stays as it is, but for the name. Raises: NotFound."""
    found = connection.execute(
        "DELETE FROM reference WHERE name = ? RETURNING image", (reference,)
    ).fetchone()
    if found is None:
        raise NotFound(reference, "no image has that reference")
    if not now:
        undo = Undo(digest=found["image"], references=(reference,), pinned=False)
        put(connection, "reference", reference, found["image"], [undo])
    return Removal(untagged=(reference,))


def drop_image(
    connection: sqlite3.Connection, digest: str, asked: Asked, leased: Collection[str]
) -> Removal:
    """Remove an image, or only a name of it.

    Raises:
        Conflict: it is in use, or needs ``force``.
    """
    references = _references(connection, digest)
    if asked.reference and len(references) > 1:
        return drop_reference(connection, asked.reference, now=asked.now)
    _check_unused(connection, digest, asked, leased)
    if _children(connection, digest):
        if not asked.reference and not asked.force:
            hint = "remove those first, or only its names with --force"
            raise Conflict(asked.name, "other images were made from it", hint=hint)
        return _drop_all_references(connection, references, asked)
    if not asked.reference and len(references) > 1 and not asked.force:
        names = ", ".join(references)
        raise Conflict(asked.name, f"has {len(references)} names, {names}", hint="add --force")
    going = [digest]
    if asked.prune:
        going += _parents_left(connection, digest, leased)
    return _hide(connection, going, asked)


def _references(connection: sqlite3.Connection, digest: str) -> list[str]:
    query = "SELECT name FROM reference WHERE image = ? ORDER BY name"
    return [row["name"] for row in connection.execute(query, (digest,))]


def _children(connection: sqlite3.Connection, digest: str) -> list[str]:
    query = "SELECT digest FROM image WHERE parent = ? AND trashed IS NULL"
    return [row["digest"] for row in connection.execute(query, (digest,))]


def users(connection: sqlite3.Connection, digest: str) -> list[str]:
    """Who uses an image, in words: distros and their snapshots."""
    found = [
        row["name"]
        for row in connection.execute(
            "SELECT name FROM distro WHERE image = ? AND NOT removed ORDER BY name", (digest,)
        )
    ]
    found += [
        f"snapshot {row['name']} of {row['distro']}"
        for row in connection.execute(
            "SELECT snapshot.name, distro.name AS distro FROM snapshot JOIN distro"
            " ON distro.id = snapshot.distro WHERE snapshot.image = ? AND NOT removed",
            (digest,),
        )
    ]
    return found


def _check_unused(
    connection: sqlite3.Connection, digest: str, asked: Asked, leased: Collection[str]
) -> None:
    if some := users(connection, digest):
        hint = "remove these distros first"
        raise Conflict(asked.name, f"in use by {', '.join(some)}", hint=hint)
    if digest in leased:
        raise Conflict(asked.name, "a running job needs it", hint="wait, or cancel the job")
    if asked.now and (
        row := connection.execute("SELECT name FROM distro WHERE image = ?", (digest,)).fetchone()
    ):
        why = f"{row['name']} was installed from it and can still come back"
        raise Conflict(asked.name, why, hint="without --now, or distrodeck prune first")


def _drop_all_references(
    connection: sqlite3.Connection, references: list[str], asked: Asked
) -> Removal:
    for reference in references:
        drop_reference(connection, reference, now=asked.now)
    return Removal(untagged=tuple(references))


def _parents_left(
    connection: sqlite3.Connection, digest: str, leased: Collection[str]
) -> list[str]:
    """The parents that only the image kept: without a name, without another child, unused."""
    going = [digest]
    while True:
        row = connection.execute(
            "SELECT parent FROM image WHERE digest = ?", (going[-1],)
        ).fetchone()
        parent = row["parent"] if row else None
        if not parent or parent in going or parent in leased:
            return going[1:]
        there = connection.execute(
            "SELECT 1 FROM image WHERE digest = ? AND trashed IS NULL", (parent,)
        ).fetchone()
        if (
            not there
            or _references(connection, parent)
            or users(connection, parent)
            or _children(connection, parent) != [going[-1]]
        ):
            return going[1:]
        going.append(parent)


def _hide(connection: sqlite3.Connection, going: list[str], asked: Asked) -> Removal:
    """Take images out of sight, to the trash unless it shall be ``now``."""
    untagged: list[str] = []
    undo: list[Undo] = []
    for digest in going:
        names = _references(connection, digest)
        untagged += names
        pinned = connection.execute(
            "SELECT pinned FROM image WHERE digest = ?", (digest,)
        ).fetchone()["pinned"]
        undo.append(Undo(digest=digest, references=tuple(names), pinned=bool(pinned)))
    entry = GONE
    if not asked.now:
        name = asked.reference or next(iter(untagged), going[0])
        entry = put(connection, "image", name, going[0], undo)
    for digest in going:
        connection.execute("DELETE FROM reference WHERE image = ?", (digest,))
        connection.execute(
            "UPDATE image SET pinned = 0, trashed = ? WHERE digest = ?", (entry, digest)
        )
    return Removal(untagged=tuple(untagged), deleted=tuple(going))
