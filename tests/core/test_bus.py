"""Followers of the bus."""

from __future__ import annotations

import asyncio

from core.bus import Bus
from core.domain import Job
from core.events import DistroRemoved, JobChanged


def job(done: int) -> JobChanged:
    return JobChanged(job=Job(id="pull-1", kind="pull", title="x", state="running", done=done))


async def test_a_follower_gets_the_snapshot_then_the_news() -> None:
    bus = Bus()
    async with bus.follow([job(1)]) as events:
        assert await anext(events) == job(1)
        bus.publish(job(2))
        assert await anext(events) == job(2)


async def test_a_slow_follower_gets_only_the_newest_of_each_thing() -> None:
    bus = Bus()
    async with bus.follow() as events:
        for done in range(1000):
            bus.publish(job(done))
        bus.publish(DistroRemoved(name="x"))
        assert await anext(events) == job(999)
        assert await anext(events) == DistroRemoved(name="x")


async def test_a_waiting_follower_is_woken() -> None:
    bus = Bus()
    async with bus.follow() as events, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(anext(events))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        bus.publish(job(3))
        assert await waiting == job(3)


async def test_who_left_is_not_kept() -> None:
    bus = Bus()
    async with bus.follow():
        pass
    bus.publish(job(1))
    assert not bus._followers
