"""Holders that stop by themselves, die, hang up or are stuck while several callers want them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from core.domain import RunSpec, Session, ShellSpec
from core.errors import CommandNotFound, Conflict, DeckError, InvalidInput, NotFound
from core.events import DistroChanged, SessionChanged
from core.shells import book
from core.shells import roster as roster_module
from core.shells.dialing import connect
from core.shells.launch import HOLDERS
from tests.core.conftest import SECONDS, Deck, install, open_shell, process_ended, read_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.local.engine import LocalEngine


@pytest.fixture
async def engine(deck: Deck, fix: dict[str, Any]) -> AsyncIterator[LocalEngine]:
    """An engine in this process with one distro, ``box``."""
    async with deck.open(embedded=True) as engine:
        await install(engine, fix)
        yield engine
        for distro in await engine.distros():
            await engine.stop(distro.name)


def folder_of(deck: Deck) -> Path:
    """Of the one holder there is, or was."""
    (folder,) = (deck.paths.run / HOLDERS).iterdir()
    return folder


def holder_pid(deck: Deck) -> int:
    return int(json.loads((folder_of(deck) / "pid").read_text())["pid"])


def sandbox_pid(deck: Deck) -> int:
    """Of the first process in the sandbox; when it ends, the sandbox and the holder do."""
    (monitor,) = _children(holder_pid(deck))
    return _children(monitor)[0]


def _children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


async def running(engine: LocalEngine) -> list[int]:
    return [one.id for one in await engine.sessions() if one.state == "running"]


async def answers(engine: LocalEngine, session: Session) -> bool:
    async with engine.attach(session.id) as attachment:
        await attachment.write(f"echo mark-{session.id}-$((6*7))\n".encode())
        return bool(await read_until(attachment, f"mark-{session.id}-42".encode()))


# -- many callers ---------------------------------------------------------------------------


async def test_many_who_open_at_once_share_one_holder(deck: Deck, engine: LocalEngine) -> None:
    sessions = await asyncio.gather(*(open_shell(engine) for _ in range(8)))
    assert len({one.id for one in sessions}) == 8
    pid = holder_pid(deck)
    await asyncio.gather(*(answers(engine, one) for one in sessions))
    assert holder_pid(deck) == pid


async def test_sessions_opened_while_the_holder_dies_live_in_the_next_one(
    deck: Deck, engine: LocalEngine
) -> None:
    await engine.start("box")
    for _ in range(3):
        old = holder_pid(deck)
        os.kill(old, signal.SIGKILL)
        sessions = await asyncio.gather(*(open_shell(engine) for _ in range(4)))
        assert holder_pid(deck) != old
        for session in sessions:
            assert await answers(engine, session)
        assert await running(engine) == sorted(one.id for one in sessions)


async def test_whoever_comes_while_a_holder_stops_by_itself_gets_the_next_one(
    deck: Deck, engine: LocalEngine
) -> None:
    for want in (engine.start("box"), open_shell(engine)):
        await engine.run(RunSpec(distro="box", argv=("true",)))
        old, sandbox = holder_pid(deck), sandbox_pid(deck)
        (monitor,) = _children(old)
        # The holder sees its sandbox end by the end of this process: so it is still ending.
        os.kill(monitor, signal.SIGSTOP)
        await process_ended(sandbox)
        coming = asyncio.ensure_future(want)
        await asyncio.wait([coming], timeout=0.1)
        assert not coming.done()
        os.kill(monitor, signal.SIGCONT)
        await coming
        assert holder_pid(deck) != old
        assert (await engine.distro("box")).state == "running"
        await engine.stop("box")


@pytest.mark.soak
async def test_a_command_run_whenever_the_holder_stops_by_itself_always_runs(
    deck: Deck, engine: LocalEngine, soak: bool
) -> None:
    for turn in range(40 if soak else 2):
        done = await engine.run(RunSpec(distro="box", argv=("echo", str(turn))))
        assert done.stdout == f"{turn}\n".encode()
        await process_ended(sandbox_pid(deck))


async def test_start_stop_and_open_at_once_leave_it_as_it_is_told(
    deck: Deck, engine: LocalEngine
) -> None:
    for _ in range(3):
        await asyncio.gather(
            engine.start("box"),
            engine.stop("box"),
            open_shell(engine),
            engine.restart("box"),
            engine.stop("box"),
            engine.start("box"),
            return_exceptions=True,
        )
        told = (await engine.distro("box")).state
        try:
            connect(folder_of(deck)).close()
            found = "running"
        except DeckError:
            found = "stopped"
        assert told == found
    await engine.stop("box")
    assert (await engine.distro("box")).state == "stopped"
    assert await running(engine) == []


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 3, 10, 40])
async def test_remove_and_open_at_once_is_one_or_the_other(
    deck: Deck, engine: LocalEngine, force: bool, steps: int
) -> None:
    opening = asyncio.ensure_future(open_shell(engine))
    for _ in range(steps):
        await asyncio.sleep(0.002)
    removing = asyncio.ensure_future(engine.remove("box", force=force))
    await asyncio.wait([opening, removing])
    if removed := removing.exception() is None:
        assert await engine.distros() == []
        assert await engine.sessions() == []
        assert not list((deck.paths.run / HOLDERS).glob("*"))
        assert opening.exception() is None or isinstance(opening.exception(), NotFound | Conflict)
    else:
        assert isinstance(removing.exception(), Conflict)
        assert await answers(engine, opening.result())
    assert removed or not force


async def test_two_who_remove_at_once_are_told_apart(engine: LocalEngine) -> None:
    await open_shell(engine)
    found = await asyncio.gather(
        engine.remove("box", force=True), engine.remove("box", force=True), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in found) == ["NoneType", "NotFound"]


# -- callers who go away --------------------------------------------------------------------


@pytest.mark.parametrize("milliseconds", [0, 5, 20, 60, 120])
async def test_a_cancelled_open_leaves_no_session(engine: LocalEngine, milliseconds: int) -> None:
    opening = asyncio.ensure_future(open_shell(engine, "sleep", "1000"))
    await asyncio.wait([opening], timeout=milliseconds / 1000)
    opening.cancel()
    await asyncio.wait([opening])
    if not opening.cancelled():
        await engine.close(opening.result().id)
    # whoever comes next comes after it
    last = await open_shell(engine)
    async with asyncio.timeout(SECONDS):
        while await running(engine) != [last.id]:
            await asyncio.sleep(0.02)


async def test_a_distro_can_be_removed_after_a_cancelled_start(
    deck: Deck, engine: LocalEngine
) -> None:
    starting = asyncio.ensure_future(engine.start("box"))
    await asyncio.sleep(0.005)
    starting.cancel()
    await asyncio.wait([starting])
    await engine.remove("box", force=True)
    assert not list((deck.paths.run / HOLDERS).glob("*"))


# -- holders that are not as they should be -------------------------------------------------


async def test_a_holder_that_was_killed_is_told_and_the_next_session_opens(
    deck: Deck, engine: LocalEngine
) -> None:
    session = await open_shell(engine)
    async with engine.events() as events, asyncio.timeout(SECONDS):
        os.kill(holder_pid(deck), signal.SIGKILL)
        states: dict[str, str] = {}
        async for event in events:
            if isinstance(event, SessionChanged):
                states["session"] = event.session.state
            elif isinstance(event, DistroChanged):
                states["distro"] = event.distro.state
            if states == {"session": "lost", "distro": "stopped"}:
                break
    with pytest.raises(NotFound, match="has ended"):
        await engine.input(session.id, b"x")
    assert await answers(engine, await open_shell(engine))


async def test_a_holder_that_only_hung_up_is_not_taken_for_dead(engine: LocalEngine) -> None:
    session = await open_shell(engine)
    roster = engine._parts.roster
    ((ident, link),) = roster._links.items()
    told: list[Session] = []
    async with engine.events() as events, asyncio.timeout(SECONDS):
        link.disconnect()
        while roster._links[ident] is link:
            await asyncio.sleep(0)
        await engine.resize(session.id, 30, 100)
        async for event in events:
            if isinstance(event, SessionChanged):
                told.append(event.session)
                if event.session.rows == 30:
                    break
    assert {one.state for one in told} == {"running"}
    assert await answers(engine, session)


async def test_a_stuck_holder_does_not_keep_the_others_from_being_listed(
    deck: Deck, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_module, "LOOK_SECONDS", 0.1)
    session = await open_shell(engine)
    pid = holder_pid(deck)
    os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(SECONDS):
            assert await running(engine) == [session.id]
    finally:
        os.kill(pid, signal.SIGCONT)
    assert await answers(engine, session)


async def test_arguments_no_holder_takes_are_refused_and_cost_no_session(
    engine: LocalEngine,
) -> None:
    session = await open_shell(engine)
    with pytest.raises(InvalidInput, match="at most"):
        await open_shell(engine, "echo", "x" * (1 << 20))
    assert await answers(engine, session)


async def test_a_session_that_cannot_start_is_nowhere_listed(engine: LocalEngine) -> None:
    with pytest.raises(CommandNotFound):
        await open_shell(engine, "/no/such/command")
    assert await engine.sessions() == []


# -- what is told and remembered ------------------------------------------------------------


async def test_a_start_is_told_as_starting_then_running_and_a_stop_as_stopped(
    engine: LocalEngine,
) -> None:
    async def states_until(last: str, action: str) -> list[str]:
        seen: list[str] = []
        async with engine.events() as events, asyncio.timeout(SECONDS), asyncio.TaskGroup() as go:
            go.create_task(getattr(engine, action)("box"))
            async for event in events:
                if isinstance(event, DistroChanged):
                    seen.append(event.distro.state)
                    if seen[-1] == last and len(seen) > 1:
                        return seen
        return seen

    assert await states_until("running", "start") == ["stopped", "starting", "running"]
    assert await states_until("stopped", "stop") == ["running", "stopped"]


async def test_the_next_engine_finds_sessions_but_not_the_commands_of_run(
    deck: Deck, engine: LocalEngine, fix: dict[str, Any]
) -> None:
    ended = await open_shell(engine, "sh", "-c", "exit 5")
    session = await open_shell(engine)
    await engine.run(RunSpec(distro="box", argv=("true",)))
    async with asyncio.timeout(SECONDS):
        while await running(engine) != [session.id]:
            await asyncio.sleep(0.02)
    before = await engine.sessions()
    roster = roster_module.Roster(
        deck.paths,
        engine._parts.roster._idmap,
        engine._parts.store,
        engine._parts.bus,
        engine._parts.tasks,
    )
    await roster.adopt()
    assert roster.sessions() == before
    assert [one.id for one in before] == [ended.id, session.id]
    roster.let_go()
    assert await answers(engine, session)


async def test_only_the_newest_ended_sessions_are_remembered(
    deck: Deck, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "KEPT_SESSIONS", 3)
    for _ in range(6):
        session = await open_shell(engine, "true")
        await engine.run(RunSpec(distro="box", argv=("true",)))
        async with asyncio.timeout(SECONDS):
            while session.id in await running(engine):
                await asyncio.sleep(0.02)
    kept = [one.id for one in await engine.sessions()]
    assert len(kept) == 3
    assert kept[-1] == session.id
    on_disk = {int(path.name) for path in (folder_of(deck) / "sessions").iterdir()}
    assert on_disk == set(kept)
    assert len(engine._parts.roster._book._places) <= 6


async def test_closing_what_has_ended_or_never_was_succeeds(engine: LocalEngine) -> None:
    session = await open_shell(engine)
    await engine.close(session.id)
    await engine.close(session.id)
    await engine.close(987)
    with pytest.raises(NotFound, match="no such session"):
        await engine.input(987, b"x")
    with pytest.raises(NotFound, match="no such session"):
        async with engine.attach(987):
            pass


async def test_opening_in_a_distro_that_was_removed_and_made_again_asks_to_try_again(
    engine: LocalEngine, fix: dict[str, Any]
) -> None:
    record = engine._parts.store.distro("box")
    await engine.remove("box")
    await install(engine, fix)
    with pytest.raises(NotFound, match="removed meanwhile"):
        await engine._parts.roster.open(record, ShellSpec(distro="box"))
