"""Count what layers hold and nobody sees; for the process that looks.

A copy of a file counts as wasted in its layer if a layer above replaces it, removes it, or hides
its folder. (dive, which shows the same, counts the last copy too.) A file with several hard links
counts when the last of them is hidden.
"""

from __future__ import annotations

import heapq
import os
import stat
from typing import TYPE_CHECKING, Any

from core.layers.below import marked_opaque
from core.layers.escapes import escape
from core.layers.target import is_whiteout
from core.layers.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.layers.below import Path

_MOST_FILES = 100

_Stack = tuple[tuple[int, bool], ...]
"""Layers that have a folder, highest first, each with whether its own is seen."""


class Wasted:
    """The counts of one image; ``roots`` are its layers, highest first."""

    def __init__(self, roots: Sequence[int]) -> None:
        self._view = View(roots)
        self.sizes = [0] * len(roots)
        """Bytes of files of each layer."""
        self.wasted = [0] * len(roots)
        self._linked: dict[tuple[int, int], int] = {}
        self._hidden: dict[tuple[int, int], int] = {}
        self._files: list[tuple[int, int, str]] = []

    def count(self) -> dict[str, Any]:
        """Walk all of it."""
        todo: list[tuple[Path, _Stack]] = [((), tuple((n, True) for n in range(len(self.sizes))))]
        while todo:
            path, stack = todo.pop()
            todo.extend(self._folder(path, stack))
        files = sorted(self._files, reverse=True)
        return {
            "sizes": self.sizes,
            "wasted": self.wasted,
            "files": [{"path": path, "copies": n, "size": size} for size, n, path in files],
        }

    def _folder(self, path: Path, stack: _Stack) -> Iterator[tuple[Path, _Stack]]:
        covered: set[bytes] = set()
        folders: dict[bytes, list[tuple[int, bool]]] = {}
        lost: dict[bytes, list[int]] = {}
        for layer, seen in stack:
            fd = self._view.folder_fd(layer, path)
            here = []
            with os.scandir(fd) as entries:
                for entry in entries:
                    name = os.fsencode(entry.name)
                    shown = seen and name not in covered
                    if entry.is_dir(follow_symlinks=False):
                        folders.setdefault(name, []).append((layer, shown))
                        if shown and self._closes(layer, (*path, name)):
                            here.append(name)
                        continue
                    found = entry.stat(follow_symlinks=False)
                    here.append(name)
                    if not is_whiteout(found):
                        # a folder above hides a file, though not a folder
                        shown = shown and name not in folders
                        if size := self._file(layer, found, shown=shown):
                            lost.setdefault(name, []).append(size)
            # what hides, hides only below its layer
            covered.update(here if seen else ())
        for name, sizes in lost.items():
            self._keep(sum(sizes), len(sizes), (*path, name))
        for name, inner in folders.items():
            yield (*path, name), tuple(inner)

    def _closes(self, layer: int, path: Path) -> bool:
        return marked_opaque(self._view.folder_fd(layer, path))

    def _file(self, layer: int, found: os.stat_result, *, shown: bool) -> int:
        """Count a file; the bytes that are lost with it."""
        if not stat.S_ISREG(found.st_mode):
            return 0
        if found.st_nlink > 1:
            key = (layer, found.st_ino)
            if key not in self._linked:
                self._linked[key] = found.st_nlink
                self.sizes[layer] += found.st_size
            if shown:
                return 0
            self._hidden[key] = self._hidden.get(key, 0) + 1
            if self._hidden[key] < self._linked[key]:
                return 0
        else:
            self.sizes[layer] += found.st_size
            if shown:
                return 0
        self.wasted[layer] += found.st_size
        return found.st_size

    def _keep(self, size: int, copies: int, path: Path) -> None:
        """Remember the largest."""
        row = (size, copies, "/" + escape(b"/".join(path)))
        if len(self._files) < _MOST_FILES:
            heapq.heappush(self._files, row)
        else:
            heapq.heappushpop(self._files, row)
