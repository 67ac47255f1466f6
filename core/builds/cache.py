"""Which image each step of earlier builds made, by what went into it.

A step's key is made of the key of what it stands on, the instruction with its variables filled in
and the content of what it copies. A file of its own beside the store's index: losing it costs
time, nothing else.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MOST_STEPS = 10_000


def step_key(*parts: str) -> str:
    """The key of a step from its parts; none of them can run into another."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape")
        total.update(b"%d:" % len(data) + data)
    return total.hexdigest()


class StepCache:
    """Blocking, but for a moment; a file that cannot be used is a cache that is empty."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=10)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS step"
            " (key TEXT PRIMARY KEY, image TEXT NOT NULL, used REAL NOT NULL) WITHOUT ROWID"
        )
        return connection

    def get(self, key: str) -> str:
        """Digest of the image that the step made; empty for none."""
        with suppress(sqlite3.Error), closing(self._open()) as connection:
            row = connection.execute(
                "UPDATE step SET used = ? WHERE key = ? RETURNING image", (time.time(), key)
            ).fetchone()
            return str(row[0]) if row else ""
        return ""

    def put(self, key: str, image: str) -> None:
        """Remember what a step made; the longest unused are forgotten."""
        with suppress(sqlite3.Error), closing(self._open()) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO step VALUES (?, ?, ?)", (key, image, time.time())
            )
            connection.execute(
                "DELETE FROM step WHERE key IN"
                " (SELECT key FROM step ORDER BY used DESC LIMIT -1 OFFSET ?)",
                (MOST_STEPS,),
            )

    def forget(self, key: str) -> None:
        """The image is gone."""
        with suppress(sqlite3.Error), closing(self._open()) as connection:
            connection.execute("DELETE FROM step WHERE key = ?", (key,))
