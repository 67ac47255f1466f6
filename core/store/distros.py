"""Rows and folders of installed distros."""

from __future__ import annotations

import secrets
import stat
import time
from typing import TYPE_CHECKING

from core.domain import Platform
from core.errors import Conflict, NotFound
from core.store.images import from_text, to_text
from core.store.records import DistroRecord, ImageConfig
from core.store.sync import sync_filesystem
from core.store.trash import IN_TRASH, put

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from core.store.index import Index
    from core.store.layout import Layout

_SELECT = (
    "SELECT distro.*, image.config AS config FROM distro"
    " LEFT JOIN image ON image.digest = distro.image WHERE NOT removed"
)


def load_distros(index: Index, layout: Layout, name: str = "") -> list[DistroRecord]:
    """All installed distros by name, or the one."""
    if name:
        rows = index.rows(f"{_SELECT} AND name = ?", name)
    else:
        rows = index.rows(f"{_SELECT} ORDER BY name")
    return [_record(row, layout) for row in rows]


def load_distro(index: Index, layout: Layout, name: str) -> DistroRecord:
    """One distro. Raises: NotFound."""
    found = load_distros(index, layout, name) if name else []
    if not found:
        raise NotFound(name, "no such distro", hint="distrodeck ls shows what is installed")
    return found[0]


def _record(row: sqlite3.Row, layout: Layout) -> DistroRecord:
    folder = layout.distros / row["id"]
    return DistroRecord(
        id=row["id"],
        name=row["name"],
        upper=folder / row["tree"],
        work=folder / "work",
        home=folder / "home",
        image_digest=row["image"] or "",
        repo_digest=row["repo_digest"],
        url=row["url"],
        version=row["version"],
        os_name=row["os_name"],
        platform=from_text(row["platform"], Platform),
        created=row["created"],
        used=row["used"],
        warnings=from_text(row["warnings"], tuple[str, ...]),
        upper_size=row["upper_size"],
        tree=row["tree"],
        newest=row["newest"],
        config=from_text(row["config"], ImageConfig) if row["config"] else ImageConfig(),
    )


UNFINISHED = "unfinished"
"""A file in the folder of a distro that gets a copy of another's work, until it has its row."""


def make_distro(
    index: Index,
    layout: Layout,
    record: DistroRecord,
    root: Path | None,
    stage: Path | None = None,
) -> None:
    """Make the folders, then the row; blocks.

    ``root`` is the lowest layer: its mode becomes that of the distro's root folder. ``stage`` is
    a folder whose ``fs`` becomes the writable layer.

    Raises:
        Conflict: the name is taken.
    """
    folder = layout.distros / record.id
    folder.mkdir(mode=0o700)
    try:
        for path in (record.work, record.home):
            path.mkdir()
        if stage:
            (folder / UNFINISHED).touch()
            record.upper.parent.parent.mkdir(mode=0o700)
            stage.rename(record.upper.parent)
            sync_filesystem(layout.data)
        else:
            record.upper.mkdir()
            record.upper.chmod(stat.S_IMODE(root.stat().st_mode) if root else 0o755)
        record.home.chmod(0o755)
        with index.write() as connection:
            _insert(connection, record)
    except BaseException:
        layout.discard(folder)
        raise
    (folder / UNFINISHED).unlink(missing_ok=True)


def _insert(connection: sqlite3.Connection, record: DistroRecord) -> None:
    if connection.execute(
        "SELECT 1 FROM distro WHERE name = ? AND NOT removed", (record.name,)
    ).fetchone():
        raise Conflict(record.name, "the name is taken", hint="choose another with --name")
    connection.execute(
        "INSERT INTO distro (id, name, image, repo_digest, url, version, os_name,"
        " platform, created, used, warnings, upper_size, tree)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            record.id,
            record.name,
            record.image_digest or None,
            record.repo_digest,
            record.url,
            record.version,
            record.os_name,
            to_text(record.platform),
            record.created,
            record.used,
            to_text(record.warnings),
            record.upper_size,
            record.tree,
        ),
    )


def new_folder(layout: Layout) -> tuple[str, Path]:
    """A fresh id and the folder that will be the distro's."""
    name = secrets.token_hex(6)
    return name, layout.distros / name


def mark_removed(index: Index, layout: Layout, name: str, *, now: bool) -> None:
    """Take a distro out of sight: to the trash, or to be deleted ``now``; blocks.

    :func:`finish_removals` does the deleting, after a crash in between at the next opening.

    Raises:
        NotFound: there is none.
    """
    record = load_distro(index, layout, name)
    with index.write() as connection:
        connection.execute(
            "UPDATE distro SET removed = ? WHERE id = ?", (1 if now else IN_TRASH, record.id)
        )
        if not now:
            put(connection, "distro", record.name, record.id)


def finish_removals(index: Index, layout: Layout) -> None:
    """Hand the folders of distros to be deleted to the sweeper, and forget them; blocks."""
    for row in index.rows("SELECT id FROM distro WHERE removed = 1"):
        layout.discard(layout.distros / row["id"])
        with index.write() as connection:
            connection.execute("DELETE FROM distro WHERE id = ?", (row["id"],))


def touch(index: Index, name: str) -> None:
    """Note that a distro was used now; blocks."""
    with index.write(durable=False) as connection:
        connection.execute(
            "UPDATE distro SET used = ? WHERE name = ? AND NOT removed", (time.time(), name)
        )
