"""Put the entries of a layer's archive into its own tree, as a lower directory of an overlay.

OCI image spec v1.1, layer.md, "Applying Changesets"; kernel, filesystems/overlayfs, "whiteouts and
opaque directories". Whiteouts and opaque marks hide lower layers only, whatever their order.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from core.errors import Hostile
from core.layers import tar
from core.layers.attributes import Attributes
from core.layers.names import META, OPAQUE_MARK, WHITEOUT, show, split
from core.layers.target import is_whiteout

if TYPE_CHECKING:
    from core.layers.attributes import Stamper
    from core.layers.stream import Stream
    from core.layers.tar import Archive, Entry
    from core.layers.target import Folder, Target

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NODES = {
    tar.CHARACTER: stat.S_IFCHR,
    tar.DEVICE: stat.S_IFBLK,
    tar.FIFO: stat.S_IFIFO,
}


class Applier:
    """Applies entries one by one; :attr:`size` and :attr:`entries` tell how much it was."""

    def __init__(
        self,
        target: Target,
        stream: Stream,
        stamper: Stamper,
        *,
        most_bytes: int,
        longest_path: int,
    ) -> None:
        self._target = target
        self._stream = stream
        self._stamper = stamper
        self._most_bytes = most_bytes
        self._longest = longest_path
        self._left_out: set[tuple[Folder, bytes]] = set()
        self.size = 0
        """Bytes of all files, holes included."""
        self.entries = 0
        """Members applied, whiteouts included."""

    def apply(self, archive: Archive) -> None:
        """Everything in ``archive``.

        Raises:
            DeckError: of the reader, or of an entry that must not be unpacked.
            OSError: the kernel refused; ``filename`` is the entry's name.
        """
        for entry in archive:
            self.entries += 1
            try:
                self._apply_entry(entry)
            except OSError as error:
                error.filename = entry.name
                raise
            except ValueError as error:  # NUL or a surrogate the kernel's names cannot hold
                raise Hostile(show(entry.name), "impossible name") from error

    def _apply_entry(self, entry: Entry) -> None:
        name = entry.name.rstrip(b"/") or entry.name
        if len(name) > self._longest:
            raise Hostile(show(name[:80]) + "…", f"path longer than {self._longest} bytes")
        folder, base = self._target.place(name)
        if not base:
            self._apply_root(entry)
        elif base.startswith(WHITEOUT):
            self._apply_whiteout(folder, base, entry)
        elif entry.kind == tar.FILE:
            self._apply_file(folder, base, entry)
        elif entry.kind == tar.FOLDER:
            self._target.make_folder(folder, base).attributes = _attributes_of(entry)
        elif entry.kind == tar.SYMLINK:
            self._apply_symlink(folder, base, entry)
        elif entry.kind == tar.LINK:
            self._apply_link(folder, base, entry)
        else:
            self._apply_node(folder, base, entry)

    def _apply_root(self, entry: Entry) -> None:
        if entry.kind != tar.FOLDER:
            raise Hostile(show(entry.name), f"a {entry.kind} in place of the root")
        self._target.root.attributes = _attributes_of(entry)

    def _apply_whiteout(self, folder: Folder, base: bytes, entry: Entry) -> None:
        self._stream.skip(entry.stored, show(entry.name))
        if base == OPAQUE_MARK:
            folder.opaque = True
            return
        if base.startswith(META):
            self._stamper.warnings.add("bookkeeping of aufs left out", entry.name)
            return
        hidden = base[len(WHITEOUT) :]
        if hidden in (b"", b".", b".."):
            raise Hostile(show(entry.name), "a whiteout of the folder itself or above it")
        with contextlib.suppress(FileExistsError):
            self._target.put_whiteout(folder, hidden)

    def _apply_file(self, folder: Folder, base: bytes, entry: Entry) -> None:
        self.size += entry.size
        if self.size > self._most_bytes:
            raise Hostile(show(entry.name), f"more than {self._most_bytes} bytes of files")
        stamper = self._stamper
        # Attributes can only be set by those who may write the file's mode, even with it open.
        mode = 0o600 if entry.xattrs else entry.mode & 0o777
        fd = self._create(folder, base, mode)
        try:
            if entry.regions is not None:
                self._fill_regions(fd, entry)
            elif entry.stored:
                self._stream.copy(entry.stored, fd, show(entry.name))
            if stamper.needs_owner(entry.uid, entry.gid):
                stamper.set_owner(entry.uid, entry.gid, entry.name, fd)
            if entry.xattrs:
                stamper.set_xattrs(fd, entry.xattrs, entry.name)
            if mode != entry.mode:
                os.fchmod(fd, entry.mode)
            os.utime(fd, ns=(entry.mtime, entry.mtime))
        finally:
            os.close(fd)

    def _create(self, folder: Folder, base: bytes, mode: int) -> int:
        fd = self._target.fd(folder)
        if folder.links:
            folder.links.pop(base, None)
        try:
            return os.open(base, _NEW_FILE, mode, dir_fd=fd)
        except FileExistsError:
            self._target.clear(folder, base)
            return os.open(base, _NEW_FILE, mode, dir_fd=self._target.fd(folder))

    def _fill_regions(self, fd: int, entry: Entry) -> None:
        for offset, length in entry.regions or ():
            os.lseek(fd, offset, os.SEEK_SET)
            self._stream.copy(length, fd, show(entry.name))
        os.ftruncate(fd, entry.size)

    def _apply_symlink(self, folder: Folder, base: bytes, entry: Entry) -> None:
        if not entry.link:
            raise Hostile(show(entry.name), "symbolic link to an empty name")
        fd = self._target.fd(folder)
        folder.links.pop(base, None)
        try:
            os.symlink(entry.link, base, dir_fd=fd)
        except FileExistsError:
            self._target.clear(folder, base)
            fd = self._target.fd(folder)
            os.symlink(entry.link, base, dir_fd=fd)
        self._stamp_at(fd, base, entry)

    def _apply_link(self, folder: Folder, base: bytes, entry: Entry) -> None:
        target = self._target
        parts = split(entry.link)
        what = show(entry.name)
        if not parts:
            raise Hostile(what, "hard link to the root")
        source = target.reach(parts[:-1])
        origin = parts[-1]
        if (source, origin) == (folder, base) or origin in source.children:
            raise Hostile(what, "hard link to itself or to a folder")
        if (source, origin) in self._left_out:
            self._hide(folder, base)
            return
        if origin in source.links:
            target.clear(folder, base)
            folder.links[base] = source.links[origin]
            return
        try:
            found = os.lstat(origin, dir_fd=target.fd(source))
        except FileNotFoundError:
            target.clear(folder, base)
            folder.links[base] = [*source.path(), origin]
            return
        if is_whiteout(found):
            raise Hostile(what, "hard link to what the layer deletes")
        self._link(source, origin, folder, base, what)

    def _link(self, source: Folder, origin: bytes, folder: Folder, base: bytes, what: str) -> None:
        target = self._target
        for again in (False, True):
            try:
                os.link(
                    origin,
                    base,
                    src_dir_fd=target.fd(source),
                    dst_dir_fd=target.fd(folder),
                    follow_symlinks=False,
                )
            except FileExistsError:
                if again:
                    raise
                target.clear(folder, base)
            except FileNotFoundError:
                raise Hostile(what, "hard link to what it replaces") from None
            else:
                return

    def _apply_node(self, folder: Folder, base: bytes, entry: Entry) -> None:
        """Devices and fifos."""
        target = self._target
        device = 0
        if entry.kind != tar.FIFO:
            if (entry.major, entry.minor) == (0, 0):
                self._leave_out(
                    "device 0:0, to overlayfs a deletion, left out", folder, base, entry
                )
                return
            try:
                device = os.makedev(entry.major, entry.minor)
            except (OverflowError, ValueError):
                raise Hostile(show(entry.name), "impossible device number") from None
            if not self._stamper.privileged:
                self._leave_out("device left out, needs root", folder, base, entry)
                return
        target.clear(folder, base)
        fd = target.fd(folder)
        try:
            os.mknod(base, _NODES[entry.kind] | entry.mode, device, dir_fd=fd)
        except PermissionError:
            if entry.kind == tar.FIFO:
                raise
            self._leave_out("device left out, not permitted here", folder, base, entry)
            return
        self._stamp_at(fd, base, entry)

    def _leave_out(self, why: str, folder: Folder, base: bytes, entry: Entry) -> None:
        self._hide(folder, base)
        self._stamper.warnings.add(why, entry.name)

    def _hide(self, folder: Folder, base: bytes) -> None:
        """Leave out an entry, and what it would have replaced."""
        self._target.clear(folder, base)
        self._target.put_whiteout(folder, base)
        self._left_out.add((folder, base))

    def _stamp_at(self, fd: int, base: bytes, entry: Entry) -> None:
        """Owner and time of what cannot be opened."""
        stamper = self._stamper
        if stamper.needs_owner(entry.uid, entry.gid):
            stamper.set_owner(entry.uid, entry.gid, base, fd, at=True)
        if entry.xattrs:
            stamper.warnings.add("extended attributes of a link or device left out", entry.name)
        os.utime(base, ns=(entry.mtime, entry.mtime), dir_fd=fd, follow_symlinks=False)


def _attributes_of(entry: Entry) -> Attributes:
    return Attributes(entry.mode, entry.uid, entry.gid, entry.mtime, entry.xattrs)
