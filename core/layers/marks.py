"""What overlayfs writes into an upper directory: whiteouts, opaque directories, redirects.

Kernel, filesystems/overlayfs, "whiteouts and opaque directories", "Redirect directories",
"Metadata only copy up". With ``userxattr`` the attributes are ``user.overlay.*``, else
``trusted.overlay.*``; both are understood.
"""

from __future__ import annotations

import errno
import os
import stat

from core.errors import Unsupported
from core.layers.names import show

_PREFIXES = ("user.overlay.", "trusted.overlay.")
_NOT_FOLLOWED = ("redirect", "metacopy")
_MOUNT_POINTS = frozenset({(b"etc", b"hosts"), (b"etc", b"resolv.conf")})


class Marks:
    """What the overlay says about one directory.

    Attributes:
        opaque: It hides those of lower layers.
        by_attribute: Files in it may be whiteouts by their ``overlay.whiteout`` attribute.
    """

    __slots__ = ("by_attribute", "opaque")

    def __init__(self, *, opaque: bool, by_attribute: bool) -> None:
        self.opaque = opaque
        self.by_attribute = by_attribute


def _attribute(fd: int, name: str) -> bytes | None:
    for prefix in _PREFIXES:
        try:
            return os.getxattr(fd, prefix + name)
        except OSError as error:
            if error.errno not in (errno.ENODATA, errno.ENOTSUP, errno.EPERM):
                raise
    return None


def marks_of(fd: int) -> Marks:
    """The marks of an open directory."""
    value = _attribute(fd, "opaque")
    return Marks(opaque=value == b"y", by_attribute=value == b"x")


def check_whole(fd: int, names: list[str], path: bytes) -> None:
    """See that the file or directory does not borrow its content from a lower layer.

    Raises:
        Unsupported: it was moved or changed by an overlay with ``redirect_dir`` or ``metacopy``.
    """
    for prefix in _PREFIXES:
        for name in _NOT_FOLLOWED:
            if prefix + name in names:
                hint = "mount it without redirect_dir and metacopy, and touch it again"
                raise Unsupported(show(path), f"overlay.{name} is not followed", hint=hint)


def is_mount_point(path: tuple[bytes, ...], found: os.stat_result) -> bool:
    """Whether it is but an empty file for a sandbox to bind the host's on.

    :mod:`core.runtimes.network` binds them; in the sandbox nobody can have put it there.
    """
    return path in _MOUNT_POINTS and not found.st_size and stat.S_ISREG(found.st_mode)


def is_whiteout_in(marks: Marks, folder: int, name: bytes, found: os.stat_result) -> bool:
    """Whether ``name`` in the directory ``folder`` with ``marks`` hides what is below."""
    if stat.S_ISCHR(found.st_mode):
        return found.st_rdev == 0
    if not marks.by_attribute or found.st_size or not stat.S_ISREG(found.st_mode):
        return False
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        return _attribute(fd, "whiteout") is not None
    finally:
        os.close(fd)
