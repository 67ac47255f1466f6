"""Make checkpoints of a session that nobody attends.

When so much log has come that a checkpoint is due, the short-lived
:mod:`core.terminal.condense` turns the newest checkpoint and the log after it into one. It
costs processor time, so it runs at a bounded rate; a program that writes faster waits, once its
log is full.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
import time
from typing import TYPE_CHECKING

from core.runtimes import forking

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.shells.log import SessionLog
    from core.shells.loop import Loop, Timer

ATTENDED_WAIT = 5.0
"""Seconds that an attached controller has for handing in a checkpoint itself."""
_SHARE = 10
"""Of so many seconds a condenser may take one while nobody is there."""
_PAUSE = 2.0
_REQUEST = struct.Struct("!IHH")


class Condenser:
    """Of one session; has at most one process at a time."""

    def __init__(self, loop: Loop, log: SessionLog, folder: str, done: Callable[[], None]) -> None:
        self._loop = loop
        self._log = log
        self._done = done
        self._asked = os.path.join(folder, "condense.in")
        self._answered = os.path.join(folder, "condense.out")
        self._timer: Timer | None = None
        self._pid = 0
        self._pidfd = -1
        self._offset = 0
        self._started = 0.0
        self._due = 0.0
        self._spent = 0.0
        self._ended_at = -_PAUSE

    def request(self, *, attended: bool, full: bool) -> None:
        """A checkpoint is due: make one as soon as the rate allows; may be asked again and again.

        ``attended``: a controller is there and should hand one in itself, but with the log
        ``full`` somebody waits for it.
        """
        if self._pid:
            return
        if attended:
            due = self._ended_at + self._spent
            if not full:
                due = max(due, time.monotonic() + ATTENDED_WAIT)
        else:
            due = self._ended_at + max(_PAUSE, (_SHARE - 1) * self._spent)
        if self._timer:
            if due >= self._due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = self._loop.later(max(0.0, due - time.monotonic()), self._start)

    def stop(self) -> None:
        """End it; nothing of it is left."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            self._reap()

    def _start(self) -> None:
        self._timer = None
        if not self._log.ripe:
            return
        start = self._log.start()
        self._offset = self._log.end
        self._started = time.monotonic()
        try:
            with open(self._asked, "wb") as file:
                file.write(_REQUEST.pack(len(start.checkpoint), start.rows, start.columns))
                file.write(start.checkpoint)
                at = start.offset
                while at < self._offset:
                    data = self._log.read(at, 1 << 20)
                    file.write(data)
                    at += len(data)
            pid, report = forking.fork_child(self._execute)
            os.close(report)
            self._pidfd = forking.open_child(pid)
        except OSError:
            # A full disk, or no process or descriptor left.
            self._remove_files()
            self._log.forget()
            self._done()
            return
        self._pid = pid
        self._loop.watch(self._pidfd, read=self._ended)

    def _execute(self, _: int) -> None:
        asked = os.open(self._asked, os.O_RDONLY | os.O_CLOEXEC)
        answered = os.open(self._answered, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        argv = [sys.executable, "-P", "-m", "core.terminal.condense"]
        os.nice(5)
        forking.execute(argv, standard=(asked, answered, null), kept=())

    def _ended(self) -> None:
        status = self._reap()
        self._ended_at = time.monotonic()
        self._spent = self._ended_at - self._started
        checkpoint = b""
        if status == 0:
            with open(self._answered, "rb") as file:
                checkpoint = file.read()
        self._remove_files()
        taken = bool(checkpoint) and self._log.hand_in(self._offset, checkpoint)
        if not taken and self._log.full:
            # Better a screen with a gap than a program that waits for ever.
            self._log.forget()
        self._done()

    def _reap(self) -> int:
        _, status = os.waitpid(self._pid, 0)
        self._loop.watch(self._pidfd)
        os.close(self._pidfd)
        self._pid = 0
        if status:
            self._remove_files()
        return status

    def _remove_files(self) -> None:
        for path in (self._asked, self._answered):
            if os.path.exists(path):
                os.unlink(path)
