"""Whether a holder's process lives, and its end when it does not answer any more.

A holder that is stopped (SIGSTOP, a frozen cgroup, a debugger) still takes connections: the
kernel does, into its socket's backlog. It must cost nobody but its own distro.
"""

from __future__ import annotations

import json
import os
import select
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.shells import records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_END_MILLISECONDS = 10_000


def lives(folder: Path) -> bool:
    """Whether the holder of ``folder`` runs, answering or not."""
    with _holder(folder) as pidfd:
        return pidfd >= 0


def end_silent(folder: Path) -> None:
    """Kill the holder of ``folder``, and its sandbox with it; blocks until it is gone."""
    with _holder(folder) as pidfd:
        if pidfd >= 0:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            _ended(pidfd, _END_MILLISECONDS)


@contextmanager
def _holder(folder: Path) -> Iterator[int]:
    """Its process, which cannot become another's while the descriptor is open; -1: none."""
    try:
        told = json.loads((folder / records.PID).read_bytes())
        pidfd = os.pidfd_open(told["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        yield -1
        return
    try:
        same = _start_time(told["pid"]) == told["started"]
        # One that has ended may still wait for its parent to notice.
        yield pidfd if same and not _ended(pidfd, 0) else -1
    finally:
        os.close(pidfd)


def _ended(pidfd: int, milliseconds: int) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(milliseconds))


def _start_time(pid: int) -> int:
    try:
        return records.start_time(pid)
    except OSError:
        return -1
