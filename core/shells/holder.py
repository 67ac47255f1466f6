"""The holder: a small process that owns one running distro's sandbox and its sessions.

Started as ``python -P -m core.shells.holder FOLDER`` with ``FOLDER/spec.json``; it goes to the
background, tells on standard output whether the sandbox runs (nothing) or why not (a fault as
JSON), and outlives everybody. Standard library only, one thread, one loop, about 11 MB.

It ends with its sandbox: on :meth:`Holder.stop`, when the sandbox dies, or by itself when for
:data:`LINGER` seconds there was no session and no other process in the distro, unless it is
held. The kernel ends the sandbox if the holder is killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import time
from typing import Any

from core.errors import Conflict, DeckError, InvalidInput, NotFound
from core.runtimes import forking
from core.runtimes.freezing import Frozen
from core.runtimes.sandbox import Sandbox, start_sandbox
from core.runtimes.spec import Command
from core.shells import records
from core.shells.loop import Loop, Timer
from core.shells.peer import LATER, Peer, credentials_match
from core.shells.session import Session

LINGER = 2.0
"""Seconds; makes one ``run`` after another fast."""
_LOOK_AGAIN = 2.0
_ENDED_KEPT = 50
_ACCEPT_AGAIN = 0.2
_END_LIMIT = 2.0
_BACKLOG = 64


class Holder:
    """One distro's sessions; see the module."""

    def __init__(self, folder: str, spec: dict[str, Any]) -> None:
        self.loop = Loop()
        self.folder = folder
        self.sandbox: Sandbox = start_sandbox(folder, spec["sandbox"])
        self._spec = spec
        self._linger = float(spec.get("linger", LINGER))
        self._held = bool(spec.get("held", False))
        self._sessions: dict[int, Session] = {}
        self._starting = 0
        self._peers: list[Peer] = []
        self._idle: Timer | None = None
        self._stopping: list[tuple[Peer, int]] = []
        self._frozen: Frozen | None = None
        self._freezer: Peer | None = None
        self._delayed: list[tuple[Peer, dict[str, Any]]] = []
        self._ending = False
        self._over = False
        self._monitor = os.pidfd_open(self.sandbox.monitor)
        self.loop.watch(self._monitor, read=self._sandbox_ended)
        self._listener = _listen(folder)
        self.loop.watch(self._listener.fileno(), read=self._accept)

    def run(self) -> None:
        """Serve until the sandbox is gone."""
        self._look_idle()
        while not self._over:
            self.loop.turn()
        limit = time.monotonic() + _END_LIMIT
        while time.monotonic() < limit and not self._settled():
            wake = self.loop.later(0.05, lambda: None)
            self.loop.turn()
            wake.cancel()
        for session in self._sessions.values():
            if not session.ended:
                session.abandon()
        for other in tuple(self._peers):
            other.close()

    def _settled(self) -> bool:
        ended = all(session.ended for session in self._sessions.values())
        return ended and all(other.drained for other in self._peers)

    # Connections

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return
        except OSError:
            # Out of descriptors: who waits still waits, and asking at once again is no use.
            self.loop.watch(self._listener.fileno())
            self.loop.later(_ACCEPT_AGAIN, self._listen_again)
            return
        if not credentials_match(connection):
            connection.close()
            return
        self._peers.append(Peer(self, connection))

    def _listen_again(self) -> None:
        if not self._over:
            self.loop.watch(self._listener.fileno(), read=self._accept)

    def gone(self, peer: Peer) -> None:
        """A connection ended."""
        self._peers.remove(peer)
        if peer is self._freezer:
            self._thaw(peer, {})

    def find(self, session: int) -> Session:
        """A session by number.

        Raises:
            NotFound: there is none.
        """
        found = self._sessions.get(session)
        if found is None:
            hint = "distrodeck sessions lists those there are"
            raise NotFound(f"session {session}", "no such session", hint=hint)
        return found

    def changed(self, session: Session) -> None:
        """Tell the followers, and see whether anything is left to do."""
        if session.over:
            if session.bound and not session.audience:
                self._forget(session)
            self._prune()
        for other in tuple(self._peers):
            other.event(session.record)
        self._look_idle()

    # Verbs

    def call(self, peer: Peer, verb: str, arguments: dict[str, Any]) -> object:
        """Carry out one verb of a control connection.

        Raises:
            DeckError: as the verb has it.
        """
        if self._ending:
            # Nothing runs any more: the end of the connection is the answer.
            return LATER
        self._look_idle()
        verbs = {
            "hello": self._hello,
            "open": self._open,
            "sessions": self._list,
            "input": self._input,
            "resize": self._resize,
            "signal": self._signal,
            "close": self._close,
            "hold": self._hold,
            "follow": self._follow,
            "freeze": self._freeze,
            "thaw": self._thaw,
            "rename": self._rename,
            "stop": self._stop,
        }
        if verb not in verbs:
            raise InvalidInput(verb, "no such verb")
        return verbs[verb](peer, arguments)

    def _hello(self, _: Peer, __: dict[str, Any]) -> object:
        return {
            "pid": os.getpid(),
            "distro": self._spec["distro"],
            "held": self._held,
            "processes": self.sandbox.processes(),
        }

    def _open(self, peer: Peer, arguments: dict[str, Any]) -> object:
        if self._stopping:
            raise self._being_stopped()
        if self._frozen:
            self._delayed.append((peer, arguments))
            return LATER
        seq, order = int(arguments["seq"]), arguments["shell"]
        ident = int(arguments["session"])
        if ident in self._sessions:
            raise Conflict(f"session {ident}", "number taken")
        record = self._new_record(ident, order)
        command = Command(
            argv=[str(part) for part in order["argv"]],
            workdir=str(order["workdir"]),
            env=[(str(name), str(value)) for name, value in (*self._spec["env"], *order["env"])],
            user=str(order["user"] or self._spec["user"]),
            binds=order["binds"],
            tty=record["tty"],
        )
        _check_command(command)
        records.write_meta(self.folder, record)
        session = Session(self, record, bound=bool(order["bound"]))
        self._starting += 1

        def done(error: DeckError | None) -> None:
            self._starting -= 1
            if error:
                # What goes wrong in a sandbox that is being killed says nothing.
                peer.fault(seq, self._being_stopped() if self._stopping else error)
                self._look_idle()
                return
            self._sessions[ident] = session
            peer.reply(seq, session.record)
            self.changed(session)

        try:
            session.start(command, done)
        except (DeckError, OSError):
            self._starting -= 1
            session.discard()
            raise
        return LATER

    def _being_stopped(self) -> Conflict:
        return Conflict(self._spec["distro"], "is being stopped", hint="try again")

    def _new_record(self, ident: int, order: dict[str, Any]) -> records.SessionRecord:
        return records.SessionRecord(
            id=ident,
            distro=self._spec["name"],
            argv=[str(part) for part in order["argv"]],
            state="running",
            started=time.time(),
            rows=min(max(int(order["rows"]), 1), 4096),
            columns=min(max(int(order["columns"]), 1), 4096),
            tty=bool(order["tty"]),
            exit_code=None,
            ended=None,
            clients=0,
            title="",
        )

    def _list(self, _: Peer, __: dict[str, Any]) -> object:
        return [session.record for session in self._sessions.values()]

    def _input(self, _: Peer, arguments: dict[str, Any]) -> None:
        data = str(arguments["data"]).encode("latin-1")
        self.find(int(arguments["session"])).write(data)

    def _resize(self, _: Peer, arguments: dict[str, Any]) -> None:
        size = int(arguments["rows"]), int(arguments["columns"])
        self.find(int(arguments["session"])).resize(*size)

    def _signal(self, _: Peer, arguments: dict[str, Any]) -> None:
        self.find(int(arguments["session"])).signal(int(arguments["number"]))

    def _close(self, _: Peer, arguments: dict[str, Any]) -> None:
        session = self._sessions.get(int(arguments["session"]))
        if session:
            session.hang_up()

    def _hold(self, _: Peer, arguments: dict[str, Any]) -> None:
        self._held = bool(arguments["value"])
        self._look_idle()

    def _follow(self, peer: Peer, _: dict[str, Any]) -> object:
        peer.follows = True
        return [session.record for session in self._sessions.values()]

    def _freeze(self, peer: Peer, _: dict[str, Any]) -> None:
        if self._frozen is None:
            self._frozen = Frozen(self.sandbox.pid)
            self._freezer = peer

    def _thaw(self, _: Peer, __: dict[str, Any]) -> None:
        if self._frozen:
            self._frozen.thaw()
        self._frozen = self._freezer = None
        delayed, self._delayed = self._delayed, []
        for peer, arguments in (one for one in delayed if one[0].open):
            peer.repeat("open", arguments)

    def _rename(self, _: Peer, arguments: dict[str, Any]) -> None:
        self._spec["name"] = name = str(arguments["name"])
        records.rename_records(self.folder, name)
        for session in tuple(self._sessions.values()):
            session.record["distro"] = name
            self.changed(session)

    def _stop(self, peer: Peer, arguments: dict[str, Any]) -> object:
        self._stopping.append((peer, int(arguments["seq"])))
        self.sandbox.kill()
        return LATER

    # Ending

    def _forget(self, session: Session) -> None:
        if self._sessions.pop(session.record["id"], None):
            session.discard()

    def _prune(self) -> None:
        ended = [one for one in self._sessions.values() if one.ended and not one.audience]
        for session in ended[:-_ENDED_KEPT]:
            session.log.close()
            del self._sessions[session.record["id"]]

    def _look_idle(self) -> None:
        if self._idle:
            self._idle.cancel()
            self._idle = None
        if not self._held and not self._busy():
            self._idle = self.loop.later(self._linger, self._end_if_idle)

    def _busy(self) -> bool:
        return bool(self._starting) or any(not one.over for one in self._sessions.values())

    def _end_if_idle(self) -> None:
        self._idle = None
        if self._held or self._busy():
            return
        if self.sandbox.processes() > 0:
            # Daemons live on when their shell is gone; look again when they may be, too.
            self._idle = self.loop.later(max(_LOOK_AGAIN, self._linger), self._end_if_idle)
            return
        self._ending = True
        self.sandbox.kill()

    def _sandbox_ended(self) -> None:
        self.loop.watch(self._monitor)
        os.close(self._monitor)
        os.waitpid(self.sandbox.monitor, 0)
        self.loop.watch(self._listener.fileno())
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, records.SOCKET))
        self.sandbox.close()
        for other, seq in self._stopping:
            other.reply(seq, None)
        self._over = True


