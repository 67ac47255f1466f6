"""The holder's loop: descriptors and timers, and what a callback may do to them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from core.shells.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def test_readiness_is_told_until_it_is_unwatched(pipe: tuple[int, int]) -> None:
    loop, heard = Loop(), []
    loop.watch(pipe[0], read=lambda: heard.append("read"))
    os.write(pipe[1], b"x")
    loop.turn()
    loop.turn()
    loop.watch(pipe[0])
    loop.watch(pipe[1], write=lambda: heard.append("write"))
    loop.turn()
    assert heard == ["read", "read", "write"]


def test_a_callback_may_take_another_away(pipe: tuple[int, int]) -> None:
    loop, heard = Loop(), []
    other = os.dup(pipe[0])
    os.write(pipe[1], b"x")

    def take(name: str, fd: int) -> None:
        heard.append(name)
        loop.watch(fd)

    loop.watch(pipe[0], read=lambda: take("first", other))
    loop.watch(other, read=lambda: take("second", pipe[0]))
    loop.turn()
    os.close(other)
    assert len(heard) == 1


def test_timers_fire_in_order_and_not_when_cancelled() -> None:
    loop, heard = Loop(), []
    loop.later(0.02, lambda: heard.append(2))
    loop.later(0.01, lambda: heard.append(1))
    loop.later(0.015, lambda: heard.append(9)).cancel()
    while len(heard) < 2:
        loop.turn()
    assert heard == [1, 2]
