"""The tree that one layer is unpacked into, walked only through directory descriptors.

Every directory of the target is known here as a :class:`Folder`: nothing else writes the tree, and
directories get their owners, modes and times when all is in them.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from core.errors import Hostile
from core.layers.attributes import OPAQUE, ORIGIN, Attributes
from core.layers.folders import FOLDER_FLAGS, names_in, remove_at
from core.layers.names import META, WHITEOUT, show, split
from core.layers.resolving import MOST_HOPS, MOST_STEPS, MOST_STEPS_OF_ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.layers.attributes import Stamper

_MOST_OPEN = 128


class Folder:
    """A directory of the target.

    Attributes:
        attributes: None while the layer only implied it: then those of the directory below count.
        opaque: Whether it hides what lower layers have in a directory of its name.
        erased: Whether the layer deletes, apart from that, what they have under its name.
        whiteouts: Whether some were put into it.
        links: Hard links in it whose target the layer does not hold: name to path.
    """

    __slots__ = (
        "attributes", "children", "erased", "fd", "links", "name", "opaque", "parent", "whiteouts",
    )  # fmt: skip

    def __init__(self, name: bytes, parent: Folder | None) -> None:
        self.name = name
        self.parent = parent
        self.children: dict[bytes, Folder] = {}
        self.attributes: Attributes | None = None
        self.opaque = False
        self.erased = False
        self.whiteouts = False
        self.links: dict[bytes, list[bytes]] = {}
        self.fd = -1

    def path(self) -> list[bytes]:
        """Components from the root."""
        parts = []
        folder = self
        while folder.parent:
            parts.append(folder.name)
            folder = folder.parent
        return parts[::-1]

    def walk(self) -> Iterator[Folder]:
        """Itself and everything below, parents before children."""
        todo = [self]
        while todo:
            folder = todo.pop()
            yield folder
            todo.extend(folder.children.values())


class Target:
    """The folders of the tree whose root directory is open as ``root_fd``."""

    def __init__(self, root_fd: int) -> None:
        self.root = Folder(b"", None)
        self.root.fd = root_fd
        self._open: dict[Folder, None] = {}
        self._known: dict[bytes, Folder] = {}
        self._steps = 0

    def fd(self, folder: Folder) -> int:
        """A descriptor of ``folder``; valid until some other hundred have been asked for."""
        if folder.fd >= 0:
            if folder.parent:
                del self._open[folder]
                self._open[folder] = None
            return folder.fd
        chain = [folder]
        while (parent := chain[-1].parent) and parent.fd < 0:
            chain.append(parent)
        for closed in reversed(chain):
            assert closed.parent  # noqa: S101  # the root is never closed
            closed.fd = os.open(closed.name, FOLDER_FLAGS, dir_fd=closed.parent.fd)
            self._open[closed] = None
            if len(self._open) > _MOST_OPEN:
                self._close(next(iter(self._open)))
        return folder.fd

    def _close(self, folder: Folder) -> None:
        if folder.fd >= 0 and folder.parent:
            os.close(folder.fd)
            folder.fd = -1
            del self._open[folder]

    def close(self) -> None:
        """Close what :meth:`fd` has opened; the root's descriptor belongs to the caller."""
        for folder in list(self._open):
            self._close(folder)

    def place(self, name: bytes) -> tuple[Folder, bytes]:
        """The folder that an archive's path leads to, and the last component.

        Folders on the way are made as implied ones. The root itself is ``(root, b"")``.

        Raises:
            Hostile: the path goes up, through a file, or round in circles.
        """
        head, _, base = name.rpartition(b"/")
        folder = self._known.get(head)
        if folder is None or base in (b"", b".", b".."):
            parts = split(name)
            if not parts:
                return self.root, b""
            base = parts.pop()
            folder = self.reach(parts)
            if name.endswith(b"/" + base):
                self._known[head] = folder
        return folder, base

    def reach(self, parts: list[bytes]) -> Folder:
        """The folder at ``parts``; links of this layer are followed inside the root.

        Raises:
            Hostile: the path goes through a file or round in circles.
        """
        folder = self.root
        todo = parts[::-1]
        hops = steps = 0
        while todo:
            steps += 1
            part = todo.pop()
            if part in (b"", b"."):
                continue
            if part == b"..":
                folder = folder.parent or folder
                continue
            if part.startswith(WHITEOUT) and not part.startswith(META):
                raise Hostile(show(b"/".join(parts)), "a whiteout cannot be a folder")
            found = folder.children.get(part) or self._step(folder, part)
            if isinstance(found, Folder):
                folder = found
                continue
            hops += 1
            self._steps += len(found)
            if hops > MOST_HOPS or steps > MOST_STEPS or self._steps > MOST_STEPS_OF_ALL:
                raise Hostile(show(b"/".join(parts)), "too many symbolic links")
            if found.startswith(b"/"):
                folder = self.root
            todo.extend(reversed(found.split(b"/")))
        return folder

    def _step(self, parent: Folder, name: bytes) -> Folder | bytes:
        """Make the implied folder ``name``, or say where the link there leads."""
        fd = self.fd(parent)
        try:
            os.mkdir(name, 0o700, dir_fd=fd)
        except FileExistsError:
            found = os.lstat(name, dir_fd=fd)
            if stat.S_ISLNK(found.st_mode):
                return os.readlink(name, dir_fd=fd)
            if not is_whiteout(found):
                path = show(b"/".join([*parent.path(), name]))
                raise Hostile(path, "the path goes through a file") from None
            return self.make_folder(parent, name)
        return self._adopt(parent, name)

    def _adopt(self, parent: Folder, name: bytes) -> Folder:
        folder = Folder(name, parent)
        parent.children[name] = folder
        return folder

    def make_folder(self, parent: Folder, name: bytes) -> Folder:
        """The folder ``name``; over anything else of this layer it is made anew, and opaque."""
        if child := parent.children.get(name):
            return child
        fd = self.fd(parent)
        parent.links.pop(name, None)
        try:
            os.mkdir(name, 0o700, dir_fd=fd)
        except FileExistsError:
            # A file or whiteout of this layer: either way what is below stays hidden.
            os.unlink(name, dir_fd=fd)
            self._known.clear()
            os.mkdir(name, 0o700, dir_fd=fd)
            folder = self._adopt(parent, name)
            folder.opaque = folder.erased = True
            return folder
        return self._adopt(parent, name)

    def clear(self, parent: Folder, name: bytes) -> None:
        """Remove whatever this layer has at ``name``."""
        self._known.clear()
        parent.links.pop(name, None)
        if child := parent.children.pop(name, None):
            for folder in child.walk():
                self._close(folder)
        remove_at(name, self.fd(parent))

    def put_whiteout(self, parent: Folder, name: bytes) -> None:
        """Hide what lower layers have at ``name``; what this layer has there does so already.

        Raises:
            FileExistsError: this layer has something there that is no folder.
        """
        if child := parent.children.get(name):
            child.opaque = child.erased = True
            return
        os.mknod(name, stat.S_IFCHR, 0, dir_fd=self.fd(parent))
        parent.whiteouts = True

    def prune(self) -> None:
        """Remove implied folders that only whiteouts made, where lower layers have none.

        To be called when the folders that have a lower one have their attributes from there.
        """
        for folder in reversed(list(self.root.walk())):
            parent = folder.parent
            if folder.attributes or folder.links or not parent:
                continue
            fd = self.fd(folder)
            if all(is_whiteout(os.lstat(name, dir_fd=fd)) for name in names_in(fd)):
                self.clear(parent, folder.name)
                if folder.erased:
                    self.put_whiteout(parent, folder.name)

    def finish(self, stamper: Stamper) -> None:
        """Give every folder its attributes, the deepest first; implied ones get 0755 root:root."""
        for folder in reversed(list(self.root.walk())):
            fd = self.fd(folder)
            # The mark on a root means nothing to the kernel: settling hides name by name.
            if folder.opaque and folder.parent:
                os.setxattr(fd, OPAQUE, b"y")
            if folder.whiteouts:
                os.setxattr(fd, ORIGIN, b"")
            stamper.stamp_folder(fd, folder.attributes or Attributes(), folder.name)
            self._close(folder)

    def needs_lower(self) -> bool:
        """Whether something can only be finished with the layers below at hand."""
        if self.root.opaque or self.root.links:
            return True
        todo = [(child, False) for child in self.root.children.values()]
        while todo:
            folder, hidden = todo.pop()
            implied = folder.attributes is None and not hidden and not folder.erased
            if implied or folder.links:
                return True
            hidden = hidden or folder.opaque
            todo.extend((child, hidden) for child in folder.children.values())
        return False


def is_whiteout(found: os.stat_result) -> bool:
    """Whether overlayfs takes the file for a deletion."""
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == 0