def _check_command(command: Command) -> None:
    words = [*command["argv"], command["workdir"], command["user"]]
    words += [part for pair in command["env"] for part in pair]
    if any("\0" in word for word in words):
        raise InvalidInput("command", "a NUL byte in an argument")
    for name, _ in command["env"]:
        if not name or "=" in name:
            raise InvalidInput(name or "environment", "not a variable's name", hint="NAME=VALUE")


def _listen(folder: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # A socket's path may have 107 bytes (unix(7)); through a descriptor it is always short.
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, records.SOCKET))
        listener.bind(f"/proc/self/fd/{fd}/{records.SOCKET}")
    finally:
        os.close(fd)
    os.chmod(os.path.join(folder, records.SOCKET), 0o600)
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _go_to_background() -> None:
    """Leave the starter: its only child to wait for ends at once."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.umask(0o077)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def main(argv: list[str]) -> int:
    """Hold the distro of ``argv[1]``, the holder's folder."""
    folder = argv[1]
    _go_to_background()
    lock = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # The one before may still be ending: two sandboxes on one writable layer corrupt it.
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        with open(os.path.join(folder, "spec.json"), encoding="utf-8") as file:
            spec = json.load(file)
        pid = {"pid": os.getpid(), "started": records.start_time(os.getpid())}
        records.write_json(os.path.join(folder, records.PID), pid)
        holder = Holder(folder, spec)
    except DeckError as error:
        forking.write_fault(sys.stdout.fileno(), error)
        return 1
    except OSError as error:
        forking.write_fault(sys.stdout.fileno(), forking.from_os(error))
        return 1
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.dup2(null, sys.stdout.fileno())
    holder.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
