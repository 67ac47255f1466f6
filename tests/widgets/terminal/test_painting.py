"""Paint at once after a rest, then at the frame rate, and hold synchronized frames back."""

from __future__ import annotations

import asyncio
import time

from widgets.terminal.painting import SYNCHRONIZED_LIMIT, PaintClock, frame_time

FRAME = 0.05


class Painter:
    def __init__(self) -> None:
        self.times: list[float] = []
        self.painted = asyncio.Event()
        self.clock = PaintClock(self.paint, FRAME)

    def paint(self) -> None:
        self.times.append(time.monotonic())
        self.painted.set()

    async def next(self) -> float:
        async with asyncio.timeout(5):
            await self.painted.wait()
        self.painted.clear()
        return self.times[-1]


async def test_the_first_request_paints_at_once() -> None:
    painter = Painter()
    painter.clock.request()
    assert len(painter.times) == 1


async def test_requests_of_one_frame_become_one_painting() -> None:
    painter = Painter()
    painter.clock.request()
    first = await painter.next()
    for _ in range(10):
        painter.clock.request()
    second = await painter.next()
    assert second - first >= FRAME * 0.95
    assert len(painter.times) == 2


async def test_a_held_frame_is_painted_when_it_ends() -> None:
    painter = Painter()
    painter.clock.request(held=True)
    assert painter.times == []
    painter.clock.request(held=False)
    assert len(painter.times) == 1


async def test_a_frame_is_not_held_for_ever() -> None:
    painter = Painter()
    start = time.monotonic()
    painter.clock.request(held=True)
    painter.clock.request(held=True)
    assert await painter.next() - start >= SYNCHRONIZED_LIMIT * 0.95


async def test_a_cancelled_request_paints_nothing() -> None:
    painter = Painter()
    painter.clock.request()
    painter.clock.request()
    painter.clock.cancel()
    await asyncio.sleep(2 * FRAME)
    assert len(painter.times) == 1


def test_the_frame_rate_is_lower_over_ssh() -> None:
    assert frame_time({}) == 1 / 60
    assert frame_time({"SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}) == 1 / 20
