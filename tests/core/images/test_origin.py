"""Mirrors: asked first, believed never, and passed over when they are of no use."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from core.domain import Credentials
from core.errors import NotFound
from core.images.origin import Origin
from core.images.pull import Pulled, pull_image
from core.images.reference import parse_reference
from core.images.registry import Registry
from tests.core.images.serving import Served, serve, tar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.images.transport import Patience
    from core.store.store import Store

LAYERS = (tar({"a": b"x" * 300_000}), tar({"b": b"y" * 1000}))


@pytest.fixture
async def mirror() -> AsyncIterator[Served]:
    async with serve() as registry:
        registry.add_image(*LAYERS, compress=False)
        yield registry


@pytest.fixture
def registry(served: Served) -> Served:
    served.add_image(*LAYERS, compress=False)
    return served


def place(host: str, patience: Patience, credentials: Credentials | None = None) -> Registry:
    return Registry(host, prefix="", patience=patience, credentials=credentials)


async def pull(store: Store, registry: Served, *places: Registry) -> Pulled:
    async with store.lease() as lease:
        return await pull_image(
            store,
            parse_reference(f"{registry.host}/t/x"),
            lease=lease,
            origin=Origin(places),
            pinned=True,
        )


def blobs(served: Served) -> int:
    return sum("/blobs/" in request.path for request in served.requests)


async def test_what_a_mirror_has_the_registry_is_not_asked_for(
    mirror: Served, registry: Served, store: Store, patience: Patience
) -> None:
    pulled = await pull(
        store, registry, place(mirror.host, patience), place(registry.host, patience)
    )
    assert pulled.served_by == mirror.host
    assert pulled.warnings == ()
    assert registry.requests == []
    assert pulled.repo_digest.startswith(registry.host)


async def test_a_mirror_may_keep_its_copies_under_a_prefix(
    mirror: Served, registry: Served, store: Store, patience: Patience
) -> None:
    there = Registry(mirror.host, prefix="hub/copies", patience=patience)
    await pull(store, registry, there, place(registry.host, patience))
    paths = [request.path for request in mirror.requests]
    assert "/v2/hub/copies/t/x/manifests/latest" in paths
    assert registry.requests == []


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
async def test_a_mirror_of_no_use_is_passed_over_and_told(
    elsewhere: Served, registry: Served, store: Store, patience: Patience, status: int
) -> None:
    elsewhere.answers = [web.Response()] + [web.Response(status=status) for _ in range(30)]
    pulled = await pull(
        store,
        registry,
        place("127.0.0.1:1", patience),
        place(elsewhere.host, patience),
        place(registry.host, patience),
    )
    assert pulled.served_by == ""
    assert [warning.partition(":")[0] for warning in pulled.warnings] == [
        "mirror 127.0.0.1",
        "mirror 127.0.0.1",
    ]
    assert blobs(registry) == 3


async def test_a_blob_that_a_mirror_lacks_comes_from_the_next_place(
    mirror: Served, registry: Served, store: Store, patience: Patience
) -> None:
    digest = mirror.layers()[0]
    del mirror.blobs[digest]
    pulled = await pull(
        store, registry, place(mirror.host, patience), place(registry.host, patience)
    )
    assert pulled.served_by == mirror.host
    assert registry.asked(digest) == [""]
    assert blobs(registry) == 1


async def test_a_blob_that_a_mirror_breaks_off_goes_on_at_the_next_place(
    mirror: Served, registry: Served, store: Store, patience: Patience
) -> None:
    digest = mirror.layers()[0]
    mirror.cuts[digest] = [100_000]

    async def arrived(_digest: str, count: int) -> None:
        async with asyncio.timeout(20):
            while store.intake.received(digest) < count:
                await asyncio.sleep(0.005)

    mirror.arrived = arrived
    await pull(store, registry, place(mirror.host, patience), place(registry.host, patience))
    assert registry.asked(digest) == ["bytes=100000-"]


@pytest.mark.parametrize("what", ["layer", "config"])
async def test_a_mirror_that_lies_is_found_out(
    mirror: Served, registry: Served, store: Store, patience: Patience, what: str
) -> None:
    layers = mirror.layers()
    for digest in mirror.blobs:
        if (digest == layers[0]) == (what == "layer") and digest != layers[1]:
            mirror.blobs[digest] = mirror.blobs[digest][:-1] + b"!"
    pulled = await pull(
        store, registry, place(mirror.host, patience), place(registry.host, patience)
    )
    assert "differs from" in pulled.warnings[0]
    assert blobs(registry) == 1
    assert store.image(pulled.digest)


async def test_the_registrys_own_word_is_the_last(
    elsewhere: Served, served: Served, store: Store, patience: Patience
) -> None:
    with pytest.raises(NotFound, match="no such"):
        await pull(store, served, place(elsewhere.host, patience), place(served.host, patience))


async def test_a_password_for_the_registry_is_not_shown_to_a_mirror(
    elsewhere: Served, registry: Served, store: Store, patience: Patience
) -> None:
    basic = {"WWW-Authenticate": 'Basic realm="x"'}
    elsewhere.answers = [web.Response()] + [
        web.Response(status=401, headers=basic) for _ in range(9)
    ]
    registry.answers = [web.Response(), web.Response(status=401, headers=basic)]
    alice = Credentials(username="alice", password="s3cret")
    await pull(
        store, registry, place(elsewhere.host, patience), place(registry.host, patience, alice)
    )
    shown = f"Basic {base64.b64encode(b'alice:s3cret').decode()}"
    assert registry.requests[-1].headers["Authorization"] == shown
    assert not any("Authorization" in request.headers for request in elsewhere.requests)
