"""Put on the disk what was written so far.

``syncfs(2)``: one call for a tree of ten thousand files, where fsync would need as many.
"""

from __future__ import annotations

import ctypes
import errno
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)


def sync_filesystem(path: Path) -> None:
    """Wait until everything on ``path``'s file system is on the disk; blocks.

    Raises:
        OSError: a write that was delayed until now did not succeed (ENOSPC, EIO).
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            if number != errno.ENOSYS:
                raise OSError(number, os.strerror(number), str(path))
            os.sync()
    finally:
        os.close(descriptor)
