"""The journal of a layer that waits to be settled: its folders, and links to lower layers.

Kept in the layer's own root under a name that no layer can hold, so that it moves and goes with
the tree.
"""

from __future__ import annotations

import json
import os

from core.layers.attributes import Attributes
from core.layers.names import JOURNAL
from core.layers.stream import write_all
from core.layers.target import Folder, Target

_FLAGS = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


def _text(name: bytes) -> str:
    return name.decode("latin-1")


def _name(text: str) -> bytes:
    return text.encode("latin-1")


def _dump_attributes(attributes: Attributes | None) -> list[object] | None:
    if attributes is None:
        return None
    xattrs = {_text(key): _text(value) for key, value in (attributes.xattrs or {}).items()}
    return [attributes.mode, attributes.uid, attributes.gid, attributes.mtime, xattrs]


def write_journal(target: Target) -> None:
    """Keep what :func:`read_journal` needs to go on with ``target``."""
    numbers: dict[Folder, int] = {}
    rows = []
    for folder in target.root.walk():
        numbers[folder] = len(numbers)
        rows.append(
            [
                numbers[folder.parent] if folder.parent else -1,
                _text(folder.name),
                folder.opaque,
                folder.erased,
                folder.whiteouts,
                _dump_attributes(folder.attributes),
                {_text(name): [_text(p) for p in path] for name, path in folder.links.items()},
            ]
        )
    fd = os.open(JOURNAL, _FLAGS, 0o600, dir_fd=target.root.fd)
    try:
        write_all(fd, json.dumps(rows).encode())
    finally:
        os.close(fd)


def read_journal(root_fd: int) -> Target:
    """The target as it was when its journal was written.

    Raises:
        FileNotFoundError: there is no journal; nothing waits to be settled.
    """
    fd = os.open(JOURNAL, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=root_fd)
    with open(fd, "rb") as file:
        rows = json.load(file)
    target = Target(root_fd)
    folders: list[Folder] = []
    for parent, name, opaque, erased, whiteouts, attributes, links in rows:
        folder = Folder(_name(name), folders[parent]) if folders else target.root
        if folder.parent:
            folder.parent.children[folder.name] = folder
        folder.opaque = opaque
        folder.erased = erased
        folder.whiteouts = whiteouts
        if attributes:
            mode, uid, gid, mtime, xattrs = attributes
            pairs = {_name(key): _name(value) for key, value in xattrs.items()}
            folder.attributes = Attributes(mode, uid, gid, mtime, pairs)
        folder.links = {_name(key): [_name(p) for p in path] for key, path in links.items()}
        folders.append(folder)
    return target


def remove_journal(root_fd: int) -> None:
    """The layer is settled."""
    os.unlink(JOURNAL, dir_fd=root_fd)
