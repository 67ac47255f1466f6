"""Unpack the layers of an image into a folder, as whoever runs this.

    drive.py '{"folder": …, "blobs": [...], "enter": [...], "privileged": true}'

Prints one JSON list: for each layer what :class:`core.layers.unpack.Unpacked` says.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from core.layers.unpack import Unpacked, open_unpacker, settle
from core.limits import DEFAULTS, Limits

_CHUNK = 1 << 18


async def unpack_blob(
    blob: Path,
    target: Path,
    lowers: list[Path],
    *,
    enter: tuple[str, ...] = (),
    privileged: bool = True,
    limits: Limits = DEFAULTS,
) -> Unpacked:
    """One layer, settled if it must be."""
    async with open_unpacker(target, enter=enter, privileged=privileged, limits=limits) as unpacker:
        with blob.open("rb") as file:
            while chunk := file.read(_CHUNK):
                await unpacker.write(chunk)
        done = await unpacker.finish()
    if done.needs_lower:
        await settle(target, lowers, enter=enter, privileged=privileged)
    return done


async def unpack_all(
    folder: Path, blobs: list[Path], *, enter: tuple[str, ...] = (), privileged: bool = True
) -> list[Unpacked]:
    """All layers of an image, bottom to top, into ``folder/0``, ``folder/1`` …"""
    targets: list[Path] = []
    results = []
    for number, blob in enumerate(blobs):
        target = folder / str(number)
        results.append(await unpack_blob(blob, target, targets, enter=enter, privileged=privileged))
        targets.append(target)
    return results


def _main(arguments: dict[str, Any]) -> None:
    results = asyncio.run(
        unpack_all(
            Path(arguments["folder"]),
            [Path(blob) for blob in arguments["blobs"]],
            enter=tuple(arguments["enter"]),
            privileged=arguments["privileged"],
        )
    )
    sys.stdout.write(json.dumps([dataclasses.asdict(result) for result in results]))


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
