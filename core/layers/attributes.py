"""Owner, mode, times and extended attributes of what a layer holds.

OCI image spec v1.1, layer.md, "File Attributes"; xattr(7); capabilities(7).
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from core.layers.names import show

if TYPE_CHECKING:
    from collections.abc import Iterable

NOBODY = 65534
OPAQUE = b"user.overlay.opaque"
"""``y``: the directory hides those of lower layers. bwrap mounts with ``userxattr``."""
ORIGIN = b"user.overlay.origin"
"""Empty: overlayfs looks for whiteouts in the directory even if no other layer has it; else a
listing would show them (``ovl_get_inode``, ``OVL_WHITEOUTS``)."""
_MOST_KINDS = 32
_LEFT_OUT = {
    errno.EPERM: "not permitted here",
    errno.EACCES: "not permitted here",
    errno.ENOTSUP: "not supported by the file system",
    errno.EINVAL: "refused by the kernel",
    errno.ERANGE: "too large",
    errno.E2BIG: "too large",
    errno.ENOSPC: "too large",  # for the inode, not for the disk: nothing was stored before
}


class Attributes:
    """What a directory gets when nothing is put into it any more."""

    __slots__ = ("gid", "mode", "mtime", "uid", "xattrs")

    def __init__(
        self,
        mode: int = 0o755,
        uid: int = 0,
        gid: int = 0,
        mtime: int | None = None,
        xattrs: dict[bytes, bytes] | None = None,
    ) -> None:
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.mtime = mtime
        """Nanoseconds since the epoch; None leaves the time as it is."""
        self.xattrs = xattrs


class Warnings:
    """What was left out, once a kind with the first example."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[int, str]] = {}

    def add(self, kind: str, example: bytes) -> None:
        """Count one more of ``kind``."""
        if kind not in self._kinds and len(self._kinds) >= _MOST_KINDS:
            kind = "more left out"  # kinds may name what the archive says
        count, first = self._kinds.get(kind, (0, ""))
        self._kinds[kind] = (count + 1, first or show(example))

    def lines(self) -> list[str]:
        """One line a kind."""
        return [
            f"{kind}: {first}" + (f" and {count - 1} more" if count > 1 else "")
            for kind, (count, first) in self._kinds.items()
        ]


def _is_wanted(name: bytes) -> bool:
    """Whether an image may set the attribute.

    Labels of security modules belong to the host, and ``overlay`` ones would change what the
    mount shows.
    """
    if name.startswith(b"user."):
        return not name.startswith(b"user.overlay.")
    return name == b"security.capability" or name.startswith(b"system.posix_acl_")


def read_xattrs(fd: int) -> dict[bytes, bytes]:
    """The attributes that a copy of the file carries on."""
    wanted = (name for name in os.listxattr(fd) if _is_wanted(os.fsencode(name)))
    return {os.fsencode(name): os.getxattr(fd, name) for name in wanted}


class Stamper:
    """Gives files their attributes.

    Args:
        privileged: Whether owners may be set, as root or with subordinate ids.
        warnings: Told what could not be set.
    """

    def __init__(self, *, privileged: bool, warnings: Warnings) -> None:
        self.privileged = privileged
        self._own = (os.geteuid(), os.getegid())
        self.warnings = warnings

    def needs_owner(self, uid: int, gid: int) -> bool:
        """Whether a file just made has another owner than it should."""
        return self.privileged and (uid, gid) != self._own

    def set_owner(self, uid: int, gid: int, name: bytes, fd: int, *, at: bool = False) -> None:
        """Set the owner of ``fd``, or of ``name`` in the directory ``fd`` if ``at``.

        An id that the user namespace does not map becomes 65534 with a warning.
        """
        try:
            _chown(uid, gid, name, fd, at=at)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            self.warnings.add("owner not mapped here, now nobody", name)
            for pair in ((uid, NOBODY), (NOBODY, gid), (NOBODY, NOBODY)):
                try:
                    _chown(*pair, name, fd, at=at)
                except OSError as again:
                    if again.errno != errno.EINVAL:
                        raise
                else:
                    return

    def set_xattrs(self, fd: int, xattrs: dict[bytes, bytes], name: bytes) -> None:
        """Set the attributes that an image may set; the others are left out with a warning."""
        for key, value in xattrs.items():
            if not _is_wanted(key):
                if not key.startswith((b"user.overlay.", b"trusted.overlay.")):
                    self.warnings.add(f"extended attribute {show(key)} left out", name)
                continue
            try:
                os.setxattr(fd, key, value)
            except OSError as error:
                if error.errno not in _LEFT_OUT:
                    raise
                why = _LEFT_OUT[error.errno]
                self.warnings.add(f"extended attribute {show(key)} left out, {why}", name)
            except ValueError:  # NUL in the name
                self.warnings.add("extended attribute with an impossible name left out", name)

    def stamp_folder(self, fd: int, attributes: Attributes, name: bytes) -> None:
        """Finish a directory; nothing can be put into it afterwards without rights."""
        if self.needs_owner(attributes.uid, attributes.gid):
            self.set_owner(attributes.uid, attributes.gid, name, fd)
        if attributes.xattrs:
            self.set_xattrs(fd, attributes.xattrs, name)
        os.fchmod(fd, attributes.mode)
        if attributes.mtime is not None:
            os.utime(fd, ns=(attributes.mtime, attributes.mtime))

    def drop_inherited(self, fd: int) -> None:
        """Take from a new root what it has from the directory around it: group, bits, ACLs."""
        os.fchown(fd, -1, self._own[1])
        os.fchmod(fd, 0o700)
        _remove_xattrs(fd, ("system.posix_acl_default", "system.posix_acl_access"))


def _chown(uid: int, gid: int, name: bytes, fd: int, *, at: bool) -> None:
    if at:
        os.chown(name, uid, gid, dir_fd=fd, follow_symlinks=False)
    else:
        os.fchown(fd, uid, gid)


def _remove_xattrs(fd: int, names: Iterable[str]) -> None:
    for name in names:
        try:
            os.removexattr(fd, name)
        except OSError as error:
            if error.errno not in (errno.ENODATA, errno.ENOTSUP):
                raise
