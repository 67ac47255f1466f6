"""Remove and measure trees through directory descriptors, whatever their names, depth and modes.

Blocking, for worker processes and threads. Nothing follows a symbolic link; a tree may be deeper
than ``PATH_MAX`` and than the limit of open files, so neither paths nor a chain of descriptors can
reach its bottom.
"""

from __future__ import annotations

import errno
import os
import stat

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def open_folder(name: bytes, dir_fd: int | None = None) -> int:
    """A descriptor of a directory that its owner may not be able to read: it is made so first."""
    try:
        return os.open(name, FOLDER_FLAGS, dir_fd=dir_fd)
    except PermissionError:
        handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=dir_fd)
        try:
            # There is no chmod that takes a directory and does not follow (before Linux 6.6).
            os.chmod(f"/proc/self/fd/{handle}", 0o700)  # noqa: PTH101
        finally:
            os.close(handle)
        return os.open(name, FOLDER_FLAGS, dir_fd=dir_fd)


def names_in(fd: int) -> list[bytes]:
    """What is in the directory."""
    with os.scandir(fd) as entries:
        return [os.fsencode(entry.name) for entry in entries]


def _make_writable(fd: int) -> None:
    mode = os.fstat(fd).st_mode
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        os.fchmod(fd, stat.S_IRWXU)


def _lift(name: bytes, fd: int, top: int, serial: int) -> int:
    """Move the folder ``name`` from ``fd`` to a free name in ``top``; the serial it got."""
    while True:
        try:
            # Over an empty folder this replaces it, and that is to be removed as well.
            os.rename(name, b"%d" % serial, src_dir_fd=fd, dst_dir_fd=top)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
            serial += 1
        else:
            return serial


def _empty(fd: int, top: int, serial: int) -> int:
    """Remove all in ``fd`` but folders that are not empty; those are lifted to ``top``."""
    _make_writable(fd)
    with os.scandir(fd) as entries:
        found = [
            (os.fsencode(entry.name), entry.is_dir(follow_symlinks=False)) for entry in entries
        ]
    for name, is_folder in found:
        if not is_folder:
            os.unlink(name, dir_fd=fd)
            continue
        try:
            os.rmdir(name, dir_fd=fd)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            if fd == top:
                continue
            child = open_folder(name, fd)  # moving a folder writes its ".."
            try:
                _make_writable(child)
            finally:
                os.close(child)
            serial = _lift(name, fd, top, serial + 1)
    return serial


def _subfolders(fd: int) -> list[bytes]:
    with os.scandir(fd) as entries:
        return [os.fsencode(e.name) for e in entries if e.is_dir(follow_symlinks=False)]


def remove_at(name: bytes, dir_fd: int | None = None) -> None:
    """Remove what ``name`` is, with all below it; nothing if there is nothing."""
    try:
        os.unlink(name, dir_fd=dir_fd)
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):
        if not stat.S_ISDIR(os.lstat(name, dir_fd=dir_fd).st_mode):
            raise
    else:
        return
    top = open_folder(name, dir_fd)
    try:
        serial = _empty(top, top, 0)
        while folders := _subfolders(top):
            for folder in folders:
                fd = open_folder(folder, top)
                try:
                    serial = _empty(fd, top, serial)
                finally:
                    os.close(fd)
                os.rmdir(folder, dir_fd=top)
    finally:
        os.close(top)
    os.rmdir(name, dir_fd=dir_fd)


def measure(name: bytes) -> int:
    """Bytes that the tree takes on disk; a file with several links counts once."""
    total = 0
    seen: set[tuple[int, int]] = set()
    todo: list[tuple[bytes, ...]] = [()]
    top = open_folder(name)
    try:
        while todo:
            path = todo.pop()
            fd = open_beneath(top, path)
            try:
                with os.scandir(fd) as entries:
                    for entry in entries:
                        found = entry.stat(follow_symlinks=False)
                        if stat.S_ISDIR(found.st_mode):
                            todo.append((*path, os.fsencode(entry.name)))
                        elif found.st_nlink > 1:
                            key = (found.st_dev, found.st_ino)
                            if key in seen:
                                continue
                            seen.add(key)
                        total += found.st_blocks * 512
            finally:
                os.close(fd)
    finally:
        os.close(top)
    return total


def open_beneath(root: int, parts: tuple[bytes, ...]) -> int:
    """A new descriptor of the directory ``parts`` below ``root``; no component may be a link."""
    fd = os.dup(root)
    for part in parts:
        parent = fd
        try:
            fd = os.open(part, FOLDER_FLAGS, dir_fd=parent)
        finally:
            os.close(parent)
    return fd
