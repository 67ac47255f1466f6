"""Rows and trees of snapshots; and which tree is a distro's writable layer.

A distro's folder holds trees (``upper``, ``trees/RANDOM/fs``); its row and those of its snapshots
say which is whose. So to roll back, or to move to another image, is one transaction: there is no
instant at which a distro has no changes, or those of another image.

A snapshot is a copy. Stacking one writable layer on another would be free at once, but make every
lookup slower, be at its end after some hundred, and let nobody remove one in the middle.
"""

from __future__ import annotations

import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import Conflict, NotFound
from core.store.sync import sync_filesystem
from core.verbs.changes import Snapshot

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from core.store.index import Index
    from core.store.layout import Layout
    from core.store.records import DistroRecord

TREES = "trees"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What a distro's changes lie on."""

    image: str
    """Digest; empty for *this host*."""
    repo_digest: str
    version: str
    os_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a snapshot is called."""

    name: str
    """Empty: the time."""
    comment: str = ""


def load_snapshots(index: Index, distro: str = "") -> list[Snapshot]:
    """The snapshots of a distro by its id, or those of all there are; newest first."""
    return [
        Snapshot(
            id=row["id"],
            distro=row["distro_name"],
            name=row["name"],
            created=row["created"],
            comment=row["comment"],
            image_digest=row["image"] or "",
            size=row["size"],
        )
        for row in index.rows(
            "SELECT snapshot.*, distro.name AS distro_name FROM snapshot"
            " JOIN distro ON distro.id = snapshot.distro"
            " WHERE NOT removed AND (? = '' OR distro.id = ?) ORDER BY snapshot.created DESC",
            distro,
            distro,
        )
    ]


def find_snapshot(index: Index, record: DistroRecord, name: str) -> tuple[Snapshot, Base, str]:
    """A snapshot by name or id, what it lies on, and its tree. Raises: NotFound."""
    for one in load_snapshots(index, record.id):
        if name and name in (one.name, one.id):
            row = index.row("SELECT * FROM snapshot WHERE id = ?", one.id)
            if row:
                base = Base(
                    image=one.image_digest,
                    repo_digest=row["repo_digest"],
                    version=row["version"],
                    os_name=row["os_name"],
                )
                return one, base, row["tree"]
    hint = f"distrodeck snapshot --list {record.name} shows those there are"
    raise NotFound(f"{record.name}: {name}", "no such snapshot", hint=hint)


def adopt(layout: Layout, ident: str, stage: Path) -> str:
    """Move a stage with a tree into a distro's folder; the tree's path below that. Blocks."""
    folder = layout.distros / ident / TREES
    folder.mkdir(mode=0o700, exist_ok=True)
    stage.rename(folder / stage.name)
    return f"{TREES}/{stage.name}/fs"


def make_empty(stage: Path, root: Path | None) -> None:
    """An empty tree in a stage; ``root``, the lowest layer, gives its mode. Blocks."""
    (stage / "fs").mkdir()
    (stage / "fs").chmod(stat.S_IMODE(root.stat().st_mode) if root else 0o755)


def add_snapshot(
    index: Index, layout: Layout, record: DistroRecord, stage: Path, label: Label, size: int
) -> str:
    """Show a staged copy as a snapshot; its name; blocks.

    Raises:
        Conflict: there is one of that name, or the distro was changed meanwhile.
    """
    tree = adopt(layout, record.id, stage)
    sync_filesystem(layout.data)
    with index.write() as connection:
        _check_same(connection, record)
        return _insert(connection, record, label, stage.name, tree, size)


def change_tree(
    index: Index,
    layout: Layout,
    record: DistroRecord,
    stage: Path,
    *,
    base: Base,
    keep: Label | None,
    size: int,
) -> str:
    """Make a staged tree the writable layer, on another base maybe; blocks.

    ``keep``: what was before becomes a snapshot of that name, which is given back; None: it goes.
    ``size``: bytes of the new tree.

    Raises:
        Conflict: there is a snapshot of that name, or the distro was changed meanwhile.
    """
    tree = adopt(layout, record.id, stage)
    sync_filesystem(layout.data)
    name = ""
    with index.write() as connection:
        _check_same(connection, record)
        if keep:
            name = _insert(
                connection, record, keep, f"{stage.name}-before", record.tree, record.upper_size
            )
        connection.execute(
            "UPDATE distro SET tree = ?, image = ?, repo_digest = ?, version = ?, os_name = ?,"
            " upper_size = ? WHERE id = ?",
            (
                tree,
                base.image or None,
                base.repo_digest,
                base.version,
                base.os_name,
                size,
                record.id,
            ),
        )
    drop_stray_trees(index, layout)
    return name


def drop_snapshot(index: Index, layout: Layout, record: DistroRecord, name: str) -> None:
    """Delete a snapshot; blocks. Raises: NotFound."""
    found, _, _ = find_snapshot(index, record, name)
    with index.write() as connection:
        connection.execute("DELETE FROM snapshot WHERE id = ?", (found.id,))
    drop_stray_trees(index, layout)


def drop_stray_trees(index: Index, layout: Layout) -> None:
    """Throw away the trees that no distro and no snapshot names; blocks."""
    used: dict[str, set[str]] = {}
    for row in index.rows(
        "SELECT id, tree FROM distro UNION ALL SELECT distro AS id, tree FROM snapshot"
    ):
        used.setdefault(row["id"], set()).add(row["tree"])
    for ident, trees in used.items():
        folder = layout.distros / ident
        if "upper" not in trees:
            with suppress(PermissionError):  # its root belongs to another id: it stays
                layout.discard(folder / "upper")
        if (folder / TREES).is_dir():
            for path in (folder / TREES).iterdir():
                if f"{TREES}/{path.name}/fs" not in trees:
                    layout.discard(path)


def rename_distro(index: Index, record: DistroRecord, new: str) -> None:
    """Give a distro another name; blocks. Raises: Conflict."""
    with index.write() as connection:
        if connection.execute(
            "SELECT 1 FROM distro WHERE name = ? AND NOT removed", (new,)
        ).fetchone():
            raise Conflict(new, "the name is taken", hint="choose another")
        connection.execute("UPDATE distro SET name = ? WHERE id = ?", (new, record.id))


def note_newest(index: Index, ident: str, digest: str) -> None:
    """Take down what a distro's source has now; blocks."""
    with index.write(durable=False) as connection:
        connection.execute("UPDATE distro SET newest = ? WHERE id = ?", (digest, ident))


