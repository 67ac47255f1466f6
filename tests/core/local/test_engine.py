"""Rights and limits that LocalEngine itself sees to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from core.domain import Caller, PullSpec, RunSpec, ShellSpec
from core.errors import Hostile, Refused, Unsupported
from core.local import engine as local
from tests.core.conftest import SECONDS, Deck, install, open_shell, read_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.local.engine import LocalEngine

CHANGES = {
    "refresh": (),
    "pull": (PullSpec(source="host:"),),
    "remove": ("box",),
    "start": ("box",),
    "stop": ("box",),
    "restart": ("box",),
    "open": (ShellSpec(distro="box"),),
    "input": (2, b"x"),
    "resize": (2, 30, 100),
    "close": (2,),
    "run": (RunSpec(distro="box", argv=("true",)),),
    "cancel": ("pull-1",),
}


@pytest.fixture
async def engine(deck: Deck, fix: dict[str, Any]) -> AsyncIterator[LocalEngine]:
    async with deck.open(embedded=True) as engine:
        await install(engine, fix)
        yield engine
        for distro in await engine.distros():
            await engine.stop(distro.name)


def as_viewer(engine: LocalEngine) -> LocalEngine:
    return engine.bind(Caller(uid=1234, role="viewer"))


@pytest.mark.parametrize("verb", CHANGES)
async def test_a_viewer_changes_nothing(engine: LocalEngine, verb: str) -> None:
    before = [await engine.distros(), await engine.sessions(), await engine.jobs()]
    with pytest.raises(Refused, match="may only look"):
        await getattr(as_viewer(engine), verb)(*CHANGES[verb])
    assert [await engine.distros(), await engine.sessions(), await engine.jobs()] == before


async def test_a_viewer_may_look_at_everything(engine: LocalEngine) -> None:
    viewer = as_viewer(engine)
    assert [one.name for one in await viewer.distros()] == ["box"]
    assert await viewer.images()
    assert (await viewer.catalog()).sources
    assert await viewer.jobs()
    async with viewer.events() as events:
        assert await anext(events)


async def test_what_a_viewer_types_goes_nowhere(engine: LocalEngine) -> None:
    session = await open_shell(engine)
    async with as_viewer(engine).attach(session.id) as viewer:
        assert not viewer.controller
        await viewer.write(b"echo from-the-viewer\n")
        async with engine.attach(session.id) as attachment:
            await attachment.write(b"echo mark-$((6*7))\n")
            seen = await read_until(attachment, b"mark-42")
    assert b"from-the-viewer" not in seen


async def test_run_gives_up_on_endless_output_and_ends_the_command(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "MAX_RUN_OUTPUT", 1 << 20)
    with pytest.raises(Unsupported, match="wrote more than 1 MiB"):
        await engine.run(RunSpec(distro="box", argv=("yes",)))
    async with asyncio.timeout(SECONDS):
        while any(one.state == "running" for one in await engine.sessions()):
            await asyncio.sleep(0.02)


async def test_a_cancelled_run_ends_its_command(engine: LocalEngine) -> None:
    running = asyncio.ensure_future(engine.run(RunSpec(distro="box", argv=("sleep", "1000"))))
    async with asyncio.timeout(SECONDS):
        while not any(one.clients for one in await engine.sessions()):
            await asyncio.sleep(0.02)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        while any(one.state == "running" for one in await engine.sessions()):
            await asyncio.sleep(0.02)


async def test_a_catalog_name_finds_the_distro_that_was_made_of_it(
    engine: LocalEngine, fix: dict[str, Any]
) -> None:
    await install(engine, fix, "lib-box")
    assert (await engine.distro("lib/box")).name == "lib-box"


async def test_the_limits_of_the_settings_hold_for_a_pull(deck: Deck, fix: dict[str, Any]) -> None:
    deck.configure("[limits]\nentries = 3\n")
    async with deck.open(embedded=True) as engine:
        with pytest.raises(Hostile, match="more than 3 entries"):
            await install(engine, fix)
        assert await engine.images() == []
