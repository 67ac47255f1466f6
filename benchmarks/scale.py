"""What grows with an image: ``python -m benchmarks.scale``.

Processor seconds and peak memory of unpacking archives of 25,000 to 200,000 small files, of
settling 100 layers one on the other, and of listing the largest. Linear means that the last column,
the cost of one entry against the smallest archive's, stays near 1. Processor time, as that is what
a loaded machine distorts least. As root.
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from typing import TYPE_CHECKING

from core.layers.listing import FIRST
from core.layers.reading import open_look
from core.layers.unpack import open_unpacker, settle
from tests.core.layers import archives
from tests.host import clear_root, make_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENTRIES = (25_000, 50_000, 100_000, 200_000)
LAYERS = (25, 50, 100)
A_FOLDER = 100
"""Files in one."""


def archive_of(entries: int) -> Iterator[bytes]:
    """So many small files, a hundred a folder."""
    for number in range(entries):
        folder = b"srv/%04d/" % (number // A_FOLDER)
        if number % A_FOLDER == 0:
            yield archives.folder(folder)
        yield archives.file(folder + b"%06d" % number, b"%d" % number)
    yield archives.END


def spent() -> tuple[float, float]:
    """CPU seconds of ended children, and the most memory that one of them had, in MB."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


async def unpack(target: Path, pieces: Iterator[bytes]) -> bool:
    """One layer; whether it is to be settled."""
    async with open_unpacker(target, privileged=True) as unpacker:
        for piece in pieces:
            await unpacker.write(piece)
        return (await unpacker.finish()).needs_lower


async def entries(root: Path) -> None:
    """Unpack ever larger archives."""
    first = 0.0
    print(f"{'entries':>8}{'CPU s':>8}{'us each':>9}{'peak MB':>9}{'of first':>9}")
    for count in ENTRIES:
        before, _ = spent()
        await unpack(root / str(count), archive_of(count))
        after, memory = spent()
        each = (after - before) / count * 1e6
        first = first or each
        print(f"{count:8}{after - before:8.2f}{each:9.1f}{memory:9.0f}{each / first:9.2f}")


async def layers(root: Path) -> None:
    """Settle ever higher stacks of layers that need what is below them."""
    print(f"{'layers':>8}{'CPU s':>8}{'ms each':>9}")
    for count in LAYERS:
        stack: list[Path] = []
        before, _ = spent()
        for number in range(count):
            target = root / f"stack{count}-{number}"
            # the folders are implied: their attributes come from the layer below
            needs = await unpack(
                target, iter([archives.file(b"etc/deep/%d" % number), archives.END])
            )
            if needs:
                await settle(target, stack, privileged=True)
            stack.append(target)
        after, _ = spent()
        print(f"{count:8}{after - before:8.2f}{(after - before) / count * 1000:9.1f}")


async def listing(root: Path) -> None:
    """The first piece of the largest tree, and all of it."""
    request = {
        "verb": "list",
        "roots": [str(root / str(ENTRIES[-1]))],
        "numbers": [1],
        "alone": False,
        "path": "/",
        "recursive": True,
    }
    start = time.perf_counter()
    async with open_look(request) as look:
        pieces = look.pieces()
        await anext(pieces)
        page = time.perf_counter() - start
        async for _ in pieces:
            pass
    whole = time.perf_counter() - start
    print(f"list {ENTRIES[-1]} files: first {FIRST} after {page:.2f} s, all after {whole:.2f} s")


def main() -> None:
    """Print the tables."""
    root = make_root()
    os.umask(0o022)
    try:
        asyncio.run(entries(root))
        asyncio.run(layers(root))
        asyncio.run(listing(root))
    finally:
        clear_root(root)


if __name__ == "__main__":
    main()