def checked(index: Index) -> float:
    """When all sources were asked for what they have now; 0: never."""
    row = index.row("SELECT value FROM meta WHERE key = 'checked'")
    return float(row["value"]) if row else 0.0


def note_checked(index: Index, when: float) -> None:
    """Take down when all sources were asked; blocks."""
    with index.write(durable=False) as connection:
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('checked', ?)", (str(when),))


def _check_same(connection: sqlite3.Connection, record: DistroRecord) -> None:
    row = connection.execute(
        "SELECT tree, image FROM distro WHERE id = ? AND NOT removed", (record.id,)
    ).fetchone()
    if row is None:
        raise NotFound(record.name, "was removed meanwhile")
    if (row["tree"], row["image"] or "") != (record.tree, record.image_digest):
        raise Conflict(record.name, "was changed meanwhile", hint="try again")


def _insert(
    connection: sqlite3.Connection,
    record: DistroRecord,
    label: Label,
    ident: str,
    tree: str,
    size: int,
) -> str:
    names = {
        row["name"]
        for row in connection.execute("SELECT name FROM snapshot WHERE distro = ?", (record.id,))
    }
    now = time.time()
    name = label.name or time.strftime("%Y-%m-%d-%H%M%S", time.gmtime(now))
    if label.name in names:
        hint = "choose another name, or remove that one first"
        raise Conflict(f"{record.name}: {name}", "there is a snapshot of that name", hint=hint)
    plain, number = name, 1
    while name in names:
        number += 1
        name = f"{plain}-{number}"
    connection.execute(
        "INSERT INTO snapshot VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            ident,
            record.id,
            name,
            now,
            label.comment,
            record.image_digest or None,
            record.repo_digest,
            record.version,
            record.os_name,
            tree,
            size,
        ),
    )
    return name
