"""Bring the store in order after a crash; runs at every opening.

The index decides: what it does not name was never committed.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

from core.errors import Conflict
from core.store.distros import finish_removals
from core.store.layout import PASSING, hex_of
from core.store.snapshots import drop_stray_trees

if TYPE_CHECKING:
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

    One that was about to be a copy of another is such, too, with its tree in ``trees``.
    """
    known = {row["id"] for row in index.rows("SELECT id FROM distro")}
    for path in layout.distros.iterdir():
        upper = path / "upper"
        if path.name not in known and not (upper.is_dir() and any(upper.iterdir())):
            layout.discard(path)


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
