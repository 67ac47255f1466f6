"""Bring the store in order after a crash; runs at every opening.

The index decides: what it does not name was never committed.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

from core.errors import Conflict
from core.store.distros import UNFINISHED, finish_removals
from core.store.layout import PASSING, hex_of
from core.store.snapshots import TREES, drop_stray_trees

if TYPE_CHECKING:
    from pathlib import Path

    from core.store.index import Index
    from core.store.layout import Layout

_KEPT_PARTIALS = 14 * 86400
"""Seconds after which a cut transfer is no longer expected to go on."""


def recover(index: Index, layout: Layout) -> None:
    """Throw away what was being made, finish what was being removed; blocks."""
    for path in layout.staging.iterdir():
        layout.discard(path)
    rows = index.rows("SELECT number, key FROM layer")
    keys = {hex_of(row["key"]) for row in rows}
    for path in layout.layers.iterdir():
        if path.name not in keys:
            layout.discard(path)
    links = {layout.link(row["number"]).name: row["key"] for row in rows}
    present = {path.name for path in layout.links.iterdir()}
    for name in present - links.keys():
        (layout.links / name).unlink()
    for name in links.keys() - present:
        (layout.links / name).symlink_to(f"../layers/{hex_of(links[name])}/fs")
    finish_removals(index, layout)
    _drop_empty_distros(index, layout)
    drop_stray_trees(index, layout)
    oldest = time.time() - _KEPT_PARTIALS
    for path in layout.ingest.iterdir():
        if path.name.startswith(PASSING) or path.stat().st_mtime < oldest:
            path.unlink()


def _drop_empty_distros(index: Index, layout: Layout) -> None:
    """A distro's folder without a row: only an empty one goes; a full one is somebody's work.

    Whoever lost the index still has that, whichever of a distro's trees it is in. One that was
    about to be a copy of another's work goes.
    """
    known = {row["id"] for row in index.rows("SELECT id FROM distro")}
    for path in layout.distros.iterdir():
        unfinished = path / UNFINISHED
        if path.name in known:
            unfinished.unlink(missing_ok=True)
        elif unfinished.exists() or not _holds_work(path):
            layout.discard(path)


def _holds_work(folder: Path) -> bool:
    """Whether there is anything in a distro's writable layer, or in a snapshot."""
    for tree in (folder / "upper", *folder.glob(f"{TREES}/*/fs")):
        try:
            if any(tree.iterdir()):
                return True
        except PermissionError:  # it belongs to another id
            return True
        except (FileNotFoundError, NotADirectoryError):
            continue
    return False


def recorded_idmap(layout: Layout) -> str:
    """The id mapping on record, read without opening the store; empty if there is none."""
    if not layout.index.exists():
        return ""
    try:
        with closing(sqlite3.connect(f"{layout.index.as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = 'idmap'").fetchone()
    except sqlite3.DatabaseError:
        return ""
    return str(row[0]) if row else ""


def check_idmap(index: Index, layout: Layout, idmap: str) -> None:
    """Record how ids are mapped, or hold against it what was recorded; blocks.

    Trees unpacked under one mapping have the wrong owners under another.

    Raises:
        Conflict: it changed while there are unpacked layers or distros.
    """
    row = index.row("SELECT value FROM meta WHERE key = 'idmap'")
    used = "SELECT 1 FROM layer UNION SELECT 1 FROM distro"
    if row and row["value"] != idmap and index.row(used):
        raise Conflict(
            str(layout.data),
            f"its layers were unpacked with the id mapping {row['value']!r}, now it is {idmap!r}",
            hint=f"bring the mapping back (subuid, subgid), or use another --root for {idmap}",
        )
    if row is None or row["value"] != idmap:
        with index.write() as connection:
            connection.execute(
                "INSERT INTO meta VALUES ('idmap', ?)"
                " ON CONFLICT DO UPDATE SET value = excluded.value",
                (idmap,),
            )
