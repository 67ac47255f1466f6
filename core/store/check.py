"""``fsck``: compare the store's index with what is on the disk, and mend what can be mended.

A mend never deletes a writable layer. What is missing of an image is noted in it; pulled again it
is whole.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from core.domain import Layer
from core.store.collect import blobs
from core.store.images import from_text
from core.store.ingest import CHUNK
from core.store.layout import hex_of
from core.store.trash import IN_TRASH, put
from core.store.whole import mark_broken, what_is_missing
from core.verbs.storage import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from core.store.index import Index
    from core.store.layout import Layout
    from core.verbs.storage import ProblemKind

_NAME = re.compile(r"[0-9a-f]{64}")

_DAMAGED = "end the engine and move it away: distros and blobs stay on disk"
_BY_HAND = "left alone: it may be somebody's work; move it away or delete it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A problem, and what mends it."""

    problem: Problem
    mend: Callable[[], None] | None = None

    def mended(self) -> Problem:
        """Mend it if that is possible, and tell; blocks."""
        if self.mend is None:
            return self.problem
        self.mend()
        return replace(self.problem, repaired=True)


class Inspector:
    """Looks the store over; nothing is changed but by what it finds to mend with."""

    def __init__(self, index: Index, layout: Layout, *, busy: bool, corrupt: Collection[str]):
        """``busy``: jobs run, whose stages stay. ``corrupt``: names of blobs with wrong bytes."""
        self._index = index
        self._layout = layout
        self._busy = busy
        self._corrupt = corrupt
        self._there = blobs(layout) if layout.blobs.is_dir() else {}

    def look(self, *, quick: bool) -> Iterator[Found]:
        """Everything that is wrong; blocks."""
        yield from self._look_at_index(quick=quick)
        yield from self._look_at_layers()
        yield from self._look_at_images()
        yield from self._look_at_blobs()
        yield from self._look_at_distros()
        yield from self._look_at_snapshots()
        yield from self._look_at_trash()
        yield from self._look_for_orphans()

    def counts(self) -> dict[str, int]:
        """How many things of each kind there are."""
        kinds = {"images": "image", "layers": "layer", "distros": "distro"}
        found = {
            kind: int(self._index.rows(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608
            for kind, table in kinds.items()
        }
        return {**found, "blobs": len(self._there)}

    def _look_at_index(self, *, quick: bool) -> Iterator[Found]:
        check = "quick_check" if quick else "integrity_check"
        try:
            lines = [row[0] for row in self._index.rows(f"PRAGMA {check}(20)")]
        except sqlite3.DatabaseError as error:
            lines = [str(error)]
        for line in lines:
            name = self._layout.index.name
            if "index" in line:  # one of SQLite's own, made of the table
                yield _found("index", name, line, "it is made again", self._reindex)
            elif line != "ok":
                yield _found("index", name, line, _DAMAGED)

    def _reindex(self) -> None:
        with self._index.write() as connection:
            connection.execute("REINDEX")

    # -- layers, images, blobs ------------------------------------------------------------

    def _look_at_layers(self) -> Iterator[Found]:
        rows = self._index.rows(
            "SELECT number, key, EXISTS (SELECT 1 FROM image_layer WHERE layer = number) AS used"
            " FROM layer"
        )
        for row in rows:
            number, key = row["number"], row["key"]
            if not (self._layout.layer(key) / "fs").is_dir():
                if row["used"]:
                    continue  # told of its images
                why = "neither its files nor an image with it are there"
                yield _found("layer", key, why, "it is forgotten", partial(self._forget, number))
            elif self._target(number) != self._link(key):
                yield _found(
                    "layer",
                    key,
                    "its short name leads elsewhere",
                    "the name is made again",
                    partial(self._link_again, number, key),
                )

    def _link(self, key: str) -> str:
        return f"../layers/{hex_of(key)}/fs"

    def _target(self, number: int) -> str:
        try:
            return str(self._layout.link(number).readlink())
        except OSError:
            return ""

    def _link_again(self, number: int, key: str) -> None:
        link = self._layout.link(number)
        self._layout.discard(link)
        link.symlink_to(self._link(key))

    def _forget(self, number: int) -> None:
        with self._index.write() as connection:
            connection.execute("DELETE FROM layer WHERE number = ?", (number,))
        self._layout.link(number).unlink(missing_ok=True)

    def _look_at_images(self) -> Iterator[Found]:
        for row in self._index.rows("SELECT digest, broken FROM image"):
            digest = row["digest"]
            why = self._index.ask(what_is_missing, self._layout, digest)
            if why and row["broken"]:
                yield _found("image", digest, why, "pull it again, or remove it")
            elif why:
                mend = partial(self._mark, digest, why)
                yield _found("image", digest, why, "it is marked: pulled again, it is whole", mend)
            elif row["broken"]:
                mend = partial(self._mark, digest, "")
                yield _found("image", digest, "is whole, but marked", "the mark goes", mend)

    def _mark(self, digest: str, why: str) -> None:
        with self._index.write() as connection:
            mark_broken(connection, digest, why)

    def _look_at_blobs(self) -> Iterator[Found]:
        sizes = {
            hex_of(layer.digest): layer.size
            for row in self._index.rows("SELECT layers FROM image")
            for layer in from_text(row["layers"], tuple[Layer, ...])
        }
        for name, size in self._there.items():
            why = "its bytes differ from its digest" if name in self._corrupt else ""
            if sizes.get(name, size) != size:
                why = f"has {size} of {sizes[name]} bytes"
            if why:
                yield _found(
                    "blob",
                    f"sha256:{name}",
                    why,
                    "it is deleted: pulled again, it is whole",
                    partial(self._drop_blob, name),
                )

    def _drop_blob(self, name: str) -> None:
        digest = f"sha256:{name}"
        self._layout.blob(name).unlink(missing_ok=True)
        with self._index.write() as connection:
            for row in connection.execute(
                "SELECT digest FROM image WHERE ? IN (digest, config_digest) OR instr(layers, ?)",
                (digest, digest),
            ).fetchall():
                why = what_is_missing(connection, self._layout, row["digest"])
                mark_broken(connection, row["digest"], why)

    # -- distros --------------------------------------------------------------------------

    def _look_at_distros(self) -> Iterator[Found]:
        for row in self._index.rows("SELECT id, name, tree FROM distro WHERE removed != 1"):
            folder = self._layout.distros / row["id"]
            for part in (row["tree"], "work", "home"):
                path = folder / part
                if not path.is_dir():
                    yield _found(
                        "distro",
                        row["name"],
                        f"its folder {part} is not there",
                        "an empty one is made",
                        partial(self._make_folder, path),
                    )

    def _make_folder(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True, mode=0o700, parents=True)
        path.mkdir(exist_ok=True)
        path.chmod(0o755)

    def _look_at_snapshots(self) -> Iterator[Found]:
        for row in self._index.rows(
            "SELECT snapshot.id, snapshot.name, snapshot.tree, distro, distro.name AS its"
            " FROM snapshot JOIN distro ON distro.id = distro"
        ):
            if not (self._layout.distros / row["distro"] / row["tree"]).is_dir():
                yield _found(
                    "snapshot",
                    f"{row['name']} of {row['its']}",
                    "its folder is not there",
                    "it is forgotten",
                    partial(self._drop_snapshot, row["id"]),
                )

    def _drop_snapshot(self, ident: str) -> None:
        with self._index.write() as connection:
            connection.execute("DELETE FROM snapshot WHERE id = ?", (ident,))

    def _look_at_trash(self) -> Iterator[Found]:
        for row in self._index.rows(
            "SELECT id, name FROM distro WHERE removed = ? AND id NOT IN"
            " (SELECT subject FROM trash WHERE what = 'distro')",
            IN_TRASH,
        ):
            yield _found(
                "distro",
                row["name"],
                "removed, but not in the trash",
                "it is put there",
                partial(self._put, row["name"], row["id"]),
            )

    def _put(self, name: str, ident: str) -> None:
        with self._index.write() as connection:
            put(connection, "distro", name, ident)

    # -- what nothing names ---------------------------------------------------------------

    def _look_for_orphans(self) -> Iterator[Found]:
        rows = self._index.rows("SELECT number, key FROM layer")
        keys = {hex_of(row["key"]) for row in rows}
        links = {self._layout.link(row["number"]).name for row in rows}
        staging = () if self._busy else self._layout.staging.iterdir()
        strays = [
            *(path for path in self._layout.layers.iterdir() if path.name not in keys),
            *(path for path in self._layout.links.iterdir() if path.name not in links),
            *(path for path in self._layout.blobs.glob("*/*") if not _is_blob(path)),
            *staging,
        ]
        for path in strays:
            yield _found(
                "orphan",
                str(path.relative_to(self._layout.data)),
                "nothing in the index names it",
                "it is deleted",
                partial(self._layout.discard, path),
            )
        known = {row["id"] for row in self._index.rows("SELECT id FROM distro")}
        for path in self._layout.distros.iterdir():
            if path.name not in known:
                name = str(path.relative_to(self._layout.data))
                yield _found("orphan", name, "a writable layer of no distro", _BY_HAND)


def hash_blobs(layout: Layout) -> tuple[set[str], int]:
    """Names of the blobs whose bytes are wrong, and how many bytes were read; blocks."""
    wrong: set[str] = set()
    read = 0
    for name in blobs(layout):
        found = hashlib.sha256()
        with suppress(FileNotFoundError), layout.blob(name).open("rb") as file:
            while chunk := file.read(CHUNK):
                found.update(chunk)
                read += len(chunk)
            if found.hexdigest() != name and _NAME.fullmatch(name):
                wrong.add(name)
    return wrong, read


def _is_blob(path: Path) -> bool:
    return bool(_NAME.fullmatch(path.name)) and path.parent.name == path.name[:2]


def _found(
    kind: ProblemKind, what: str, why: str, repair: str, mend: Callable[[], None] | None = None
) -> Found:
    return Found(problem=Problem(kind=kind, what=what, why=why, repair=repair), mend=mend)
