"""What a job does by other means than its own bytes waits too while it is held."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.archives.blocking import in_steps
from core.layers.process import open_worker
from core.pausing import Gate, held, passage, set_gate, unheld
from tests.core.conftest import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def gate() -> Gate:
    """The gate of the test's own tasks, open."""
    gate = Gate()
    gate.open()
    return gate


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def until(told: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not told():
            await asyncio.sleep(0.01)


async def test_a_worker_process_is_stopped_and_goes_on(gate: Gate) -> None:
    set_gate(gate)
    async with open_worker("digest", "200", str(1 << 30)) as worker:
        assert worker._transport
        pid = worker._transport.get_pid()
        gate.close()
        await until(lambda: state(pid) == "T")
        gate.open()
        await until(lambda: state(pid) != "T")
        await worker.write(b"x")
        assert (await worker.result())["diff_id"].startswith("sha256:")


async def test_a_held_worker_can_be_cancelled(gate: Gate) -> None:
    set_gate(gate)
    pids: list[int] = []

    async def work() -> None:
        async with open_worker("digest", "200", str(1 << 30)) as worker:
            assert worker._transport
            pids.append(worker._transport.get_pid())
            await worker.result()

    gate.close()
    task = asyncio.ensure_future(work())
    await until(lambda: bool(pids) and state(pids[0]) == "T")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not Path(f"/proc/{pids[0]}").exists()


async def test_steps_in_a_thread_wait_and_can_be_cancelled_meanwhile(gate: Gate) -> None:
    set_gate(gate)
    begun, steps = threading.Event(), list[int]()

    def work(check: Callable[[], None]) -> None:
        begun.set()
        while True:
            check()
            steps.append(1)

    task = asyncio.ensure_future(in_steps(work, what="work"))
    await asyncio.to_thread(begun.wait, SECONDS)
    gate.close()
    count = -1
    async with asyncio.timeout(SECONDS):
        while count != len(steps):
            count = len(steps)
            await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_others_wait_for_is_not_held(gate: Gate) -> None:
    set_gate(gate)
    gate.close()
    stopped: list[str] = []
    with unheld():
        await passage()
        async with held(lambda: stopped.append("stop"), lambda: None):
            await asyncio.sleep(0)
    assert stopped == []
    async with held(lambda: stopped.append("stop"), lambda: None):
        await until(lambda: stopped == ["stop"])
