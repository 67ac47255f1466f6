"""Extract an archive that ADD names, into a stage's file system.

Dockerfile reference, "ADD": a local tar archive, plain or compressed with gzip, bzip2, xz or zstd,
is unpacked as a folder. It is told by its content, never by its name.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from core.errors import DeckError, Hostile
from core.layers import tar
from core.layers.compression import expand
from core.layers.names import show, split
from core.layers.stream import Stream
from core.layers.tar import Archive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.builds.placing import Placer
    from core.limits import Limits

_READ = 256 << 10
_GRACE = 1 << 30
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def _chunks(fd: int) -> Iterator[bytes]:
    offset = 0
    while chunk := os.pread(fd, _READ, offset):
        offset += len(chunk)
        yield chunk


def is_archive(fd: int) -> bool:
    """Whether the file is a tar archive, compressed or not."""
    head = b""
    try:
        for piece in expand(_chunks(fd)):
            head += piece
            if len(head) >= tar.BLOCK:
                break
    except DeckError:
        return False
    if len(head) < tar.BLOCK or not any(head[: tar.BLOCK]):
        return False
    try:
        return next(iter(Archive(Stream([head]), 2)), None) is not None
    except DeckError:
        return False


def extract(fd: int, placer: Placer, limits: Limits) -> None:
    """Unpack the archive below the placer's target.

    Raises:
        Corrupt, Hostile, Unsupported: it is damaged, leads out of where it belongs, or costs more
            than ``limits`` allow.
    """
    size = os.fstat(fd).st_size

    def bounded() -> Iterator[bytes]:
        total = 0
        for piece in expand(_chunks(fd)):
            total += len(piece)
            if total > _GRACE + limits.ratio * size:
                raise Hostile("archive", f"expands more than {limits.ratio} times")
            if total > limits.total_bytes:
                raise Hostile("archive", f"expands to more than {limits.total_bytes} bytes")
            yield piece

    stream = Stream(bounded())
    for entry in Archive(stream, limits.entries):
        if len(entry.name) > limits.path_length:
            raise Hostile(show(entry.name[:80]), f"a path of more than {limits.path_length} bytes")
        parts = split(entry.name)
        if not parts:
            continue
        target = os.path.join(placer.target, *parts)
        placer.make_folders(os.path.dirname(target))
        _put(entry, stream, target, placer)


def _put(entry: tar.Entry, stream: Stream, target: bytes, placer: Placer) -> None:
    owner = placer.owner or (entry.uid, entry.gid)
    mode = placer.mode_of(entry.mode)
    if entry.kind == tar.FOLDER:
        placer.put_folder(target, owner, mode, entry.mtime)
        return
    if entry.kind in (tar.CHARACTER, tar.DEVICE):
        placer.stamper.warnings.add("device not extracted", entry.name)
        return
    placer.clear(target)
    if entry.kind == tar.LINK:
        origin = os.path.join(placer.target, *split(entry.link))
        try:
            os.link(origin, target, follow_symlinks=False)
        except OSError as error:
            raise Hostile(show(entry.name), "hard link to what is not there") from error
        return
    if entry.kind == tar.FILE:
        _put_file(entry, stream, target, placer, owner, mode)
        return
    if entry.kind == tar.SYMLINK:
        os.symlink(entry.link, target)
    else:
        os.mkfifo(target)
    placer.chown_at(target, owner)
    if entry.kind == tar.FIFO:
        os.chmod(target, mode)
    os.utime(target, ns=(entry.mtime, entry.mtime), follow_symlinks=False)


def _put_file(
    entry: tar.Entry,
    stream: Stream,
    target: bytes,
    placer: Placer,
    owner: tuple[int, int],
    mode: int,
) -> None:
    what = show(entry.name)
    fd = os.open(target, _NEW_FILE, 0o600)
    try:
        if entry.regions is None:
            stream.copy(entry.stored, fd, what)
        else:
            for offset, length in entry.regions:
                os.lseek(fd, offset, os.SEEK_SET)
                stream.copy(length, fd, what)
            os.ftruncate(fd, entry.size)
        if placer.stamper.needs_owner(*owner):
            placer.stamper.set_owner(*owner, entry.name, fd)
        if entry.xattrs:
            placer.stamper.set_xattrs(fd, entry.xattrs, entry.name)
        os.fchmod(fd, mode)
        os.utime(fd, ns=(entry.mtime, entry.mtime))
    finally:
        os.close(fd)
