"""Partial blobs: they grow, they stay, they go on."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from core.errors import NoSpace
from core.store.ingest import ROOM, Ingest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


async def test_what_was_written_is_hashed_again_and_goes_on(tmp_path: Path) -> None:
    async with Ingest(tmp_path / "x", name="x") as ingest:
        await ingest.write(b"hello ")
    async with Ingest(tmp_path / "x", name="x") as ingest:
        assert ingest.kept == 6
        assert [chunk async for chunk in ingest.replay()] == [b"hello "]
        await ingest.write(b"world")
        assert ingest.offset == 11
        assert ingest.digest == f"sha256:{hashlib.sha256(b'hello world').hexdigest()}"
    assert (tmp_path / "x").read_bytes() == b"hello world"


async def test_a_restart_forgets_everything(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")
    async with Ingest(tmp_path / "x", name="x") as ingest:
        ingest.restart()
        assert [chunk async for chunk in ingest.replay()] == []
        await ingest.write(b"n")
    assert (tmp_path / "x").read_bytes() == b"n"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


async def test_a_full_disk_keeps_what_fitted_and_leaves_some_room(small_disk: Path) -> None:
    async with Ingest(small_disk / "x", name="layer 12ab") as ingest:
        with pytest.raises(NoSpace, match="layer 12ab") as caught:
            await ingest.write(os.urandom(8 << 20))
        assert ingest.offset == (small_disk / "x").stat().st_size > 2_900_000
    assert caught.value.hint
    assert shutil.disk_usage(small_disk).free >= ROOM


async def test_an_error_before_the_first_byte_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(NoSpace):
        async with Ingest(tmp_path / "x", name="layer 12ab"):
            raise NoSpace("layer 12ab")
    assert not (tmp_path / "x").exists()
