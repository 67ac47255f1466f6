"""Which files of a tree COPY and ADD mean, and a digest of all that would be copied.

Dockerfile reference, "COPY": wildcards as Go's ``filepath.Match``, links that are named are
followed inside the tree, links below a named folder are copied as they are.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.builds.confined import Parts, Tree, split
from core.builds.ignore import Ignore, glob
from core.errors import InvalidInput, NotFound
from core.layers.names import show

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAGIC = frozenset(b"*?[\\")
_READ = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file or folder that was meant."""

    named: Parts
    """As it was written, wildcards filled in."""
    path: Parts
    """Where it is when all links are followed."""
    folder: bool

    @property
    def base(self) -> bytes:
        """The name it gets in a folder; empty for the tree's root."""
        return self.named[-1] if self.named else b""


def select(tree: Tree, wanted: Sequence[str], ignore: Ignore) -> list[Source]:
    """What each of ``wanted`` means, in order.

    Raises:
        NotFound: one means nothing.
        InvalidInput: one leads out of the tree, or is a malformed pattern.
    """
    found: list[Source] = []
    for text in wanted:
        pattern = split(os.fsencode(text))
        if b".." in pattern:
            pattern = _without_parents(pattern, text)
        try:
            named = _matches(tree, pattern)
        except ValueError as error:
            raise InvalidInput(text, str(error)) from None
        sources = [one for name in named if (one := _source(tree, name, ignore))]
        if not sources:
            hint = "the context does not have it, or .dockerignore leaves it out"
            raise NotFound(text, "no such file or folder", hint=hint)
        found += sources
    return found


def _without_parents(pattern: Parts, text: str) -> Parts:
    done: list[bytes] = []
    for part in pattern:
        if part != b"..":
            done.append(part)
        elif done:
            done.pop()
        else:
            hint = "name only what is in the build's context"
            raise InvalidInput(text, "leads out of the context", hint=hint)
    return tuple(done)


def _matches(tree: Tree, pattern: Parts) -> list[Parts]:
    found: list[Parts] = [()]
    for part in pattern:
        if not _MAGIC & set(part):
            found = [(*path, part) for path in found]
            continue
        expression = glob(part)
        found = [
            (*path, name)
            for path in found
            for name in _names(tree, path)
            if expression.fullmatch(name)
        ]
    return found


def _names(tree: Tree, path: Parts) -> list[bytes]:
    try:
        return tree.names(tree.resolve(path))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _source(tree: Tree, named: Parts, ignore: Ignore) -> Source | None:
    if ignore.leaves_out(named) and not ignore.may_take_back:
        return None
    try:
        path = tree.resolve(named)
        found = tree.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    folder = stat.S_ISDIR(found.st_mode)
    if ignore.leaves_out(named) and not folder:
        return None
    source = Source(named=named, path=path, folder=folder)
    if ignore.leaves_out(named) and not any(path for path, _ in entries(tree, source, ignore)):
        return None
    return source


def entries(tree: Tree, source: Source, ignore: Ignore) -> Iterator[tuple[Parts, os.stat_result]]:
    """A source and all below it that is not left out; paths are below it, parents first."""
    if not ignore.may_take_back:
        yield from tree.walk(
            source.path, leave_out=lambda path: ignore.leaves_out((*source.named, *path))
        )
        return
    # A folder that is left out may hold what is taken back, and is then there for its sake.
    waiting: list[tuple[Parts, os.stat_result]] = []
    for path, found in tree.walk(source.path):
        waiting = [one for one in waiting if path[: len(one[0])] == one[0]]
        if path and ignore.leaves_out((*source.named, *path)):
            if stat.S_ISDIR(found.st_mode):
                waiting.append((path, found))
            continue
        yield from waiting
        waiting = []
        yield path, found


def digest(tree: Tree, sources: Sequence[Source], ignore: Ignore) -> str:
    """A digest of names, kinds, modes, link targets and contents; blocks. Times do not count."""
    total = hashlib.sha256()
    for source in sources:
        for path, found in entries(tree, source, ignore):
            name = b"/".join((source.base, *path))
            _mix(total, name, b"%o" % found.st_mode)
            where = (*source.path, *path)
            if stat.S_ISREG(found.st_mode):
                _mix(total, _content(tree, where))
            elif stat.S_ISLNK(found.st_mode):
                _mix(total, tree.readlink(where))
            elif not stat.S_ISDIR(found.st_mode):
                _mix(total, b"%d" % found.st_rdev)
    return f"sha256:{total.hexdigest()}"


def _mix(total: hashlib._Hash, *values: bytes) -> None:
    for value in values:
        total.update(b"%d:" % len(value) + value)


def _content(tree: Tree, path: Parts) -> bytes:
    try:
        fd = tree.open_file(path)
    except PermissionError:
        raise InvalidInput(
            show(b"/".join(path)), "cannot be read", hint="chmod it, or list it in .dockerignore"
        ) from None
    with os.fdopen(fd, "rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").digest()
