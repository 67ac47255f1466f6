"""Hold everything in a sandbox still for a moment, by signals: a cgroup is not always to be had.

signal(7); proc(5). A shell that sees its foreground job stop takes the terminal back, so parents
are stopped before their children and go on after them. What was stopped already (a job after
ctrl+Z) stays so. Standard library only: the holder runs this.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time

_ROUNDS = 50
"""A program that forks faster than this is followed no further."""
_STILL_SECONDS = 1.0
_STOPPED = b"Tt"
_OVER = b"ZX"


class _Process:
    __slots__ = ("parent", "pid", "state")

    def __init__(self, pid: int, parent: int, state: int) -> None:
        self.pid = pid
        self.parent = parent
        self.state = state


def _read(pid: int) -> _Process | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, parent = file.read().rpartition(b")")[2].split()[:2]
    except OSError:
        return None
    return _Process(pid, int(parent), state[0])


def _members(pid_1: int) -> list[_Process]:
    """Every process in the namespace of ``pid_1`` or below it, parents first; not that itself."""
    found = {int(name): _read(int(name)) for name in os.listdir("/proc") if name.isdigit()}
    space = _namespace(pid_1)
    children: dict[int, list[_Process]] = {}
    todo: list[_Process] = []
    inside = set[int]()
    for pid, process in found.items():
        if process and pid != pid_1:
            children.setdefault(process.parent, []).append(process)
            if _namespace(pid) == space:
                inside.add(pid)
    todo = [one for one in found.values() if one and one.pid in inside and one.parent not in inside]
    order: list[_Process] = []
    while todo:
        process = todo.pop(0)
        order.append(process)
        todo += children.get(process.pid, [])
    return order


def _namespace(pid: int) -> int:
    try:
        return os.stat(f"/proc/{pid}/ns/pid").st_ino
    except OSError:  # it has ended, or is none of ours
        return -pid


class Frozen:
    """What was stopped; :meth:`thaw` lets it go on."""

    def __init__(self, pid_1: int) -> None:
        """Stop all in the sandbox of ``pid_1``; blocks for milliseconds, at most a second or so."""
        self._stopped: dict[int, int] = {}
        self._left = set[int]()
        for _ in range(_ROUNDS):
            fresh = [one for one in _members(pid_1) if self._is_new(one)]
            if not fresh:
                break
            for process in fresh:
                self._stop(process.pid)
        self._wait_until_still()

    def _is_new(self, process: _Process) -> bool:
        if process.pid in self._stopped or process.pid in self._left:
            return False
        if process.state in _STOPPED or process.state in _OVER:
            self._left.add(process.pid)
            return False
        return True

    def _stop(self, pid: int) -> None:
        self._left.add(pid)
        with contextlib.suppress(OSError):
            fd = os.pidfd_open(pid)
            try:
                signal.pidfd_send_signal(fd, signal.SIGSTOP)
            except OSError:
                os.close(fd)
                raise
            self._stopped[pid] = fd

    def _wait_until_still(self) -> None:
        """A process in the middle of a write stops when that is done."""
        limit = time.monotonic() + _STILL_SECONDS
        waiting = list(self._stopped)
        while waiting and time.monotonic() < limit:
            found = map(_read, waiting)
            waiting = [one.pid for one in found if one and one.state not in _STOPPED + _OVER]
            if waiting:
                time.sleep(0.001)

    def thaw(self) -> None:
        """Let everything go on. Again: nothing."""
        for fd in reversed(self._stopped.values()):
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(fd, signal.SIGCONT)
            os.close(fd)
        self._stopped.clear()
