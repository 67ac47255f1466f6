"""The index of every earlier version is brought up to date, whole or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.store.index import Index
from core.store.schema import SCHEMA, migrate
from core.store.store import Store

RECORDED = sorted(Path(__file__).parent.glob("schema_*.sql"))


def restore(recorded: Path, data: Path) -> Path:
    """The recorded index as a file."""
    data.mkdir()
    path = data / "index.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(recorded.read_text())
    return path


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Each table's columns: name, type, not null, default, key."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: [row[1:] for row in connection.execute(f"PRAGMA table_info({name})")]
            for (name,) in names
        }


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_every_earlier_version_is_recorded() -> None:
    assert [path.stem for path in RECORDED] == [f"schema_{n}" for n in range(1, SCHEMA)]


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.stem)
def test_a_migrated_index_has_the_tables_of_a_fresh_one(recorded: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.sqlite"
    Index(fresh).close()
    old = restore(recorded, tmp_path / "data")
    Index(old).close()
    assert tables(old) == tables(fresh)
    assert version(old) == SCHEMA


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.stem)
async def test_what_an_earlier_version_wrote_is_read(recorded: Path, data: Path) -> None:
    restore(recorded, data)
    async with Store.open(data, privileged=True, idmap="root") as store:
        assert [distro.name for distro in store.distros()] == ["dev", "host"]
        images = {image.references: image for image in store.images()}
        assert images["q.io/y:1",].distros == ("dev",)
        whole = images["q.io/x:1",]
        assert (whole.size, whole.parent, whole.origin) == (200, "", "pull")
        assert [step.created_by for step in store.history(whole.digest)][-1] == "add a"
        assert await store.next_session_id() == 3


def test_a_step_that_was_cut_leaves_the_version_before(tmp_path: Path) -> None:
    path = restore(RECORDED[-1], tmp_path / "data")
    before = tables(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        migrate(connection, SCHEMA)
    assert tables(path) == before
    assert version(path) == SCHEMA - 1
    Index(path).close()
    assert version(path) == SCHEMA
