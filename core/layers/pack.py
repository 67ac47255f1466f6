"""Copy an overlay's writable layer, and pack trees as archives.

A worker process (:mod:`core.layers.worker`) reads the trees: it burns a core, and must see owners
and read files as the distro's root does. It writes to a descriptor it is given: archives do not
pass through the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.layers.process import open_worker, run_worker
from core.layers.trees import make_root, remove_tree
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from core.layers.compress import Compression


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A tree that was copied."""

    entries: int
    """Files of every kind and whiteouts; 0 for an empty tree."""
    size: int
    """Bytes of its files, holes included."""
    warnings: tuple[str, ...]
    """What was left out, one line a kind, safe to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """An archive that was written."""

    digest: str
    """Of the blob, as compressed."""
    diff_id: str
    """Of the uncompressed archive."""
    blob_size: int
    tar_size: int
    """Bytes of the uncompressed archive."""
    size: int
    """Bytes of its files, holes included."""
    entries: int
    """Members of the archive, whiteouts included."""
    warnings: tuple[str, ...]
    """What was left out, one line a kind, safe to show."""


async def copy_tree(
    source: Path,
    target: Path,
    *,
    as_layer: bool,
    enter: tuple[str, ...] = (),
    owners: bool,
) -> Copied:
    """Copy an upper directory or a layer's tree to ``target``, which must not exist.

    Data is shared where the file system can (reflink). On error or cancel the target is gone.

    Args:
        source: Not changed; may be in use meanwhile.
        target: Its parent must be there.
        as_layer: Leave out names that no layer can hold, and what only a sandbox put there.
        enter: Command prefix into the user namespace whose root may read all of it.
        owners: Whether owners may be set there.

    Raises:
        NoSpace: the disk is full.
        Unsupported: the overlay used ``redirect_dir`` or ``metacopy``.
    """
    make_root(target)
    try:
        done = await run_worker(
            "copy", source, target, str(int(as_layer)), str(int(owners)), enter=enter
        )
    except BaseException:
        await remove_tree(target, enter=enter)
        raise
    return Copied(
        entries=int(done["entries"]),
        size=int(done["size"]),
        warnings=tuple(clean(line) for line in done["warnings"]),
    )


async def pack(
    trees: Sequence[Path],
    output: int,
    *,
    flat: bool,
    compression: Compression = "gzip",
    enter: tuple[str, ...] = (),
    owners: bool,
    on_progress: Callable[[Callable[[], int]], object] | None = None,
) -> Packed:
    """Write what ``trees``, bottom to top, show together to the descriptor ``output``.

    The same trees give the same diff_id. Cancelling kills the writer.

    Args:
        trees: Upper directories or layers' trees, in the namespace of ``enter``.
        output: A file or the writing end of a pipe; stays open.
        flat: A whole root file system; else a layer, with whiteouts for what the trees hide.
        compression: Of the blob.
        enter: Command prefix into the user namespace whose root may read all of it.
        owners: Whether ids mean something; else all belongs to root.
        on_progress: Given a function that says how many bytes of archive are done.

    Raises:
        NoSpace: the disk is full.
        Unsupported: the overlay used ``redirect_dir`` or ``metacopy``.
    """
    arguments = (str(output), compression, str(int(flat)), str(int(owners)))
    async with open_worker("pack", *arguments, *trees, enter=enter, kept=(output,)) as worker:
        if on_progress:
            on_progress(lambda: worker.progress)
        done = await worker.result()
    return Packed(
        digest=str(done["digest"]),
        diff_id=str(done["diff_id"]),
        blob_size=int(done["blob_size"]),
        tar_size=int(done["tar_size"]),
        size=int(done["size"]),
        entries=int(done["entries"]),
        warnings=tuple(clean(line) for line in done["warnings"]),
    )
