"""Loads that end in the middle, and archives made of noise."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from core.archives.layouts import find_images
from core.archives.reading import open_archive
from core.errors import DeckError
from core.limits import Limits
from core.store.layout import PASSING, Layout
from core.store.store import Store
from tests.core.archives.making import Docker, Link, Oci, layer_tar, load, tar_of, untouched

if TYPE_CHECKING:
    from pathlib import Path

LAYERS = [layer_tar(name, os.urandom(300_000)) for name in ("a", "b", "c")]

LOADER = """
import asyncio, pathlib, sys
from core.archives.load import load_archive
from core.store.store import Store

async def main():
    async with Store.open(pathlib.Path(sys.argv[1]), privileged=True, idmap="root") as store:
        async with store.lease() as lease:
            await load_archive(store, pathlib.Path(sys.argv[2]), name="x", lease=lease)

asyncio.run(main())
"""


async def opened_when_free(data: Path) -> contextlib.AbstractAsyncContextManager[Store]:
    """A killed process's own worker may hold its lock a moment longer."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(DeckError):
                async with Store.open(data, privileged=True, idmap="root"):
                    return Store.open(data, privileged=True, idmap="root")
            await asyncio.sleep(0.05)


async def test_a_load_killed_at_any_time_leaves_whole_images_or_none(
    tmp_path: Path, soak: bool
) -> None:
    made = Docker.of(*LAYERS, name="q.io/x:1")
    made.add(LAYERS[0], name="q.io/x:2")
    (tmp_path / "x.tar").write_bytes(made.tar())
    data, rounds = tmp_path / "data", 50 if soak else 6
    for number in range(rounds):
        argv = [sys.executable, "-P", "-c", LOADER, data, tmp_path / "x.tar"]
        process = await asyncio.create_subprocess_exec(*argv, cwd="/")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2 + 1.0 * number / rounds):
                await process.wait()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        async with await opened_when_free(data) as store:
            for image in store.images():
                assert len(store.layer_paths(image.digest)) == len(image.layers)
                assert all(store.intake.blob(layer.digest) for layer in image.layers)
                await store.remove_image(image.digest, force=True, now=True)
            assert not [p for p in store.layout.ingest.iterdir() if p.name.startswith(PASSING)]
            assert not list(store.layout.staging.iterdir())
    async with await opened_when_free(data) as store:
        assert len(await load(store, tmp_path / "x.tar")) == 2


async def test_a_cancelled_load_leaves_nothing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(Docker.of(*LAYERS).tar())
    reached = asyncio.Event()

    def report(phase: str, _layers: object) -> None:
        if phase == "unpack":
            reached.set()

    loading = asyncio.create_task(load(store, tmp_path / "x", report=report))
    await reached.wait()
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading
    assert untouched(store)


RIGHT = [
    Docker.of(layer_tar("a")).tar(),
    Oci.of(layer_tar("a"), layer_tar("b")).tar(),
    tar_of([("a/layer.tar", Link("../b")), ("manifest.json", b"[]")]),
]


@seed(7)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(RIGHT),
    st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=8)), max_size=6),
    st.integers(0, 1 << 20),
)
def test_noise_in_an_archive_is_refused_or_read(
    tmp_path: Path, body: bytes, noise: list[tuple[int, bytes]], cut: int
) -> None:
    broken = bytearray(body)
    for at, data in noise:
        start = at % len(broken)
        broken[start : start + len(data)] = data
    if cut % 3 == 0:
        del broken[cut % len(broken) :]
    path, layout = tmp_path / "x.tar", Layout(tmp_path / "data")
    path.write_bytes(broken)
    layout.make()

    async def look() -> None:
        with contextlib.suppress(DeckError):
            members = await open_archive(
                path, name="x.tar", layout=layout, limits=Limits(), report=lambda *_: None
            )
            with members:
                await find_images(members, None)

    asyncio.run(look())
    assert not list(layout.ingest.iterdir())
