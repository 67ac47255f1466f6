"""Tasks that serve a body, and work that is seen through."""

from __future__ import annotations

import asyncio

import pytest

from core.background import background
from core.errors import Conflict, NotFound


async def forever(ended: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("forever")


async def test_tasks_end_with_the_body() -> None:
    ended: list[str] = []
    async with background() as tasks:
        tasks.start(forever(ended))
        await asyncio.sleep(0)
    assert ended == ["forever"]


async def test_the_error_of_the_body_stays_what_it_is() -> None:
    ended: list[str] = []

    async def body() -> None:
        async with background() as tasks:
            tasks.start(forever(ended))
            await asyncio.sleep(0)
            raise NotFound("x")

    with pytest.raises(NotFound):
        await body()
    assert ended == ["forever"]


async def test_a_task_that_raises_ends_the_body() -> None:
    async def break_down() -> None:
        raise ZeroDivisionError

    ended: list[str] = []

    async def body() -> None:
        async with background() as tasks:
            tasks.start(break_down())
            await forever(ended)

    with pytest.raises(ExceptionGroup) as caught:
        await body()
    assert caught.group_contains(ZeroDivisionError)
    assert ended == ["forever"]


async def test_cancelling_the_body_ends_its_tasks_and_stays_a_cancellation() -> None:
    ended: list[str] = []

    async def body() -> None:
        async with background() as tasks:
            tasks.start(forever(ended))
            await asyncio.Event().wait()

    task = asyncio.ensure_future(body())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["forever"]


async def test_a_task_started_while_all_end_ends_too() -> None:
    ended: list[str] = []
    async with background() as tasks:

        async def start_another() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                tasks.start(forever(ended))

        tasks.start(start_another())
        await asyncio.sleep(0)
    assert ended == []  # it was not even begun


async def test_work_seen_through_gives_its_value_and_raises_its_error() -> None:
    async def give() -> int:
        return 7

    async def refuse() -> int:
        raise Conflict("x", "taken")

    async def break_down() -> int:
        raise ZeroDivisionError

    async with background() as tasks:
        assert await tasks.see_through(give()) == 7
        with pytest.raises(Conflict, match="taken"):
            await tasks.see_through(refuse())
        with pytest.raises(ZeroDivisionError):
            await tasks.see_through(break_down())


async def test_work_goes_on_when_its_caller_is_cancelled_and_is_undone() -> None:
    go, undone = asyncio.Event(), asyncio.Queue[int]()

    async def give() -> int:
        await go.wait()
        return 7

    async with background() as tasks:
        caller = asyncio.ensure_future(tasks.see_through(give(), undo=undone.put))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert undone.empty()
        go.set()
        assert await undone.get() == 7


async def test_an_error_nobody_waits_for_harms_nobody() -> None:
    go, raised = asyncio.Event(), asyncio.Event()

    async def refuse() -> int:
        await go.wait()
        raised.set()
        raise Conflict("x", "taken")

    async with background() as tasks:
        caller = asyncio.ensure_future(tasks.see_through(refuse()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.wait([caller])
        go.set()
        await raised.wait()
        await asyncio.sleep(0)


async def test_a_caller_does_not_wait_for_work_that_ends_with_the_group() -> None:
    async def never() -> int:
        await asyncio.Event().wait()
        return 0

    async with background() as tasks:
        begun = asyncio.ensure_future(tasks.see_through(never()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        not_begun = asyncio.ensure_future(tasks.see_through(never()))
        await asyncio.sleep(0)
    for caller in (begun, not_begun):
        with pytest.raises(asyncio.CancelledError):
            await caller
