"""Copy the data of one file to another: shared extents where the file system can, holes kept.

ioctl_ficlone(2), copy_file_range(2), lseek(2) with SEEK_DATA.
"""

from __future__ import annotations

import errno
import fcntl
import os

from core.layers.stream import write_all

_FICLONE = 0x4004_9409
_COPY = 1 << 20
_MOST = 1 << 30  # copied by one system call
_NOT_HERE = (
    errno.EOPNOTSUPP,
    errno.ENOTTY,
    errno.ENOSYS,
    errno.EXDEV,
    errno.EINVAL,
    errno.EPERM,
    errno.EBADF,
)

Region = tuple[int, int]
"""Offset in the file and number of bytes."""


def data_regions(fd: int, size: int) -> list[Region]:
    """Where the file has data, within its first ``size`` bytes; the rest are holes."""
    regions: list[Region] = []
    at = 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # nothing but a hole is left
                raise
            break
        if start >= size:
            break
        at = min(os.lseek(fd, start, os.SEEK_HOLE), size)
        regions.append((start, at - start))
    return regions


def copy_data(old: int, new: int, size: int) -> None:
    """Make the empty file ``new`` hold the first ``size`` bytes of ``old``."""
    if not size:
        return
    try:
        fcntl.ioctl(new, _FICLONE, old)
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise
    else:
        os.ftruncate(new, size)  # it may have grown meanwhile
        return
    for start, length in data_regions(old, size):
        _copy_region(old, new, start, length)
    os.ftruncate(new, size)


def _copy_region(old: int, new: int, start: int, length: int) -> None:
    end = start + length
    while start < end:
        try:
            done = os.copy_file_range(old, new, min(end - start, _MOST), start, start)
        except OSError as error:
            if error.errno not in _NOT_HERE:
                raise
            break
        if not done:
            return  # it was shortened meanwhile
        start += done
    while start < end and (chunk := os.pread(old, min(_COPY, end - start), start)):
        os.lseek(new, start, os.SEEK_SET)
        write_all(new, chunk)
        start += len(chunk)
