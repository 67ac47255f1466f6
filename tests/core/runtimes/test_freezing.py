"""Processes of a namespace held still and let go, with what was stopped before left alone."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.runtimes.freezing import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 20.0

TREE = """
import os, signal, sys, time
os.mkfifo(sys.argv[1])
if os.fork() == 0:            # the parent of a child, as a shell is
    if os.fork() == 0:
        if os.fork() == 0:
            os.kill(os.getpid(), signal.SIGSTOP)   # a job after ctrl+Z
        time.sleep(600)
    time.sleep(600)
open(sys.argv[1], "w").write("up")
time.sleep(600)
"""


@pytest.fixture
def pid_1(tmp_path: Path) -> Iterator[int]:
    """PID 1 of a namespace with a tree of processes, the deepest one stopped by itself."""
    fifo = tmp_path / "up"
    command = ["unshare", "--pid", "--fork", "--kill-child", sys.executable, "-c", TREE, fifo]
    process = subprocess.Popen(command)
    try:
        wait_for(lambda: fifo.exists())
        assert fifo.read_text() == "up"
        (found,) = children(process.pid)
        wait_for(lambda: sorted(map(state, below(found))) == ["S", "S", "T"])
        yield found
    finally:
        process.kill()
        process.wait()


def wait_for(fact) -> None:
    limit = time.monotonic() + SECONDS
    while not fact():
        assert time.monotonic() < limit
        time.sleep(0.005)


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def below(pid: int) -> list[int]:
    return [one for child in children(pid) for one in (child, *below(child))]


def state(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def test_all_but_pid_1_stand_still_and_go_on(pid_1: int) -> None:
    frozen = Frozen(pid_1)
    assert [state(pid) for pid in below(pid_1)] == ["T", "T", "T"]
    assert state(pid_1) == "S"
    frozen.thaw()
    wait_for(lambda: sorted(map(state, below(pid_1))) == ["S", "S", "T"])


def test_a_job_that_was_stopped_before_stays_so(pid_1: int) -> None:
    Frozen(pid_1).thaw()
    wait_for(lambda: sorted(map(state, below(pid_1))) == ["S", "S", "T"])
    assert state(below(pid_1)[-1]) == "T"


def test_what_ended_meanwhile_is_no_fault(pid_1: int) -> None:
    frozen = Frozen(pid_1)
    for pid in below(pid_1):
        os.kill(pid, signal.SIGKILL)
    frozen.thaw()
    frozen.thaw()


def test_nothing_outside_is_touched(pid_1: int) -> None:
    with subprocess.Popen(["sleep", "600"]) as outside:
        try:
            frozen = Frozen(pid_1)
            assert state(outside.pid) == "S"
            frozen.thaw()
        finally:
            outside.kill()
