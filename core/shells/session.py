"""One session in the holder: a command in the sandbox, its terminal or pipes, its log.

Life: ``start`` (the command is being executed), live, leader gone (its output is drained and
what is left of its terminal session is hung up), ended. A session does not wait for its
clients: they read the log. But while a client that keeps reading is behind by more than
:data:`LAG`, and while the log is full, nothing is read from the program, which the kernel then
makes wait.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Protocol

from core.errors import DeckError
from core.runtimes import enter, forking, mounts
from core.shells import frames, members, pty, records
from core.shells.answers import Answerer
from core.shells.audience import Audience
from core.shells.condensing import Condenser
from core.shells.intake import Intake
from core.shells.log import SessionLog
from core.shells.streams import READ, open_pipes, open_terminal, read_some
from core.terminal import logformat

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.runtimes.sandbox import Sandbox
    from core.runtimes.spec import Command
    from core.shells.audience import Client
    from core.shells.loop import Loop
    from core.shells.records import SessionRecord

LAG = 256 << 10
"""Bytes of log that a reading client may be behind before the program has to wait."""
GRACE = 2.0
"""Seconds between SIGHUP and SIGKILL."""
ATTACH_LIMIT = 10.0
"""Seconds in which the client of a bound session has to attach."""
_SIZE_LIMIT = 4096
_QUIET = 0.1
_QUIET_TURNS = 20


class Owner(Protocol):
    """What a session needs of its holder."""

    loop: Loop
    sandbox: Sandbox
    folder: str

    def changed(self, session: Session) -> None:
        """Something in its record changed."""
        ...


class Session:
    """See the module."""

    def __init__(self, owner: Owner, record: SessionRecord, *, bound: bool) -> None:
        self.record = record
        self.bound = bound
        self.audience = Audience()
        self._owner = owner
        self._loop = owner.loop
        place = records.session_folder(owner.folder, record["id"])
        self.log = SessionLog(place, record["rows"], record["columns"])
        self._condenser = Condenser(owner.loop, self.log, place, self._resume)
        self._answerer = Answerer()
        self._pid = 0
        self._inner = 0
        self._pidfd = -1
        self._exit_code: int | None = None
        self._outputs: dict[int, int] = {}
        self._master = -1
        self._reading = False
        self.intake = Intake(self._loop, -1, self._intake_progressed)
        """Its standard input."""

    @property
    def ended(self) -> bool:
        """Whether its exit code is known and all its output is in the log."""
        return self.record["exit_code"] is not None

    @property
    def over(self) -> bool:
        """Whether it ended and nobody is still to hear how."""
        told = self.audience.drained and (self.audience.came or not self.bound)
        return self.ended and told

    # Starting

    def start(self, command: Command, done: Callable[[DeckError | None], None]) -> None:
        """Start the command; ``done`` hears when it was executed, or why not.

        Raises:
            InvalidInput: a bind that cannot be meant.
        """
        for mount in command["binds"]:
            mounts.check_mount(mount)
        sandbox = self._owner.sandbox
        sandbox.refresh_network()
        streams = self._open_streams(tty=command["tty"])
        try:
            helper, report = enter.start_command(sandbox.entrance, command, streams, sandbox.stub)
        finally:
            for fd in set(streams):
                os.close(fd)
        os.set_blocking(report, False)
        data = bytearray()

        def on_report() -> None:
            piece = os.read(report, READ)
            if piece:
                data.extend(piece)
                return
            self._loop.watch(report)
            os.close(report)
            os.waitpid(helper, 0)
            try:
                pid = enter.read_start(bytes(data), command)
            except DeckError as error:
                stillborn = enter.start_pid(bytes(data))
                if stillborn:
                    os.waitpid(stillborn, 0)
                self.discard()
                done(error)
                return
            try:
                self._begin(pid)
            except DeckError as error:
                self.discard()
                done(error)
            else:
                done(None)

        self._loop.watch(report, read=on_report)

    def _open_streams(self, *, tty: bool) -> enter.Streams:
        size = self.record["rows"], self.record["columns"]
        ends = open_terminal(self._owner.sandbox.pid, *size) if tty else open_pipes()
        self._master, self._outputs = ends.master, ends.outputs
        self.intake = Intake(self._loop, ends.sending, self._intake_progressed)
        return ends.command

    def _begin(self, pid: int) -> None:
        try:
            self._pidfd = forking.open_child(pid)
        except OSError as error:
            raise forking.from_os(error) from error
        self._pid = pid
        self._inner = members.inner_pid(pid)
        self._loop.watch(self._pidfd, read=self._leader_ended)
        self._resume()
        if self.bound:
            self._loop.later(ATTACH_LIMIT, self._expire)

    def discard(self) -> None:
        """Forget it and its folder: nothing of it runs."""
        self._close_streams()
        self._condenser.stop()
        self.log.close()
        records.remove_record(self._owner.folder, self.record["id"])

    # Output

    def _readable(self, fd: int) -> None:
        if fd not in self._outputs:
            return
        data, ended = read_some(fd)
        if data:
            self._note_output(self._outputs[fd], data)
        if self._exit_code is not None and not self.record["tty"]:
            # A background process may hold a pipe open: what is in it now is all.
            ended = ended or len(data) < READ
            if not ended and not self._must_wait():
                self._loop.later(0, lambda: self._readable(fd))
        if ended:
            self._close_output(fd)
        self._resume()
        self._finish_if_drained()

    def _note_output(self, kind: int, data: bytes) -> None:
        self.log.append(kind, data)
        if self.record["tty"] and self.audience.controller is None:
            self.write(self._answerer.feed(data))
        self.audience.pump()

    def _resume(self) -> None:
        """Read from the program, or stop reading, as the clients and the log allow."""
        reading = not self._must_wait()
        if reading != self._reading:
            self._reading = reading
            for fd in tuple(self._outputs):
                self._watch(fd)

    def _watch(self, fd: int) -> None:
        self._loop.watch(fd, read=(lambda: self._readable(fd)) if self._reading else None)
        if self._reading and self._exit_code is not None:
            self._loop.later(0, lambda: self._readable(fd))

    def _must_wait(self) -> bool:
        readers = self.audience.typists
        if self.record["tty"]:
            # A console that hangs may miss output, but not stop what runs in the shell.
            readers = [client for client in readers if client.keeps_up]
            if self._exit_code is not None:
                # There is no more to come than the kernel holds.
                return False
            full = self.log.full
            if self.log.ripe:
                self._condenser.request(attended=bool(readers), full=full)
            return full or any(client.lag() > LAG for client in readers)
        lag = max((client.lag() for client in readers), default=0)
        if self.log.full and lag < LAG:
            # Pipes have no screen to condense, and a reader has to get every byte.
            self.log.cut(self.log.tail(lag))
        return lag > LAG

    def told(self) -> None:
        """A client has heard how it ended."""
        self._owner.changed(self)

    def progressed(self) -> None:
        """A client has read, or stopped to."""
        self._resume()

    # Input

    def write(self, data: bytes) -> None:
        """Give bytes to the program, in order, as it takes them."""
        self.intake.write(data)

    def end_input(self) -> None:
        """Close the program's standard input once it has taken what it was sent."""
        if not self.record["tty"]:
            self.intake.end()

    def _intake_progressed(self) -> None:
        self.audience.pump()
        self._resume()

    def resize(self, rows: int, columns: int) -> None:
        """Set the size; values below 1 are ignored."""
        size = min(rows, _SIZE_LIMIT), min(columns, _SIZE_LIMIT)
        known = self.record["rows"], self.record["columns"]
        if min(size) < 1 or size == known or not self.record["tty"] or self._master < 0:
            return
        self.record["rows"], self.record["columns"] = size
        self.log.append(logformat.RESIZE, frames.SIZE_BODY.pack(*size))
        pty.set_size(self._master, *size)
        self.audience.pump()
        self._owner.changed(self)

    def signal(self, number: int) -> None:
        """Signal the foreground process group."""
        if not self._pid or self._exit_code is not None or not 0 < number < signal.NSIG:
            return
        group = pty.foreground(self._master) if self._master >= 0 else 0
        try:
            os.killpg(group or self._pid, number)
        except ProcessLookupError:
            return

    # Clients

    def attach(self, client: Client) -> None:
        """Take a client in."""
        self.audience.attach(client)
        self.record["clients"] = len(self.audience)
        self._owner.changed(self)

    def detach(self, client: Client) -> None:
        """Let a client go; a bound session ends with the last."""
        self.audience.detach(client)
        self.record["clients"] = len(self.audience)
        self._resume()
        if self.bound and not self.audience:
            self.hang_up()
        self._owner.changed(self)

    def _expire(self) -> None:
        """Nobody came for a session that lives only as long as its client."""
        if not self.audience.came:
            self.audience.came = True
            self.hang_up()
            self._owner.changed(self)

    # Ending

    def hang_up(self) -> None:
        """SIGHUP for all of the session, SIGKILL after a grace time for what is left of it."""
        if self._pid and self._exit_code is None:
            pids = [self._pid, *self._members()]
            members.send(pids, signal.SIGHUP, signal.SIGCONT)
            self._loop.later(GRACE, self._kill_rest)

    def _kill_rest(self) -> None:
        if self._exit_code is None:
            members.send([self._pid], signal.SIGKILL)
        members.send(self._members(), signal.SIGKILL)

    def _members(self) -> list[int]:
        return members.members(self._owner.sandbox.pid, self._pid, self._inner)

    def _leader_ended(self) -> None:
        rest = self._members()
        if rest:
            members.send(rest, signal.SIGHUP, signal.SIGCONT)
            self._loop.later(GRACE, self._kill_rest)
        _, status = os.waitpid(self._pid, 0)
        self._loop.watch(self._pidfd)
        os.close(self._pidfd)
        code = os.waitstatus_to_exitcode(status)
        self._exit_code = code if code >= 0 else 128 - code
        for fd in tuple(self._outputs):
            if not self._must_wait():
                self._readable(fd)
        self._finish_if_drained()
        if self.record["tty"] and self._outputs:
            self._wait_for_quiet(_QUIET_TURNS)

    def _wait_for_quiet(self, turns: int) -> None:
        """Let go of a PTY that a background process keeps open, once nothing comes any more.

        What the command wrote last may still be on its way through the kernel's line discipline.
        """
        seen = self.log.end

        def look() -> None:
            if self.log.end != seen and turns:
                self._wait_for_quiet(turns - 1)
            else:
                self._close_streams()
                self._finish_if_drained()

        self._loop.later(_QUIET, look)

    def _finish_if_drained(self) -> None:
        if self._exit_code is None or self._outputs or self.ended:
            return
        self._close_streams()
        self._condenser.stop()
        ended = time.time()
        exit_record = records.ExitRecord(exit_code=self._exit_code, ended=ended)
        records.write_exit(self._owner.folder, self.record["id"], exit_record)
        self.record["exit_code"] = self._exit_code
        self.record["ended"] = ended
        self.record["state"] = "exited"
        self.audience.pump()
        self._owner.changed(self)

    def abandon(self) -> None:
        """The holder ends and cannot wait for the rest of the output."""
        if self._exit_code is None:
            self._exit_code = 128 + signal.SIGKILL
        self._close_streams()
        self._finish_if_drained()

    def _close_output(self, fd: int) -> None:
        del self._outputs[fd]
        self._loop.watch(fd)
        os.close(fd)
        if fd == self._master:
            self._master = -1
            self.intake.close()

    def _close_streams(self) -> None:
        for fd in tuple(self._outputs):
            self._close_output(fd)
        self.intake.close()
