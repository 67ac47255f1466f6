"""A client's hold on one session: :class:`core.engine.Attachment` over a holder's socket.

Nothing is read ahead of what :meth:`HolderAttachment.output` hands out but one socket buffer,
so a client that stops reading stops only itself.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import DeckError, Unreachable, by_code
from core.shells import frames
from core.shells.link import session_of
from core.terminal import logformat

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator
    from typing import Self

    from core.domain import Session

_READ = 64 << 10
_GONE = "the distro's holder has ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderOutput:
    """A piece of a session's output; see :class:`core.engine.Output`."""

    stream: int
    """1 standard output or the PTY, 2 standard error, 0 a resize, 3 a checkpoint: this client
    was too slow, what it missed is gone, and the screen starts anew from ``data``."""
    data: bytes = b""
    size: tuple[int, int] = (0, 0)
    offset: int
    replay: bool


LEAVE_SECONDS = 1.0
"""How long what was written last may take to be sent when the client leaves."""


class HolderAttachment:
    """See :class:`core.engine.Attachment`. Made by :meth:`from_socket`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.session: Session
        self.controller = False
        self.checkpoint = b""
        self.checkpoint_size = (0, 0)
        self._stream = reader
        self._writer = writer
        self._frames = frames.FrameReader(frames.HOLDER_LIMITS)
        self._early: list[tuple[int, bytes]] = []
        self._offset = 0
        self._replay = True
        loop = asyncio.get_running_loop()
        self._exit: asyncio.Future[int] = loop.create_future()

    @classmethod
    @asynccontextmanager
    async def from_socket(cls, connection: socket.socket) -> AsyncIterator[Self]:
        """The attachment on a socket that :func:`core.shells.dialing.dial` made; closes it.

        Raises:
            NotFound: no such session.
            Unreachable: the holder ended.
        """
        connection.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=_READ)
        try:
            attachment = cls(reader, writer)
            await attachment._begin()
            yield attachment
        finally:
            writer.close()
            try:
                async with asyncio.timeout(LEAVE_SECONDS):
                    await writer.wait_closed()
            except (TimeoutError, ConnectionError):
                writer.transport.abort()

    async def _begin(self) -> None:
        """Read what the holder says first: the session and where it starts."""
        attached = False
        while not attached:
            batch = await self._receive()
            if not batch:
                raise Unreachable("session", _GONE, hint="open a new one")
            for kind, payload in batch:
                if kind == frames.FAULT:
                    body: dict[str, Any] = json.loads(payload)
                    raise by_code(body["code"])(body["what"], body["why"], hint=body["hint"])
                if kind == frames.ATTACHED:
                    self.session = session_of(json.loads(payload))
                elif kind == frames.RESTORE and not attached:
                    attached = True
                    restored = self._restored(payload)
                    self.checkpoint, self.checkpoint_size = restored.data, restored.size
                elif kind == frames.CONTROLLER:
                    self.controller = payload != b"\0"
                else:
                    self._early.append((kind, payload))

    async def output(self) -> AsyncIterator[HolderOutput]:
        """See :meth:`core.engine.Attachment.output`; one iterator at a time.

        Raises:
            Unreachable: the holder ended without telling how the session did.
        """
        batch, self._early = self._early, []
        while not self._exit.done():
            for kind, payload in batch:
                piece = self._piece(kind, payload)
                if piece:
                    yield piece
            if self._exit.done():
                return
            batch = await self._receive()
            if not batch:
                raise self._lost()

    def _piece(self, kind: int, payload: bytes) -> HolderOutput | None:
        if kind in {logformat.OUTPUT, logformat.STDERR, logformat.RESIZE}:
            self._offset += logformat.HEADER_SIZE + len(payload)
            if kind == logformat.RESIZE:
                size = logformat.Record(kind, payload).size
                return HolderOutput(stream=0, size=size, offset=self._offset, replay=self._replay)
            return HolderOutput(stream=kind, data=payload, offset=self._offset, replay=self._replay)
        if kind == frames.RESTORE:
            return self._restored(payload)
        if kind == frames.LIVE:
            self._replay = False
        elif kind == frames.CONTROLLER:
            self.controller = payload != b"\0"
        elif kind == frames.EXIT:
            self._exit.set_result(frames.EXIT_BODY.unpack(payload)[0])
        return None

    def _restored(self, payload: bytes) -> HolderOutput:
        offset, rows, columns = frames.RESTORE_HEAD.unpack_from(payload)
        self._offset = offset
        data = payload[frames.RESTORE_HEAD.size :]
        return HolderOutput(stream=3, data=data, size=(rows, columns), offset=offset, replay=True)

    async def _receive(self) -> list[tuple[int, bytes]]:
        """At least one frame; none at the end of the connection."""
        while True:
            try:
                data = await self._stream.read(_READ)
                batch = list(self._frames.feed(data))
            except (OSError, frames.FrameError):
                return []
            if batch or not data:
                return batch

    def _lost(self) -> DeckError:
        error = Unreachable(f"session {self.session.id}", _GONE, hint="open a new one")
        if not self._exit.done():
            self._exit.set_exception(error)
            # Whoever iterates is told already; asking for the exit code is optional.
            self._exit.exception()
        return error

    async def write(self, data: bytes) -> None:
        """Send input; waits while the session's program does not take it."""
        for start in range(0, len(data), frames.INPUT_LIMIT):
            await self._send(frames.INPUT, data[start : start + frames.INPUT_LIMIT])

    async def eof(self) -> None:
        """End of input, for a session without a TTY."""
        await self._send(frames.EOF)

    async def resize(self, rows: int, columns: int) -> None:
        """Set the size this client wants; it counts while this client is the controller."""
        if 0 < rows <= 0xFFFF and 0 < columns <= 0xFFFF:
            await self._send(frames.SIZE, frames.SIZE_BODY.pack(rows, columns))

    async def signal(self, number: int) -> None:
        """Signal the foreground process group."""
        if 0 < number <= 0xFF:
            await self._send(frames.SIGNAL, frames.SIGNAL_BODY.pack(number))

    async def hand_in(self, checkpoint: bytes, offset: int) -> None:
        """Give a checkpoint; one that is too large or not of the controller is ignored."""
        if len(checkpoint) <= frames.CHECKPOINT_LIMIT:
            await self._send(frames.HAND_IN, frames.HAND_IN_HEAD.pack(offset) + checkpoint)

    async def exit_code(self) -> int:
        """Wait for the end; somebody has to iterate :meth:`output` meanwhile.

        Raises:
            Unreachable: the holder ended without telling.
        """
        return await asyncio.shield(self._exit)

    async def _send(self, kind: int, payload: bytes = b"") -> None:
        try:
            self._writer.write(frames.pack(kind, payload))
            await self._writer.drain()
        except ConnectionError:
            # The session is over or its holder gone; output() says which.
            return
