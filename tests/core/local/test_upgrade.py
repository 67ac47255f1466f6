"""Distros moved to what their source has now, from a registry that changes its mind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.domain import PullSpec
from core.verbs.changes import RollbackSpec, UpgradeSpec
from tests.core.changing import done
from tests.core.images.committing import change
from tests.core.images.serving import serve, tar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.local.engine import LocalEngine
    from tests.core.conftest import Deck
    from tests.core.images.serving import Served


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serve() as registry:
        registry.add_image(tar({"etc/version": b"one", "etc/mine": b"image"}))
        yield registry


@pytest.fixture
async def engine(deck: Deck, served: Served) -> AsyncIterator[LocalEngine]:
    async with deck.open(embedded=True) as engine:
        job = await engine.pull(PullSpec(name="box", source=f"{served.host}/t/x"))
        await done(engine, job)
        yield engine


def write(engine: LocalEngine, folder: Path, script: str) -> str:
    store = engine._parts.store
    return change(store, store.distro("box"), folder / "merged", script)


def holds(engine: LocalEngine, folder: Path) -> dict[str, str]:
    """Names of files and the hashes of what is in them."""
    rows = [line.split("\t") for line in write(engine, folder, "true").splitlines()]
    return {row[0]: row[7] for row in rows if row[1] == "f"}


async def upgrade(engine: LocalEngine, **fields: Any) -> None:
    await done(engine, await engine.upgrade(UpgradeSpec(distro="box", **fields)))


async def test_changes_lie_on_the_new_image_and_can_go_back(
    engine: LocalEngine, served: Served, tmp_path: Path
) -> None:
    write(engine, tmp_path, "echo own > etc/mine; echo more > more")
    before = holds(engine, tmp_path)
    old = await engine.distro("box")
    served.add_image(tar({"etc/version": b"two", "etc/mine": b"newer", "etc/new": b"new"}))
    await upgrade(engine)
    after, new = holds(engine, tmp_path), await engine.distro("box")
    assert new.image_digest != old.image_digest
    assert new.repo_digest != old.repo_digest
    assert after["etc/version"] != before["etc/version"]
    assert (after["etc/mine"], after["more"]) == (before["etc/mine"], before["more"])
    assert "etc/new" in after
    (kept,) = await engine.snapshots("box")
    assert kept.image_digest == old.image_digest
    await done(engine, await engine.rollback(RollbackSpec(distro="box", snapshot=kept.name)))
    assert holds(engine, tmp_path) == before
    assert (await engine.distro("box")).repo_digest == old.repo_digest


async def test_a_reset_begins_anew(engine: LocalEngine, served: Served, tmp_path: Path) -> None:
    write(engine, tmp_path, "echo own > etc/mine; echo more > more")
    served.add_image(tar({"etc/version": b"two"}))
    await upgrade(engine, reset=True)
    assert set(holds(engine, tmp_path)) == {"etc/version"}
    assert len(await engine.snapshots("box")) == 1


async def test_what_is_up_to_date_stays_as_it_is(engine: LocalEngine) -> None:
    before = await engine.distro("box")
    await upgrade(engine)
    assert await engine.distro("box") == before
    assert await engine.snapshots("box") == []


async def test_a_check_marks_what_is_outdated_until_it_is_upgraded(
    engine: LocalEngine, served: Served
) -> None:
    await done(engine, await engine.check())
    assert not (await engine.distro("box")).outdated
    served.add_image(tar({"etc/version": b"two"}))
    await done(engine, await engine.check())
    assert (await engine.distro("box")).outdated
    assert len(served.layers()) == 1
    await upgrade(engine)
    assert not (await engine.distro("box")).outdated


async def test_a_source_that_cannot_be_asked_is_told(engine: LocalEngine, served: Served) -> None:
    served.manifests.clear()
    job = await done(engine, await engine.check("box"))
    assert job.warnings[0].startswith("box: ")
    assert not (await engine.distro("box")).outdated
