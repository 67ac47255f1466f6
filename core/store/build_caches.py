"""Folders of ``RUN --mount=type=cache``: one for each id, kept from build to build.

``caches/HASH/fs`` is what commands see, which may make it theirs; ``caches/HASH/id`` what the
Dockerfile calls it. The folder's time is that of the last use.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.text import clean

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildCache:
    """One such folder."""

    path: Path
    name: str
    """The id, safe to show."""
    used: float


def use_cache(caches: Path, ident: str) -> Path:
    """The folder to mount for an id, made if need be; blocks."""
    folder = caches / hashlib.sha256(ident.encode()).hexdigest()[:32]
    tree = folder / "fs"
    if tree.is_dir():
        os.utime(folder)
        return tree
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "id").write_text(ident)
    tree.mkdir()
    tree.chmod(0o755)
    return tree


def find_caches(caches: Path) -> list[BuildCache]:
    """Every cache there is; blocks."""
    found = []
    with suppress(FileNotFoundError):
        for path in sorted(caches.iterdir()):
            with suppress(FileNotFoundError):
                used = path.stat().st_mtime
                try:
                    name = (path / "id").read_text(errors="replace")
                except OSError:
                    name = path.name
                found.append(BuildCache(path=path, name=clean(name, _LONGEST), used=used))
    return found
