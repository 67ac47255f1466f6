"""Pulls that are cut, killed, cancelled or out of space: what was received is used again."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import subprocess
import sys
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from core.errors import NoSpace, Unreachable
from core.images.pull import Pulled, pull_image
from core.images.reference import parse_reference
from core.images.resume import kept_text
from core.store.store import Store
from tests.core.images.serving import tar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from core.images.transport import Patience
    from tests.core.images.serving import Served

LAYER = tar({"noise": os.urandom(600_000)})

PULLER = """
import asyncio, pathlib, sys
from core.images.pull import pull_image
from core.images.reference import parse_reference
from core.store.store import Store

async def main(data, text):
    async with Store.open(pathlib.Path(data), privileged=True, idmap="root") as store:
        async with store.lease() as lease:
            await pull_image(store, parse_reference(text), lease=lease, pinned=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def pull(store: Store, text: str, **options: Any) -> Pulled:
    async with store.lease() as lease:
        return await pull_image(store, parse_reference(text), lease=lease, pinned=True, **options)


async def arrival(store: Store, digest: str, count: int) -> None:
    """Wait until the store has ``count`` bytes of a blob."""
    async with asyncio.timeout(20):
        while store.intake.received(digest) < count:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def puller(data: Path, text: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another process that pulls; killed at the end."""
    argv = [sys.executable, "-P", "-c", PULLER, data, text]
    process = await asyncio.create_subprocess_exec(*argv, cwd="/")
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_a_cut_is_carried_on_by_range(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_image(LAYER, compress=False)
    (digest,) = served.layers()
    served.cuts[digest] = [200_000, 200_000]
    served.arrived = partial(arrival, store)
    await pull(store, f"{served.host}/t/x", patience=patience)
    assert served.asked(digest) == ["", "bytes=200000-", "bytes=400000-"]
    assert served.sent[digest] == len(LAYER)


async def test_a_server_that_ignores_range_still_serves(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_image(LAYER, compress=False)
    (digest,) = served.layers()
    served.cuts[digest] = [200_000]
    served.arrived = partial(arrival, store)
    served.ranges = False
    await pull(store, f"{served.host}/t/x", patience=patience)
    assert served.sent[digest] == len(LAYER) + 200_000


async def test_what_was_kept_is_told_and_used_by_the_next_pull(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_image(LAYER, compress=False)
    (digest,) = served.layers()
    served.cuts[digest] = [300_000, 0, 0, 0]
    served.arrived = partial(arrival, store)
    with pytest.raises(Unreachable) as caught:
        await pull(store, f"{served.host}/t/x", patience=patience)
    assert caught.value.kept == f"300 of {len(LAYER) // 1000} kB of layer {digest[7:19]}"
    assert store.images() == []
    served.cuts.clear()
    await pull(store, f"{served.host}/t/x", patience=patience)
    assert served.sent[digest] == len(LAYER)


async def test_a_kept_part_that_is_torn_is_fetched_again(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_image(LAYER, compress=False)
    (digest,) = served.layers()
    store.layout.partial(digest).write_bytes(b"\0" * 100_000)
    pulled = await pull(store, f"{served.host}/t/x", patience=patience)
    assert served.asked(digest) == ["bytes=100000-", ""]
    assert store.image(pulled.digest)


async def test_a_stored_blob_that_rotted_is_fetched_again(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_image(LAYER, compress=False)
    (digest,) = served.layers()
    path = store.layout.blob(digest)
    path.parent.mkdir()
    path.write_bytes(LAYER[:-1000] + bytes(1000))
    await pull(store, f"{served.host}/t/x", patience=patience)
    assert path.read_bytes() == LAYER


async def test_a_layer_whose_blob_is_here_is_unpacked_without_the_network(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_image(LAYER, compress=False)
    (digest,) = served.layers()
    path = store.layout.blob(digest)
    path.parent.mkdir()
    path.write_bytes(LAYER)
    await pull(store, f"{served.host}/t/x", patience=patience)
    assert served.asked(digest) == []


async def test_a_cancelled_pull_leaves_what_a_retry_uses_and_nothing_else(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_image(LAYER, compress=False)
    (digest,) = served.layers()
    served.gates[digest] = gate = asyncio.Event()
    pulling = asyncio.ensure_future(pull(store, f"{served.host}/t/x", patience=patience))
    await arrival(store, digest, len(LAYER) // 2)
    pulling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pulling
    gate.set()
    assert store.images() == []
    assert not list(store.layout.staging.iterdir())
    await pull(store, f"{served.host}/t/x", patience=patience)
    assert served.asked(digest)[-1] == f"bytes={len(LAYER) // 2}-"


async def test_a_killed_pull_leaves_a_store_that_opens_and_goes_on(
    served: Served, tmp_path: Path, patience: Patience
) -> None:
    served.add_image(tar({"first": b"x" * 1000}), LAYER, compress=False)
    digest = served.layers()[1]
    served.gates[digest] = gate = asyncio.Event()
    growing = tmp_path / "data" / "ingest" / digest[7:]
    async with puller(tmp_path / "data", f"{served.host}/t/x"), asyncio.timeout(30):
        while not growing.exists() or growing.stat().st_size < len(LAYER) // 2:
            await asyncio.sleep(0.01)
    gate.set()
    async with Store.open(tmp_path / "data", privileged=True, idmap="root") as store:
        assert store.images() == []
        assert not list(store.layout.layers.iterdir())
        pulled = await pull(store, f"{served.host}/t/x", patience=patience)
        assert served.asked(digest)[-1] == f"bytes={len(LAYER) // 2}-"
        assert len(store.layer_paths(pulled.digest)) == 2


async def test_a_store_killed_at_any_time_is_consistent_when_opened(
    served: Served, tmp_path: Path, patience: Patience, soak: bool
) -> None:
    layers = [tar({f"f{n}": os.urandom(2000) for n in range(k, k + 40)}) for k in (0, 40, 80)]
    served.add_image(*layers)
    data = tmp_path / "data"
    rounds = 100 if soak else 8
    for number in range(rounds):
        # from before the first request to after the commit
        async with puller(data, f"{served.host}/t/x") as process:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.15 + 0.6 * number / rounds):
                    await process.wait()
        async with Store.open(data, privileged=True, idmap="root") as store:
            for image in store.images():
                assert len(store.layer_paths(image.digest)) == 3
            check_consistent(store)
            for image in store.images():
                await store.remove_image(image.digest, now=True)
    async with Store.open(data, privileged=True, idmap="root") as store:
        await pull(store, f"{served.host}/t/x", patience=patience)
        check_consistent(store)


def check_consistent(store: Store) -> None:
    """Every layer on disk has its row and its name, and every image all of its parts."""
    layout = store.layout
    trees = {str(path.resolve()) for path in layout.links.iterdir()}
    assert trees == {str(path / "fs") for path in layout.layers.iterdir()}
    assert not list(layout.staging.iterdir())
    for image in store.images():
        for path in store.layer_paths(image.digest):
            assert list(path.iterdir())
        for digest in (image.digest, image.config_digest, *(la.digest for la in image.layers)):
            body = layout.blob(digest).read_bytes()
            assert digest == f"sha256:{hashlib.sha256(body).hexdigest()}"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


async def test_a_full_disk_is_told_and_the_pull_goes_on_once_there_is_room(
    served: Served, small_disk: Path, patience: Patience
) -> None:
    served.add_image(tar({f"noise{n}": os.urandom(100_000) for n in range(20)}), compress=False)
    (digest,) = served.layers()
    async with Store.open(small_disk / "data", privileged=True, idmap="root") as store:
        with pytest.raises(NoSpace) as caught:
            await pull(store, f"{served.host}/t/x", patience=patience)
        assert caught.value.hint
        assert caught.value.kept
        assert store.images() == []
        await store.empty_trash()
        had = store.intake.received(digest)
        subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
        await pull(store, f"{served.host}/t/x", patience=patience)
        assert served.asked(digest)[-1] == f"bytes={had}-"


@pytest.mark.parametrize(
    ("had", "size", "text"),
    [
        (61_000_000, 118_000_000, "61 of 118 MB of layer x"),
        (500, 2_000, "0 of 2 kB of layer x"),
        (0, 10, ""),
        (20, 10, ""),
    ],
)
def test_what_is_kept_is_told_in_round_numbers(had: int, size: int, text: str) -> None:
    assert kept_text(had, size, "layer x") == text


async def test_a_length_that_is_too_long_or_too_short_is_no_end(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_image(LAYER, compress=False)
    (digest,) = served.layers()
    served.claims[digest] = len(LAYER) // 2
    with pytest.raises(Unreachable) as caught:
        await pull(store, f"{served.host}/t/x", patience=patience)
    assert "of layer" in caught.value.kept
    assert store.images() == []
    served.claims[digest] = len(LAYER) + 4096
    await pull(store, f"{served.host}/t/x", patience=patience)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_blob_is_asked_for_again_when_the_registry_says_so(
    served: Served, store: Store, patience: Patience, status: int
) -> None:
    served.add_image(LAYER, compress=False)
    (digest,) = served.layers()
    served.answers_for[digest] = [web.Response(status=status, headers={"Retry-After": "0"})]
    await pull(store, f"{served.host}/t/x", patience=patience)
    assert len(served.asked(digest)) == 2


async def test_a_blob_for_which_to_come_back_tomorrow_is_told_at_once(
    served: Served, store: Store, patience: Patience
) -> None:
    served.add_image(LAYER, compress=False)
    (digest,) = served.layers()
    served.answers_for[digest] = [web.Response(status=429, headers={"Retry-After": "86400"})]
    with pytest.raises(Unreachable, match="too many requests") as caught:
        await pull(store, f"{served.host}/t/x", patience=patience)
    assert caught.value.retry_after == 86400
    assert len(served.asked(digest)) == 1
