"""Write images to an archive: a file, a folder, or a stream of bytes.

A file is written aside and renamed when it is whole. The same images give the same bytes: names
and order follow from the images, times are 0, the owner is root.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tarfile
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from backports import zstd
from isal import isal_zlib

from core.archives.blocking import in_steps
from core.archives.contents import Format, Part, Source, parts_of
from core.errors import Conflict, InvalidInput, NotFound
from core.images.find import find_image
from core.images.progress import Progress, ignore
from core.images.reference import parse_reference
from core.layers.stream import write_all
from core.store.intake import in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
    from pathlib import Path

    from core.images.progress import Report
    from core.store.lease import Lease
    from core.store.store import Store

Compression = Literal["", "gzip", "zstd"]
COMPRESSIONS: tuple[Compression, ...] = ("", "gzip", "zstd")

_GZIP_LEVEL = 1
_ZSTD_LEVEL = 3
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What is to be written; everything it needs is leased."""

    parts: tuple[Part, ...]
    compression: Compression

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(part.size for part in self.parts)


def sources_of(store: Store, names: Sequence[str]) -> list[Source]:
    """The images called ``names``, each once, in the order of their first mention.

    An image asked for by a reference is saved under that one; by a digest or as a distro's, under
    all it has.

    Raises:
        NotFound: nothing has such a name.
        Conflict: several digests begin so.
        InvalidInput: no name at all.
    """
    if not names:
        raise InvalidInput("images", "none named", hint="distrodeck images shows what there is")
    found: dict[str, Source] = {}
    for name in names:
        image = find_image(store, name)
        asked = _reference_in(name, image.references)
        before = found.get(image.digest, Source(image=image))
        given = dict.fromkeys((*before.names, *(asked or image.references)))
        found[image.digest] = Source(image=image, names=tuple(given))
    return list(found.values())


def _reference_in(name: str, references: Sequence[str]) -> tuple[str, ...]:
    with suppress(InvalidInput):
        if (full := str(parse_reference(name))) in references:
            return (full,)
    return ()


async def prepare(
    store: Store,
    names: Sequence[str],
    *,
    lease: Lease,
    format_: Format = "docker-archive",
    compression: Compression = "",
) -> Saving:
    """Find what is to be saved and lease it.

    Raises:
        NotFound, Conflict: a name is nobody's, or several images'.
        InvalidInput: several images in a format that holds one, or a folder compressed.
        Corrupt: a document or blob is missing in the store.
    """
    if compression and format_.endswith("-dir"):
        raise InvalidInput(format_, "a folder is not compressed", hint="leave --compress out")
    sources = sources_of(store, names)
    needs = {source.image.digest for source in sources}
    for source in sources:
        needs |= {source.image.config_digest, *store.layer_keys(source.image.digest)}
        for layer in source.image.layers:
            needs |= {other.digest for other in store.layers_of(layer.diff_id)} | {layer.digest}
    await store.intake.hold(lease, needs)
    parts = await in_thread(store.layout, parts_of, store, sources, format_)
    return Saving(parts=tuple(parts), compression=compression)


