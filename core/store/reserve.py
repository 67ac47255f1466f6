"""A little space put by, so that on a full disk things can still be listed and removed.

SQLite has to write before it can read (the WAL's index) and before it can delete. Databases and
file systems keep such a reserve for the same reason.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 512 << 10
"""Bytes put by: some removals' worth of index pages."""


class Reserve:
    """A file that is there for its blocks."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self) -> None:
        """Put the space by where there is plenty; blocks for a moment."""
        if self._path.exists():
            return
        with suppress(OSError):  # for want of space, or of support by the file system
            free = os.statvfs(self._path.parent)
            if free.f_bavail * free.f_frsize < 8 * SIZE:
                return
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, SIZE)
            finally:
                os.close(fd)

    def spend(self) -> bool:
        """Give the space back; whether there was any."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True
