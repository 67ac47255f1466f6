"""Unpack a layer, as fetched, into a directory of its own, and settle it on the layers below.

Each layer has a worker process (:mod:`core.layers.worker`): decompression, hashing and extraction
would hold up the event loop, and with user namespaces it must run as somebody else.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import HostForbids
from core.layers.process import open_worker, run_worker
from core.layers.trees import make_root, remove_tree, sync_tree
from core.limits import DEFAULTS
from core.pausing import passage
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from core.layers.process import Worker
    from core.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """A layer that is on disk."""

    diff_id: str
    """``sha256:…`` of the uncompressed archive."""
    tar_size: int
    """Bytes of the uncompressed archive."""
    size: int
    """Bytes of its files, holes included."""
    entries: int
    """Members of the archive, whiteouts included."""
    needs_lower: bool
    """Whether :func:`settle` must finish it: then the tree depends on the layers below."""
    warnings: tuple[str, ...]
    """What was left out or changed, one line a kind, safe to show."""


class Unpacker:
    """Takes the bytes of one layer; made by :func:`open_unpacker`."""

    def __init__(self, target: Path, worker: Worker) -> None:
        self._target = target
        self._worker = worker
        self.finished = False
        """Whether :meth:`finish` gave a result: only then the target stays."""

    @property
    def unpacked_bytes(self) -> int:
        """Bytes of uncompressed archive done so far; never goes back."""
        return self._worker.progress

    async def write(self, chunk: bytes) -> None:
        """Feed the next bytes of the compressed archive; waits while the worker is behind.

        Raises:
            DeckError: the archive was refused, the disk is full, or the worker died.
        """
        await passage()
        await self._worker.write(chunk)

    async def finish(self, *, sync: bool = False) -> Unpacked:
        """All bytes were fed: wait for the worker.

        Args:
            sync: Return only when the tree is on the disk, with all else on its file system.

        Raises:
            Corrupt: the archive is truncated or damaged, or something follows its end.
            Hostile: it broke a rule of safety or a limit.
            Unsupported: it has a member of an unknown type.
            NoSpace: the disk is full.
            HostForbids: the kernel does not allow it here.
        """
        done = await self._worker.result()
        if sync:
            await sync_tree(self._target.parent)
        self.finished = True
        self._worker.progress = int(done["tar_size"])
        return Unpacked(
            diff_id=str(done["diff_id"]),
            tar_size=int(done["tar_size"]),
            size=int(done["size"]),
            entries=int(done["entries"]),
            needs_lower=bool(done["needs_lower"]),
            warnings=tuple(clean(line) for line in done["warnings"]),
        )


@asynccontextmanager
async def open_unpacker(
    target: Path,
    *,
    enter: tuple[str, ...] = (),
    privileged: bool,
    limits: Limits = DEFAULTS,
) -> AsyncIterator[Unpacker]:
    """Unpack one layer into ``target``, which must not exist while its parent must.

    Leaving without a result of :meth:`Unpacker.finish` kills the worker and removes the target;
    so does cancelling, which waits for both.

    Args:
        target: The layer's directory.
        enter: Command prefix into the user namespace that the owners are meant for.
        privileged: Whether owners and devices may be set there; else all is the caller's.
        limits: What the archive may cost.

    Raises:
        HostForbids: the worker could not be started.
    """
    make_root(target)
    finished = False
    try:
        async with open_worker(
            "unpack",
            target,
            str(int(privileged)),
            str(limits.entries),
            str(limits.path_length),
            str(limits.ratio),
            str(limits.total_bytes),
            enter=enter,
        ) as worker:
            unpacker = Unpacker(target, worker)
            yield unpacker
            finished = unpacker.finished
    finally:
        if not finished:
            await _discard(target, enter)


async def diff_id_of(chunks: AsyncIterator[bytes], *, limits: Limits = DEFAULTS) -> str:
    """The diff_id of a layer's blob, found without unpacking it.

    Raises:
        Corrupt: its compressed data is truncated or damaged.
        Hostile: it expands beyond a limit.
    """
    async with open_worker("digest", str(limits.ratio), str(limits.total_bytes)) as worker:
        async for chunk in chunks:
            await worker.write(chunk)
        return str((await worker.result())["diff_id"])


async def _discard(target: Path, enter: tuple[str, ...]) -> None:
    try:
        await remove_tree(target, enter=enter)
    except HostForbids:
        if not enter:
            raise
        # What could not be entered has not put anything there with other owners.
        await remove_tree(target)


async def settle(
    target: Path, lowers: Sequence[Path], *, enter: tuple[str, ...] = (), privileged: bool
) -> tuple[str, ...]:
    """Finish a layer that ``needs_lower`` against the layers it lies on.

    An error or cancelling leaves the target half settled: remove it.

    Args:
        target: What :func:`open_unpacker` made.
        lowers: Finished layers, bottom to top; none for a layer that is itself the lowest.
        enter: As for unpacking.
        privileged: As for unpacking.

    Returns:
        Warnings, one line a kind.

    Raises:
        Corrupt: a hard link leads nowhere.
        Hostile: a path goes through a file or round in circles.
        NoSpace: the disk is full.
    """
    done = await run_worker("settle", target, str(int(privileged)), *lowers, enter=enter)
    return tuple(clean(line) for line in done["warnings"])
