"""Content on its way in: a file that grows, and the hash of what it holds.

What was received stays when the process ends, in whatever way; opened again, it is hashed again
while it is read back, and the transfer goes on from there.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from typing import TYPE_CHECKING, Self

from core.errors import NoSpace
from core.pausing import passage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from types import TracebackType

CHUNK = 1 << 20

ROOM = 1 << 20
"""Bytes given back when the disk is full, so that there is room to list and to remove things."""


class Ingest:
    """One file on its way in; an async context manager that closes it and leaves it in place.

    A file that is still empty when an error ends the transfer is removed: there is nothing to keep.

    Read :meth:`replay` to its end before the first :meth:`write`. One user at a time.
    """

    def __init__(self, path: Path, *, name: str) -> None:
        """``name`` is what errors call it."""
        self._path = path
        self._name = name
        self._file = -1
        self._hash = hashlib.sha256()
        self.kept = 0
        """Bytes it held when opened."""
        self.offset = 0
        """Bytes hashed so far."""

    async def __aenter__(self) -> Self:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.kept = os.fstat(self._file).st_size
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and not os.fstat(self._file).st_size:
            self._path.unlink(missing_ok=True)
        os.close(self._file)

    @property
    def digest(self) -> str:
        """The digest of all bytes so far."""
        return f"sha256:{self._hash.hexdigest()}"

    async def replay(self) -> AsyncIterator[bytes]:
        """The bytes that were kept, hashed as they are given."""
        while self.offset < self.kept:
            chunk = await asyncio.to_thread(self._read)
            if not chunk:
                return
            yield chunk

    async def write(self, data: bytes) -> None:
        """Append.

        Raises:
            NoSpace: the disk is full; what fitted stays, but for the last :data:`ROOM` bytes.
        """
        await passage()
        try:
            await asyncio.to_thread(self._append, data)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                self.offset = max(self.offset - ROOM, 0)
                os.ftruncate(self._file, self.offset)
                raise no_space(self._name, self._path) from error
            raise

    def restart(self) -> None:
        """Forget everything."""
        os.ftruncate(self._file, 0)
        self._hash = hashlib.sha256()
        self.kept = self.offset = 0

    def _read(self) -> bytes:
        chunk = os.pread(self._file, min(CHUNK, self.kept - self.offset), self.offset)
        self._hash.update(chunk)
        self.offset += len(chunk)
        return chunk

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            done = os.pwrite(self._file, view, self.offset)
            self._hash.update(view[:done])
            self.offset += done
            view = view[done:]


def no_space(name: str, path: Path) -> NoSpace:
    """The error for a full disk."""
    return NoSpace(
        name,
        f"no space left for {path.parent}",
        hint="free some space (distrodeck prune), then try again",
    )