async def save_file(saving: Saving, path: Path, *, report: Report = ignore) -> None:
    """Write an archive to a file, in place of one that is there.

    Cancelled or failed, nothing is there but what was.

    Raises:
        InvalidInput: it is there and no regular file.
        NotFound: the folder is not there.
        NoSpace: the disk is full.
        Corrupt: a blob of the store is damaged.
    """
    _check_place(path)
    aside = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")
    tell = _telling(saving, report)

    def work(check: Callable[[], None]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            file = os.open(aside, flags, 0o666)
        except OSError as error:
            error.filename = str(path)  # the name that was asked for
            raise
        try:
            for piece in archive_bytes(saving, tell):
                check()
                write_all(file, piece)
            if path.exists():
                os.fsync(file)  # what takes the place of a whole file has to be whole too
            aside.rename(path)
        finally:
            os.close(file)
            aside.unlink(missing_ok=True)

    await in_steps(work, what=str(path))


async def save_folder(saving: Saving, path: Path, *, report: Report = ignore) -> None:
    """Write an archive as a folder that is not there yet; as :func:`save_file`.

    Raises:
        Conflict: there is something of that name.
    """
    _check_place(path, new=True)
    aside = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")
    tell = _telling(saving, report)

    def work(check: Callable[[], None]) -> None:
        try:
            for part in saving.parts:
                target = aside / part.name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb", buffering=0) as file:
                    for piece in part.chunks():
                        check()
                        write_all(file.fileno(), piece)
                        tell(part, len(piece))
            aside.rename(path)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    await in_steps(work, what=str(path))


async def save_stream(store: Store, saving: Saving) -> AsyncGenerator[bytes]:
    """The bytes of an archive as they are wanted; as many at a time as suits a pipe."""
    pieces = archive_bytes(saving, lambda _part, _count: None)
    while piece := await in_thread(store.layout, next, pieces, b""):
        yield piece


def _check_place(path: Path, *, new: bool = False) -> None:
    if not path.is_absolute():
        raise InvalidInput(str(path), "not an absolute path", hint="begin it with /")
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        if not path.parent.is_dir():
            raise NotFound(str(path.parent), "no such folder", hint="make it first") from None
        return
    except OSError as error:
        why = (error.strerror or "cannot be looked at").lower()
        raise InvalidInput(str(path), why, hint="name a file that you may write") from error
    if new:
        raise Conflict(str(path), "is there already", hint="name a new folder")
    if path.exists() and not path.is_file():
        raise InvalidInput(str(path), "not a regular file", hint="name a file, or - for a stream")


def _telling(saving: Saving, report: Report) -> Callable[[Part, int], None]:
    """Counts the bytes of each layer; called in a thread."""
    loop = asyncio.get_running_loop()
    progress = Progress(report)
    progress.expect((part.digest, part.size) for part in saving.parts if part.blob)
    progress.enter("write")
    done: dict[str, int] = {}

    def tell(part: Part, count: int) -> None:
        if part.blob:
            done[part.digest] = had = done.get(part.digest, 0) + count
            phase: Literal["done", "write"] = "done" if had >= part.size else "write"
            loop.call_soon_threadsafe(partial(progress.layer, part.digest, phase, had))

    return tell


# -- bytes ---------------------------------------------------------------------------------


def archive_bytes(saving: Saving, tell: Callable[[Part, int], None]) -> Iterator[bytes]:
    """The archive, compressed as asked, in pieces of about a MiB; blocks.

    ``tell`` takes each part and how many of its bytes are through.
    """
    held: list[bytes] = []
    size = 0
    for piece in _compressed(_tar(saving.parts, tell), saving.compression):
        held.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield held[0] if len(held) == 1 else b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)


def _compressed(pieces: Iterator[bytes], kind: Compression) -> Iterator[bytes]:
    if not kind:
        yield from pieces
        return
    if kind == "gzip":
        gzip = isal_zlib.compressobj(_GZIP_LEVEL, wbits=31)
        yield from map(gzip.compress, pieces)
        yield gzip.flush()
    else:
        packer = zstd.ZstdCompressor(level=_ZSTD_LEVEL)
        yield from map(packer.compress, pieces)
        yield packer.flush()


def _tar(parts: Sequence[Part], tell: Callable[[Part, int], None]) -> Iterator[bytes]:
    """A tar archive in which everything that could differ from one run to the next is 0."""
    total = 0
    made: set[str] = set()
    for part in parts:
        heads = b"".join(_folder(name) for name in _folders(part.name, made))
        heads += _header(part.name, part.size)
        total += len(heads) + part.size + -part.size % tarfile.BLOCKSIZE
        yield heads
        for piece in part.chunks():
            tell(part, len(piece))
            yield piece
        yield bytes(-part.size % tarfile.BLOCKSIZE)
    end = 2 * tarfile.BLOCKSIZE
    yield bytes(end + -(total + end) % tarfile.RECORDSIZE)


def _folders(name: str, made: set[str]) -> list[str]:
    """The folders above ``name`` that are not in ``made`` yet; now they are."""
    parts = name.split("/")[:-1]
    paths = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    new = [path for path in paths if path not in made]
    made.update(new)
    return new


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member.tobuf(tarfile.GNU_FORMAT)


def _folder(name: str) -> bytes:
    member = tarfile.TarInfo(f"{name}/")
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    return member.tobuf(tarfile.GNU_FORMAT)
