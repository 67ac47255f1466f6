"""The store's index: one SQLite file, one writer.

SQLite's WAL mode: readers see the last commit and never wait. A second connection writes, from a
worker thread, so that a slow disk does not stop the event loop.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from core.errors import Corrupt, DeckError, Refused, Unsupported
from core.store.ingest import no_space
from core.store.schema import SCHEMA, migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

P = ParamSpec("P")
R = TypeVar("R")


class Index:
    """Two connections to the index file."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it.

        Raises:
            Corrupt: it is no database, or a damaged one.
            NoSpace: the disk is full.
            Refused: it cannot be opened or written.
            Unsupported: a later distrodeck made it.
        """
        self._lock = threading.Lock()
        self.version = 0
        """Counts the commits; what was read before the newest may be out of date."""
        self._writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(path)
            self._reader = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._reader.row_factory = sqlite3.Row
            self._reader.execute("PRAGMA query_only = ON")
        except BaseException as error:
            self._writer.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise _explain(path, error) from error
            raise

    def _prepare(self, path: Path) -> None:
        writer = self._writer
        writer.row_factory = sqlite3.Row
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA foreign_keys = ON")
        writer.execute("PRAGMA busy_timeout = 10000")
        (found,) = writer.execute("PRAGMA user_version").fetchone()
        if found > SCHEMA:
            raise Unsupported(
                str(path), f"made by a later distrodeck (schema {found})", hint="upgrade distrodeck"
            )
        for version in range(found + 1, SCHEMA + 1):
            with self.write() as connection:
                migrate(connection, version)

    def close(self) -> None:
        """Close both connections."""
        self._reader.close()
        self._writer.close()

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end, rolled back on any error.

        ``durable``: on the disk when this returns. Without it a power cut (not a crash) may
        undo the transaction, whole.
        """
        with self._lock:
            connection = self._writer
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
                self.version += 1
            except BaseException:
                if connection.in_transaction:  # a full disk has it rolled back already
                    connection.execute("ROLLBACK")
                raise

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query, as of the last commit."""
        return self._reader.execute(query, values).fetchall()

    def ask(
        self,
        question: Callable[Concatenate[sqlite3.Connection, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """What a function reads from the last commit."""
        return question(self._reader, *args, **kwargs)

    def tuples(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """As :meth:`rows`, cheaper: for queries that give thousands."""
        cursor = self._reader.cursor()
        cursor.row_factory = None
        return cursor.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query, as of the last commit."""
        found: sqlite3.Row | None = self._reader.execute(query, values).fetchone()
        return found


def _explain(path: Path, error: sqlite3.DatabaseError) -> DeckError:
    """Why the index cannot be opened, or made."""
    # a misuse of the module has no code
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL or not os.statvfs(path.parent).f_bavail:
        return no_space("the store", path)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        hint = "move it away: distros and blobs stay on disk"
        return Corrupt(str(path), str(error), hint=hint)
    return Refused(str(path), str(error), hint="check the folder's permissions and its disk")
