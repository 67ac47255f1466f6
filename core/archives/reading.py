"""Find out what is in an archive of images: a file, a stream of bytes, or a folder.

An uncompressed file is only looked through, and read where its members are. What is compressed
or comes as a stream is taken apart on its way, into files that become blobs of the store.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from core.archives.blocking import in_steps, pulled
from core.archives.members import Member, Members, plain_name
from core.errors import Corrupt, DeckError, Hostile, InvalidInput, NotFound, Unsupported
from core.layers.compression import HEAD, compression_of, expand
from core.layers.names import show
from core.layers.stream import Stream, write_all
from core.layers.tar import FILE, FOLDER, LINK, SYMLINK, Archive, Entry
from core.store.ingest import CHUNK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from core.limits import Limits
    from core.store.layout import Layout

    Report: TypeAlias = Callable[[int, int], None]
    """Takes bytes read and bytes in all (0: not known); called in a thread."""

MOST_MEMBERS = 100_000
"""Of one archive; an image of 127 layers has about 400 in the oldest of formats."""

_SMALL = 256 << 10
"""Bytes up to which members share one file."""

_GRACE = 1 << 30
"""The ratio counts from here on."""

_DEEPEST = 8
_INDEXES = frozenset({"index.json", "manifest.json", "repositories"})
"""What lists the images of an archive is called so."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


async def open_archive(
    source: Path | AsyncIterator[bytes],
    *,
    name: str,
    layout: Layout,
    limits: Limits,
    report: Report,
) -> Members:
    """What is in ``source``; close it (a context manager) to be rid of what was taken apart.

    ``name`` is what errors call it. Cancelling leaves nothing.

    Raises:
        NotFound, InvalidInput: no such file, or one that cannot be read.
        Corrupt: truncated, damaged, or something follows its end.
        Hostile: a name or link leaves it, a member is there twice, or it breaks a cap.
        NoSpace: the disk is full.
    """
    passing = ExitStack()
    try:
        if not isinstance(source, Path):
            taken = _Taken(name, layout, limits, passing)
            loop = asyncio.get_running_loop()
            await in_steps(
                lambda check: taken.run(pulled(source, loop, check), 0, report, check), what=name
            )
            return taken.members
        file = _open(source, name)
        passing.callback(os.close, file)
        if stat.S_ISDIR(os.fstat(file).st_mode):
            return await in_steps(partial(_scan, file, name, passing), what=name)
        size = os.fstat(file).st_size
        if compression_of(os.pread(file, HEAD, 0)) == "none":
            return await in_steps(partial(_index, file, size, name, passing), what=name)
        taken = _Taken(name, layout, limits, passing)
        await in_steps(lambda check: taken.run(_file_chunks(file), size, report, check), what=name)
    except BaseException:
        passing.close()
        raise
    else:
        return taken.members


def _open(path: Path, name: str) -> int:
    try:
        # a fifo would block, and a device may have side effects
        found = path.stat()
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise InvalidInput(name, "not a regular file", hint="give it on standard input")
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(name, "no such file", hint="check the path") from None
    except OSError as error:
        why = (error.strerror or "not readable").lower()
        raise InvalidInput(name, why, hint="name a file that you can read") from error


def _file_chunks(file: int) -> Iterator[bytes]:
    at = 0
    while chunk := os.pread(file, CHUNK, at):
        at += len(chunk)
        yield chunk


# -- a tar file, looked through -----------------------------------------------------------


class _FileStream(Stream):
    """A :class:`Stream` over a file: what is left out is not read."""

    __slots__ = ("_file", "_size", "position")

    def __init__(self, file: int, size: int) -> None:
        super().__init__(())
        self._file = file
        self._size = size
        self.position = 0

    def at_end(self) -> bool:
        return self.position >= self._size

    def read(self, count: int, what: str) -> bytes:
        data = os.pread(self._file, count, self.position)
        if len(data) < count:
            raise Corrupt(what, "the archive is truncated")
        self.position += count
        return data

    def skip(self, count: int, what: str) -> None:
        self.position += count
        if self.position > self._size:
            raise Corrupt(what, "the archive is truncated")

    def expect_zeros(self) -> None:
        while chunk := os.pread(self._file, CHUNK, self.position):
            if chunk.count(0) != len(chunk):
                raise Corrupt("tar archive", "something follows its end")
            self.position += len(chunk)


def _index(
    file: int, size: int, name: str, passing: ExitStack, check: Callable[[], None]
) -> Members:
    members = Members(name, lambda _: os.dup(file), most=MOST_MEMBERS, passing=passing)
    stream = _FileStream(file, size)
    with _naming(name):
        archive = Archive(stream, MOST_MEMBERS)
        for entry in archive:
            check()
            member = _member(entry, members, offset=stream.position)
            archive.skip(entry)
            if member:
                members.add(member)
    return members


# -- what cannot be sought in, taken apart ------------------------------------------------


