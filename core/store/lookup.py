"""Look a file up in a stack of unpacked layers without mounting them.

Kernel documentation "Overlay Filesystem" (whiteouts, opaque directories) and
``path_resolution(7)``. Links come from the image and are hostile: every step goes through a
directory descriptor, links are followed by us, and ``..`` stops at the root.
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MOST_LINKS = 40
_MOST_STEPS = 256
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPAQUE = ("user.overlay.opaque", "trusted.overlay.opaque")
_WHITEOUT = ("user.overlay.whiteout", "trusted.overlay.whiteout")


def read_file(layers: Sequence[Path], path: str, *, cap: int = 64 << 10) -> bytes | None:
    """The first ``cap`` bytes of a regular file in ``layers`` (bottom to top), or None."""
    with ExitStack() as opened:
        return _Walk(layers, opened).read(path, cap)


class _Walk:
    def __init__(self, layers: Sequence[Path], opened: ExitStack) -> None:
        self._opened = opened
        # the top layer's folder may be reached by a link (a short name), so no O_NOFOLLOW
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        self._stack = [[self._keep(os.open(layer, flags)) for layer in reversed(layers)]]

    def _keep(self, descriptor: int) -> int:
        self._opened.callback(os.close, descriptor)
        return descriptor

    def read(self, path: str, cap: int) -> bytes | None:
        todo, links, steps = path.split("/")[::-1], 0, 0
        while todo:
            steps += 1
            name = todo.pop()
            if steps > _MOST_STEPS or len(name) > 255 or "\0" in name:
                return None
            if name in ("", "."):
                continue
            if name == "..":
                if len(self._stack) > 1:
                    self._stack.pop()
                continue
            where, found = self._enter(name)
            if found is None:
                return None
            if stat.S_ISLNK(found.st_mode):
                links += 1
                target = os.readlink(name, dir_fd=where)
                if links > _MOST_LINKS or len(target) > 4096:
                    return None
                if target.startswith("/"):
                    del self._stack[1:]
                todo += target.split("/")[::-1]
            elif not stat.S_ISDIR(found.st_mode):
                whole = stat.S_ISREG(found.st_mode) and not any(todo)
                return self._contents(where, name, cap) if whole else None
        return None

    def _enter(self, name: str) -> tuple[int, os.stat_result | None]:
        """The topmost ``name`` here; if it is a directory, go into it in every layer."""
        inside: list[int] = []
        first: tuple[int, os.stat_result | None] = (-1, None)
        for descriptor in self._stack[-1]:
            try:
                found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except (FileNotFoundError, PermissionError):
                continue
            if _is_whiteout(descriptor, name, found):
                break
            if not stat.S_ISDIR(found.st_mode):
                if first[1] is None:
                    first = (descriptor, found)
                break
            try:
                directory = self._keep(os.open(name, _DIRECTORY, dir_fd=descriptor))
            except PermissionError:
                continue
            inside.append(directory)
            if first[1] is None:
                first = (descriptor, found)
            if _marked(directory, _OPAQUE, b"y"):
                break
        if inside:
            self._stack.append(inside)
        return first

    def _contents(self, where: int, name: str, cap: int) -> bytes | None:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            with open(os.open(name, flags, dir_fd=where), "rb") as file:
                return file.read(cap)
        except OSError:
            return None


def _is_whiteout(directory: int, name: str, found: os.stat_result) -> bool:
    if stat.S_ISCHR(found.st_mode):
        return found.st_rdev == 0
    if not stat.S_ISREG(found.st_mode) or found.st_size:
        return False
    # listxattr has no dir_fd; the descriptor's own path in /proc does it
    return _marked(f"/proc/self/fd/{directory}/{name}", _WHITEOUT)


def _marked(target: int | str, names: tuple[str, ...], value: bytes | None = None) -> bool:
    """Whether one of the attributes is there, with ``value`` if one is given."""
    for name in names:
        try:
            if isinstance(target, int):
                found = os.getxattr(target, name)
            else:
                found = os.getxattr(target, name, follow_symlinks=False)
        except OSError:
            continue
        return value is None or found == value
    return False
