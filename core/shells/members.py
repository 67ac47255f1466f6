"""Which processes of a sandbox belong to a terminal session.

proc(5), ``stat``: the sixth field is the session. Read in the sandbox's own /proc first, where
there are few; only processes in its PID namespace are ever named.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal


def inner_pid(pid: int) -> int:
    """A process's number inside its PID namespace; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            for line in file:
                if line.startswith(b"NSpid:"):
                    return int(line.split()[-1])
    except OSError:
        pass
    return 0


def members(sandbox_pid: int, leader: int, inner: int) -> list[int]:
    """The processes of ``leader``'s session but itself, as this host counts them.

    ``inner`` is the leader's number inside.
    """
    inside = f"/proc/{sandbox_pid}/root/proc"
    if not any(_session(inside, name) == inner for name in _numbers(inside) if name != str(inner)):
        return []
    try:
        namespace = os.stat(f"/proc/{sandbox_pid}/ns/pid").st_ino
    except OSError:
        return []
    found = []
    for name in _numbers("/proc"):
        if name != str(leader) and _session("/proc", name) == leader:
            with contextlib.suppress(OSError):
                # Numbers are used again: make sure that it is a process of this sandbox.
                if os.stat(f"/proc/{name}/ns/pid").st_ino == namespace:
                    found.append(int(name))
    return found


def send(pids: list[int], *signals: signal.Signals) -> None:
    """Signal processes, those that are still there."""
    for pid in pids:
        for number in signals:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _numbers(proc: str) -> list[str]:
    try:
        return [name for name in os.listdir(proc) if name.isdigit()]
    except OSError:
        return []


def _session(proc: str, name: str) -> int:
    try:
        with open(f"{proc}/{name}/stat", "rb") as file:
            # The second field is a name in parentheses, of any bytes at all.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return -1
    return int(fields[3]) if len(fields) > 3 and fields[0] != b"Z" else -1
