"""Parsing in slices: nothing lost, everybody gets a turn."""

from __future__ import annotations

import asyncio
import time

import pytest

from widgets.terminal.turns import HUSH, SLICE, Turns, hush


def busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


@pytest.mark.parametrize("urgent", [True, False])
async def test_all_of_the_data_is_fed_in_order(urgent: bool) -> None:
    fed = bytearray()
    data = bytes(range(256)) * 1000
    await Turns(fed.extend).parse(data, lambda: urgent)
    assert bytes(fed) == data


@pytest.mark.parametrize("urgent", [True, False])
async def test_a_cancelled_parse_has_had_all_of_the_data_or_none(urgent: bool) -> None:
    fed = bytearray()

    def feed(data: bytes) -> None:
        fed.extend(data)
        busy(0.002)

    data = bytes(200_000)
    task = asyncio.ensure_future(Turns(feed).parse(data, lambda: urgent))
    while not fed:
        await asyncio.sleep(0)
    assert len(fed) < len(data)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(fed) == len(data)


async def test_slices_shrink_until_they_fit_the_time() -> None:
    sizes: list[int] = []

    def feed(data: bytes) -> None:
        sizes.append(len(data))
        busy(len(data) * 2e-6)  # half a megabyte a second

    await Turns(feed).parse(bytes(40_000), lambda: False)
    assert max(sizes[2:-1]) * 2e-6 < 2 * SLICE


async def test_shells_in_the_background_take_turns() -> None:
    order: list[str] = []

    def feeder(name: str) -> Turns:
        def feed(_: bytes) -> None:
            order.append(name)
            busy(0.001)

        return Turns(feed)

    async with asyncio.TaskGroup() as tasks:
        for name in "abc":
            tasks.create_task(feeder(name).parse(bytes(200_000), lambda: False))
    assert set(order[:3]) == set(order[3:6]) == {"a", "b", "c"}


async def test_the_loop_runs_between_slices() -> None:
    # Processor time: what other processes take from this one is nobody's fault here.
    longest = 0.0
    done = False

    async def watch() -> None:
        nonlocal longest
        last = time.thread_time()
        while not done:
            await asyncio.sleep(0)
            now = time.thread_time()
            longest = max(longest, now - last)
            last = now

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(watch())
        await Turns(lambda data: busy(len(data) * 1e-6)).parse(bytes(300_000), lambda: True)
        done = True
    assert longest < 10 * SLICE


async def test_after_a_key_only_the_background_keeps_still() -> None:
    fed: dict[str, float] = {}
    hush()
    start = time.monotonic()

    async def parse(name: str, urgent: bool) -> None:
        turns = Turns(lambda _: fed.setdefault(name, time.monotonic() - start) and None)
        await turns.parse(b"x", lambda: urgent)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(parse("background", False))
        tasks.create_task(parse("keys", True))
    assert fed["keys"] < fed["background"]
    assert fed["background"] >= HUSH * 0.9
