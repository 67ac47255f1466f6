"""A connection to a holder: control, or attached to one session.

An attached one gets the log straight from the session's file, at its own pace, so a client that
does not read costs no memory. If what it has not read is cut away meanwhile, it is told to
restore the newest checkpoint and goes on from there.
"""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING, Protocol

from core.errors import DeckError
from core.runtimes.forking import fault_of, from_os
from core.shells import frames

if TYPE_CHECKING:
    from core.shells.loop import Callback, Loop
    from core.shells.session import Session

STALL = 2.0
"""Seconds without reading anything after which a client no longer makes the program wait."""
_CHUNK = 64 << 10
_QUEUE = 1 << 20


class Owner(Protocol):
    """What a connection needs of its holder."""

    loop: Loop

    def call(self, peer: Peer, verb: str, arguments: dict[str, object]) -> object:
        """Carry out a verb; :data:`LATER` when the peer will hear by :meth:`Peer.reply`."""
        ...

    def find(self, session: int) -> Session:
        """A session by number. Raises: NotFound."""
        ...

    def gone(self, peer: Peer) -> None:
        """The connection ended."""
        ...


LATER = object()


class Peer:
    """See the module."""

    def __init__(self, owner: Owner, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.follows = False
        self.viewer = False
        self.session: Session | None = None
        self._owner = owner
        self._loop = owner.loop
        self._socket = connection
        self._reader = frames.FrameReader(frames.CLIENT_LIMITS)
        self._out = bytearray()
        self._cursor = 0
        self._live_at: int | None = None
        self._finished = False
        self._stalled = False
        self._timed = False
        self._size: tuple[int, int] | None = None
        self._control = False
        self._update()

    @property
    def open(self) -> bool:
        """Whether the connection still is one."""
        return self._socket.fileno() >= 0

    def close(self) -> None:
        """End the connection."""
        if not self.open:
            return
        self._loop.watch(self._socket.fileno())
        self._socket.close()
        if self.session:
            session, self.session = self.session, None
            session.detach(self)
        self._owner.gone(self)

    @property
    def drained(self) -> bool:
        """Whether everything for it has been sent, or will not be taken."""
        if not self.open or self._stalled:
            return True
        return not self._out and (self.session is None or self._finished)

    # Control connections

    def reply(self, seq: int, value: object) -> None:
        """Answer a call."""
        self._send(frames.REPLY, {"seq": seq, "value": value})

    def fault(self, seq: int, error: DeckError) -> None:
        """Answer a call that cannot be carried out."""
        self._send(frames.FAULT, {"seq": seq, **fault_of(error)})

    def repeat(self, verb: str, arguments: dict[str, object]) -> None:
        """Have a call carried out, for the first time or again, and answer it."""
        seq = int(str(arguments["seq"]))
        try:
            value = self._owner.call(self, verb, arguments)
        except DeckError as error:
            self.fault(seq, error)
        except OSError as error:
            # A full disk or table costs this call, not the sessions that run.
            self.fault(seq, from_os(error))
        else:
            if value is not LATER:
                self.reply(seq, value)

    def event(self, record: object) -> None:
        """Tell a follower of a session that changed."""
        if self.follows:
            if len(self._out) > _QUEUE:
                self.close()
            else:
                self._send(frames.EVENT, record)

    def _send(self, kind: int, value: object) -> None:
        if self.open:
            self._out += frames.pack(kind, json.dumps(value).encode())
            self._flush()

    # Attached connections

    def pump(self) -> None:
        """Send on what the session's log has."""
        session = self.session
        if session is None or not self.open:
            return
        while len(self._out) < _CHUNK and not self._finished:
            if self._cursor < session.log.base:
                self._restore(session)
            elif self._live_at is not None and self._cursor >= self._live_at:
                self._live_at = None
                self._out += frames.pack(frames.LIVE)
            elif self._cursor < session.log.end:
                limit = min(_CHUNK, (self._live_at or session.log.end) - self._cursor)
                data = session.log.read(self._cursor, limit)
                self._cursor += len(data)
                self._out += data
            elif session.ended:
                code = session.record["exit_code"]
                self._out += frames.pack(frames.EXIT, frames.EXIT_BODY.pack(code))
                self._finished = True
            else:
                break
        self._flush()

    def lag(self) -> int:
        """Bytes of log that it has not taken."""
        return self.session.log.end - self._cursor + len(self._out) if self.session else 0

    @property
    def keeps_up(self) -> bool:
        """Whether it reads what happens now: neither stalled nor still at history."""
        return not self._stalled and self._live_at is None

    def set_controller(self, value: bool) -> None:
        """Tell it whether it answers for the terminal; its size counts if it does."""
        self._out += frames.pack(frames.CONTROLLER, bytes([value]))
        if value and self._size and self.session:
            self.session.resize(*self._size)
        self._flush()

    def _restore(self, session: Session) -> None:
        start = session.log.start()
        head = frames.RESTORE_HEAD.pack(start.offset, start.rows, start.columns)
        self._out += frames.pack(frames.RESTORE, head + start.checkpoint)
        self._cursor = start.offset

    def _attach(self, arguments: dict[str, object]) -> None:
        try:
            session = self._owner.find(int(str(arguments.get("session"))))
        except DeckError as error:
            self.fault(0, error)
            return
        self.viewer = bool(arguments.get("viewer"))
        self.session = session
        self._live_at = session.log.end
        record = {**session.record, "clients": len(session.audience) + 1}
        self._out += frames.pack(frames.ATTACHED, json.dumps(record).encode())
        self._restore(session)
        session.attach(self)
        self.pump()

    # Both

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        try:
            for kind, payload in self._reader.feed(data):
                self._handle(kind, payload)
                if not self.open:
                    return
        except (frames.FrameError, ValueError, KeyError, TypeError, AttributeError, OSError):
            # Not our client: there is nothing to say that it would understand.
            self.close()
            return
        self._update()

    def _handle(self, kind: int, payload: bytes) -> None:
        if kind == frames.CALL and self.session is None:
            self._control = True
            arguments = json.loads(payload)
            seq, verb = int(arguments.pop("seq")), str(arguments.pop("verb"))
            self.repeat(verb, {**arguments, "seq": seq})
        elif kind == frames.ATTACH and self.session is None and not self._control:
            self._attach(json.loads(payload))
        elif self.session is not None and kind in _ATTACHED_FRAMES:
            if not self.viewer:
                self._handle_attached(self.session, kind, payload)
        else:
            raise frames.FrameError(f"frame of kind {kind} out of place")

    def _handle_attached(self, session: Session, kind: int, payload: bytes) -> None:
        if len(payload) != frames.FIXED_SIZES.get(kind, len(payload)):
            raise frames.FrameError(f"frame of kind {kind} with {len(payload)} bytes")
        if kind == frames.INPUT:
            # Whoever types has the terminal.
            session.audience.take_control(self)
            session.write(payload)
        elif kind == frames.EOF:
            session.end_input()
        elif kind == frames.SIGNAL:
            session.signal(frames.SIGNAL_BODY.unpack(payload)[0])
        elif kind == frames.SIZE:
            rows, columns = frames.SIZE_BODY.unpack(payload)
            self._size = rows, columns
            if session.audience.controller is self:
                session.resize(rows, columns)
        elif session.audience.controller is self:
            if len(payload) < frames.HAND_IN_HEAD.size:
                raise frames.FrameError("a checkpoint without its offset")
            (offset,) = frames.HAND_IN_HEAD.unpack_from(payload)
            session.log.hand_in(offset, payload[frames.HAND_IN_HEAD.size :])
            session.progressed()

    def _flush(self) -> None:
        if not self.open:
            return
        sent = 0
        try:
            while self._out:
                count = self._socket.send(self._out[:_CHUNK])
                del self._out[:count]
                sent += count
        except BlockingIOError:
            self._watch_stall()
        except OSError:
            self.close()
            return
        if sent and self._stalled:
            self._stalled = False
        self._update()
        if sent and self._finished and not self._out and self.session:
            self.session.told()

    def _writable(self) -> None:
        self._flush()
        self.pump()
        if self.session:
            self.session.progressed()

    def _has_more(self) -> bool:
        session = self.session
        if session is None or self._finished:
            return False
        return self._cursor < session.log.end or self._live_at is not None or session.ended

    def _watch_stall(self) -> None:
        if self.session is None or self._timed:
            return
        self._timed = True
        before = self._cursor, len(self._out)

        def check() -> None:
            self._timed = False
            if self.open and self.session and self._out:
                if (self._cursor, len(self._out)) == before:
                    self._stalled = True
                    self.session.progressed()
                else:
                    self._watch_stall()

        self._loop.later(STALL, check)

    def _update(self) -> None:
        if not self.open:
            return
        waits = self.session is not None and not self.session.intake.keeps_up
        read: Callback | None = None if waits else self._readable
        write: Callback | None = self._writable if self._out or self._has_more() else None
        self._loop.watch(self._socket.fileno(), read=read, write=write)


_ATTACHED_FRAMES = frozenset({frames.INPUT, frames.EOF, frames.SIZE, frames.SIGNAL, frames.HAND_IN})


def credentials_match(connection: socket.socket) -> bool:
    """Whether the other end belongs to the same user (SO_PEERCRED, unix(7))."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    uid = int.from_bytes(data[4:8], "little")
    return uid == os.geteuid()
