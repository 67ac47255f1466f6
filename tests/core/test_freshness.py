"""What is newer than the installed distros: asked as a pull asks, seldom, and with few bytes."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from core.domain import PullSpec
from core.freshness import AGE
from tests.core.changing import done
from tests.core.conftest import SECONDS
from tests.core.images.serving import serve, tar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.local.engine import LocalEngine
    from tests.core.conftest import Deck
    from tests.core.images.serving import Served


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serve() as registry:
        registry.digests = True
        registry.add_image(tar({"etc/version": b"one"}))
        yield registry


@asynccontextmanager
async def opened(deck: Deck, served: Served) -> AsyncIterator[LocalEngine]:
    """An engine with two distros of one reference, both of long ago."""
    async with deck.open(embedded=True) as engine:
        for name in ("box", "other"):
            spec = PullSpec(name=name, source=f"{served.host}/t/x")
            await done(engine, await engine.pull(spec))
        with engine._parts.store.index.write() as connection:
            connection.execute("UPDATE distro SET created = created - ?", (2 * AGE,))
        served.requests.clear()
        yield engine


async def checked(engine: LocalEngine) -> None:
    """Wait until nobody asks any more."""
    for job in await engine.jobs():
        if job.kind == "check":
            await done(engine, job)


def asked(served: Served) -> list[str]:
    return [r.method for r in served.requests if "/manifests/" in r.path]


async def test_distros_of_one_reference_are_asked_for_once_and_by_their_headers(
    deck: Deck, served: Served
) -> None:
    async with opened(deck, served) as engine:
        served.add_image(tar({"etc/version": b"two"}))
        await done(engine, await engine.check())
        assert asked(served) == ["HEAD"]
        assert all(one.outdated for one in await engine.distros())


async def test_a_registry_that_tells_no_digest_is_asked_for_the_manifest(
    deck: Deck, served: Served
) -> None:
    async with opened(deck, served) as engine:
        served.digests = False
        served.add_image(tar({"etc/version": b"two"}))
        await done(engine, await engine.check())
        assert asked(served) == ["HEAD", "GET"]
        assert all(one.outdated for one in await engine.distros())


async def test_a_mirror_is_asked_first(deck: Deck, served: Served) -> None:
    async with serve() as mirror:
        mirror.digests = True
        deck.configure(f'[registry."{served.host}"]\nmirrors = ["http://{mirror.host}"]\n')
        async with opened(deck, served) as engine:
            mirror.add_image(tar({"etc/version": b"two"}))
            await done(engine, await engine.check())
            assert asked(served) == []
            assert (await engine.distro("box")).outdated


async def test_who_looks_at_the_catalog_has_it_asked_every_six_hours(
    deck: Deck, served: Served
) -> None:
    async with opened(deck, served) as engine:
        served.add_image(tar({"etc/version": b"two"}))
        await engine.catalog()
        await checked(engine)
        assert (await engine.distro("box")).outdated
        await engine.catalog()
        await checked(engine)
        assert len(asked(served)) == 1
        await engine._parts.store.note_checked(time.time() - 2 * AGE)
        await engine.catalog()
        await checked(engine)
        assert len(asked(served)) == 2


async def test_an_engine_that_stays_asks_by_itself(
    deck: Deck, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.freshness.LOOK_SECONDS", 0.01)
    monkeypatch.setattr("core.freshness.SETTLE_SECONDS", 0.0)
    async with opened(deck, served) as engine:
        served.add_image(tar({"etc/version": b"two"}))
        async with asyncio.timeout(SECONDS):
            while not (await engine.distro("box")).outdated:
                await asyncio.sleep(0.01)


async def test_a_registry_that_is_away_is_no_news(deck: Deck, served: Served) -> None:
    async with opened(deck, served) as engine:
        served.manifests.clear()
        await engine.catalog()
        await checked(engine)
        (job,) = [job for job in await engine.jobs() if job.kind == "check"]
        assert (job.state, job.warnings) == ("done", ())
        assert not engine._parts.freshness.due()


async def test_the_settings_can_forbid_it(deck: Deck, served: Served) -> None:
    deck.configure("[pull]\ncheck = false\n")
    async with opened(deck, served) as engine:
        await engine.catalog()
        assert [job for job in await engine.jobs() if job.kind == "check"] == []
