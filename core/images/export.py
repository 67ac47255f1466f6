"""Write the root file system of a distro as one archive, to a file or as a stream."""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core.background import background
from core.errors import DeckError, InvalidInput, NoSpace, Refused
from core.images.layering import layer_trees
from core.layers.pack import pack
from core.layers.worker import explain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.layers.compress import Compression
    from core.layers.pack import Packed
    from core.store.lease import Lease
    from core.store.records import DistroRecord
    from core.store.store import Store

PIECE = 256 << 10
"""Bytes given at a time."""


def check_export(record: DistroRecord) -> None:
    """Raises: Refused, for *this host*, whose root belongs to the machine."""
    if not record.image_digest:
        hint = "export a distro that was pulled or built"
        raise Refused(record.name, "this machine's own root is not exported", hint=hint)


async def export_file(
    store: Store, record: DistroRecord, lease: Lease, path: str, compression: Compression
) -> Packed:
    """Write ``path``, there whole or not at all; an older file is replaced.

    Raises:
        InvalidInput: not an absolute path, or nothing can be written there.
        NoSpace: the disk is full.
    """
    target = Path(path)
    if not target.is_absolute():
        raise InvalidInput(path, "not an absolute path", hint="begin with /")
    fresh = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}")
    try:
        output = await asyncio.to_thread(_create, target, fresh)
        try:
            packed = await write_rootfs(store, record, lease, output, compression)
        except NoSpace as error:
            hint = "free some space there, or name a file on another disk"
            raise NoSpace(path, error.why, hint=hint) from error
        finally:
            os.close(output)
        await asyncio.to_thread(_put, fresh, target)
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
    return packed


@asynccontextmanager
async def export_stream(
    store: Store, record: DistroRecord, lease: Lease, compression: Compression
) -> AsyncIterator[AsyncIterator[bytes]]:
    """The archive as bytes; leaving it before their end stops the writing."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    fault: list[DeckError] = []

    async def write() -> None:
        try:
            await write_rootfs(store, record, lease, writing, compression)
        except DeckError as error:
            fault.append(error)
        finally:
            os.close(writing)

    async def pieces() -> AsyncIterator[bytes]:
        while piece := await reader.read(PIECE):
            yield piece
        if fault:
            raise fault[0]

    async with background() as tasks:
        reader = asyncio.StreamReader(limit=PIECE)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb", 0)
        )
        try:
            tasks.start(write())
            yield pieces()
        finally:
            transport.close()


async def write_rootfs(
    store: Store, record: DistroRecord, lease: Lease, output: int, compression: Compression
) -> Packed:
    """Write all that a distro shows to a descriptor."""
    check_export(record)
    await store.intake.hold(lease, {record.image_digest, *store.layer_keys(record.image_digest)})
    return await pack(
        [*layer_trees(store, record.image_digest), record.upper],
        output,
        flat=True,
        compression=compression,
        enter=store.reading,
        owners=store.owners,
    )


def _create(target: Path, fresh: Path) -> int:
    try:
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            raise InvalidInput(str(target), "is no regular file", hint="name a file to write")
        return os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except OSError as error:
        why = (error.strerror or "cannot be written").lower()
        raise InvalidInput(str(target), why, hint="name a file that you may write") from error


def _put(fresh: Path, target: Path) -> None:
    try:
        fd = os.open(fresh, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        fresh.rename(target)
    except OSError as error:
        raise explain(error) from error
