"""The index's tables, as numbered steps: each brings the schema from one version to the next.

A step that was published is never changed: another one follows it. ``PRAGMA user_version`` tells
how many steps a file has been through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

_STEPS: tuple[str, ...] = (
    """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE image (
    digest TEXT PRIMARY KEY,
    config_digest TEXT NOT NULL,
    platform TEXT NOT NULL,
    created REAL,
    pulled REAL NOT NULL,
    pinned INTEGER NOT NULL,
    transfer_size INTEGER NOT NULL,
    layers TEXT NOT NULL,
    history TEXT NOT NULL,
    config TEXT NOT NULL,
    warnings TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE layer (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    diff_id TEXT NOT NULL,
    size INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    tar_size INTEGER NOT NULL,
    warnings TEXT NOT NULL
);
CREATE TABLE image_layer (
    image TEXT NOT NULL REFERENCES image (digest) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    layer INTEGER NOT NULL REFERENCES layer (number),
    PRIMARY KEY (image, position)
) WITHOUT ROWID;
CREATE INDEX image_layer_layer ON image_layer (layer);
CREATE TABLE reference (
    name TEXT PRIMARY KEY,
    image TEXT NOT NULL REFERENCES image (digest) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE repo_digest (
    image TEXT NOT NULL REFERENCES image (digest) ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (image, name)
) WITHOUT ROWID;
CREATE TABLE distro (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    image TEXT REFERENCES image (digest),
    repo_digest TEXT NOT NULL,
    url TEXT NOT NULL,
    version TEXT NOT NULL,
    os_name TEXT NOT NULL,
    platform TEXT NOT NULL,
    created REAL NOT NULL,
    used REAL NOT NULL,
    warnings TEXT NOT NULL,
    upper_size INTEGER NOT NULL DEFAULT 0,
    removed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE UNIQUE INDEX distro_name ON distro (name) WHERE NOT removed;
""",
    """
ALTER TABLE image ADD COLUMN parent TEXT;
ALTER TABLE image ADD COLUMN intermediate INTEGER NOT NULL DEFAULT 0;
ALTER TABLE image ADD COLUMN origin TEXT NOT NULL DEFAULT 'pull';
ALTER TABLE image ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE image ADD COLUMN trashed TEXT;
ALTER TABLE image ADD COLUMN broken TEXT NOT NULL DEFAULT '';
UPDATE image SET size = (SELECT coalesce(sum(size), 0) FROM layer
    WHERE number IN (SELECT layer FROM image_layer WHERE image = image.digest));
CREATE INDEX image_parent ON image (parent) WHERE parent IS NOT NULL;
CREATE INDEX image_list ON image (trashed, pulled, digest, intermediate, broken, parent);
CREATE INDEX image_config_digest ON image (config_digest);
CREATE INDEX reference_image ON reference (image);
CREATE INDEX distro_image ON distro (image);
CREATE INDEX repo_digest_name ON repo_digest (name);
UPDATE image SET origin = 'import'
    WHERE NOT EXISTS (SELECT 1 FROM repo_digest WHERE image = image.digest);
CREATE TABLE trash (
    id TEXT PRIMARY KEY,
    what TEXT NOT NULL,
    name TEXT NOT NULL,
    removed REAL NOT NULL,
    subject TEXT NOT NULL,
    undo TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX trash_subject ON trash (subject);
CREATE TABLE snapshot (
    id TEXT PRIMARY KEY,
    distro TEXT NOT NULL REFERENCES distro (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    created REAL NOT NULL,
    comment TEXT NOT NULL,
    image TEXT REFERENCES image (digest),
    repo_digest TEXT NOT NULL,
    version TEXT NOT NULL,
    os_name TEXT NOT NULL,
    tree TEXT NOT NULL,
    size INTEGER NOT NULL,
    UNIQUE (distro, name)
) WITHOUT ROWID;
CREATE INDEX snapshot_image ON snapshot (image);
ALTER TABLE distro ADD COLUMN tree TEXT NOT NULL DEFAULT 'upper';
ALTER TABLE distro ADD COLUMN newest TEXT NOT NULL DEFAULT '';
""",
)

SCHEMA = len(_STEPS)
"""The version that this distrodeck reads and writes."""


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring the tables from the version before to ``version``, in the caller's transaction."""
    # executescript would commit each statement by itself
    for statement in _STEPS[version - 1].split(";\n"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version}")