class _Taken:
    """Takes an archive apart: a large member a file, the small ones together in one."""

    def __init__(self, name: str, layout: Layout, limits: Limits, passing: ExitStack) -> None:
        self.members = Members(name, _nowhere, most=MOST_MEMBERS, passing=passing)
        self._name = name
        self._layout = layout
        self._limits = limits
        self._passing = passing
        self._shared: Path | None = None

    def run(
        self,
        chunks: Iterator[bytes],
        total: int,
        report: Report,
        check: Callable[[], None],
    ) -> None:
        """Read all of it; blocks."""
        taken = 0

        def counted() -> Iterator[bytes]:
            nonlocal taken
            for chunk in chunks:
                check()
                taken += len(chunk)
                report(taken, total)
                yield chunk

        def bounded() -> Iterator[bytes]:
            given, limits = 0, self._limits
            for chunk in expand(counted()):
                check()
                given += len(chunk)
                if given > _GRACE + limits.ratio * taken:
                    raise Hostile("archive", f"expands more than {limits.ratio} times")
                if given > limits.total_bytes:
                    raise Hostile("archive", f"expands to more than {limits.total_bytes} bytes")
                yield chunk

        with _naming(self._name):
            stream = Stream(bounded())
            for entry in Archive(stream, MOST_MEMBERS):
                member = _member(entry, self.members)
                if member and member.kind == "file":
                    member = self._keep(member, stream)
                if member:
                    self.members.add(member)

    def _keep(self, member: Member, stream: Stream) -> Member:
        if member.size > _SMALL or self._shared is None:
            path = self._layout.passing()
            self._passing.callback(path.unlink, missing_ok=True)
            if member.size <= _SMALL:
                self._shared = path
        else:
            path = self._shared
        hashed, left = hashlib.sha256(), member.size
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            offset = os.fstat(file).st_size
            while left:
                piece = stream.read(min(left, CHUNK), member.name)
                hashed.update(piece)
                write_all(file, piece)
                left -= len(piece)
        finally:
            os.close(file)
        digest = f"sha256:{hashed.hexdigest()}"
        return Member(
            name=member.name,
            size=member.size,
            path=path,
            offset=offset,
            digest=digest,
            shared=path == self._shared,
        )


def _nowhere(member: Member) -> int:
    raise Corrupt(member.name, "is not in the archive")


# -- a folder ------------------------------------------------------------------------------


def _scan(root: int, name: str, passing: ExitStack, check: Callable[[], None]) -> Members:
    def open_member(member: Member) -> int:
        return _open_beneath(root, member.name, members.of(member.name))

    members = Members(name, open_member, most=MOST_MEMBERS, passing=passing)
    if not _INDEXES.intersection(os.listdir(root)):
        return members  # any other folder may be large and full of links

    def walk(folder: int, below: str, depth: int) -> None:
        if depth > _DEEPEST:
            raise Hostile(members.of(below), f"folders more than {_DEEPEST} deep")
        with os.scandir(folder) as entries:
            for entry in entries:
                check()
                path = f"{below}/{entry.name}" if below else entry.name
                if entry.is_symlink():
                    target = os.readlink(entry.name, dir_fd=folder)
                    target = plain_name(target, of=members.of(path), below=below)
                    members.add(Member(name=path, kind="link", target=target))
                elif entry.is_dir(follow_symlinks=False):
                    inner = os.open(entry.name, _FOLDER, dir_fd=folder)
                    try:
                        walk(inner, path, depth + 1)
                    finally:
                        os.close(inner)
                elif entry.is_file(follow_symlinks=False):
                    size = entry.stat(follow_symlinks=False).st_size
                    members.add(Member(name=path, size=size))
                else:
                    raise Hostile(members.of(path), "neither a file nor a folder nor a link")

    walk(root, "", 0)
    return members


def _open_beneath(root: int, name: str, of: str) -> int:
    """A regular file below ``root``, no link followed."""
    *folders, last = name.split("/")
    with ExitStack() as opened:
        where = root
        try:
            for folder in folders:
                where = os.open(folder, _FOLDER, dir_fd=where)
                opened.callback(os.close, where)
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.open(last, flags, dir_fd=where)
        except OSError as error:
            raise Corrupt(of, (error.strerror or "cannot be read").lower()) from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise Hostile(of, "became something else than a file")
    return file


# -- both forms of tar ---------------------------------------------------------------------


def _member(entry: Entry, members: Members, *, offset: int = 0) -> Member | None:
    """An entry as a member; None for a folder."""
    shown = show(entry.name)
    of = members.of(shown)
    name = plain_name(shown, of=of)
    if entry.kind == FOLDER:
        return None
    if entry.kind in (LINK, SYMLINK):
        below = name.rpartition("/")[0] if entry.kind == SYMLINK else ""
        target = plain_name(show(entry.link), of=of, below=below)
        return Member(name=name, kind="link", target=target)
    if entry.kind != FILE:
        raise Hostile(of, f"a {entry.kind}")
    if entry.regions is not None:
        raise Unsupported(of, "a sparse file", hint="make the archive without --sparse")
    return Member(name=name, size=entry.size, offset=offset)


@contextmanager
def _naming(archive: str) -> Iterator[None]:
    """Let errors say which archive they are about."""
    try:
        yield
    except DeckError as error:
        if error.what.startswith(archive) or not isinstance(error, (Corrupt, Hostile, Unsupported)):
            raise
        raise type(error)(archive, error.message, hint=error.hint) from error
