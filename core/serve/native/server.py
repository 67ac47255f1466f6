"""Serve an engine to distrodeck's own clients: one task a connection, one a call.

The caller's identity is the kernel's word (SO_PEERCRED), whatever a client claims.
"""

from __future__ import annotations

import asyncio
import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from core.domain import Caller
from core.errors import DeckError, InvalidInput, Refused
from core.serve.native.codec import (
    PROTOCOL,
    VERBS,
    Hello,
    Kind,
    pack,
    pack_event,
    pack_failure,
    pack_value,
    unpack_call,
    unpack_hello,
)
from core.serve.native.link import Link

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from core.engine import Engine
    from core.events import Event

_log = logging.getLogger(__name__)

HELLO_SECONDS = 5.0
"""A client that has not said hello by then is dropped."""

CAPABILITIES = ("events", "attach-by-descriptor")


class Served(Protocol):
    """What the server needs of the engine's owner."""

    def engine_for(self, caller: Caller) -> Engine:
        """The engine as this caller may use it."""
        ...

    async def dial(self, caller: Caller, session: int, *, viewer: bool) -> socket.socket:
        """A socket attached to a session, to be handed to the caller."""
        ...

    def shutdown(self) -> None:
        """End the daemon; sessions stay."""
        ...


class NativeServer:
    """Accepts connections on a listening socket until cancelled."""

    def __init__(
        self, served: Served, version: str, *, on_clients: Callable[[int], None] | None = None
    ) -> None:
        self._served = served
        self._version = version
        self._on_clients = on_clients
        self._clients = 0

    async def serve(self, listener: socket.socket) -> None:
        """Serve until cancelled; then every connection is closed."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            while True:
                sock, _address = await loop.sock_accept(listener)
                tasks.create_task(self._connection(Link(sock)))

    async def _connection(self, link: Link) -> None:
        self._count(1)
        try:
            caller = await self._greet(link)
            await _Conversation(self._served, link, caller).run()
        except (DeckError, TimeoutError, ConnectionError) as error:
            _log.info("connection dropped: %s", error)
        except Exception:
            # The daemon's outer boundary: a defect ends one connection.
            _log.exception("connection")
        finally:
            link.close()
            self._count(-1)

    def _count(self, change: int) -> None:
        self._clients += change
        if self._on_clients:
            self._on_clients(self._clients)

    async def _greet(self, link: Link) -> Caller:
        pid, uid = link.peer()
        if uid != os.geteuid():
            error = Refused("connection", f"user {uid} may not use this engine")
            await link.write(pack_failure(0, error))
            raise error
        hello = Hello(PROTOCOL, self._version, os.getpid(), CAPABILITIES)
        await link.write(pack_value(Kind.HELLO, 0, hello))
        async with asyncio.timeout(HELLO_SECONDS):
            frame = await link.read()
        if frame is None or frame[0] is not Kind.HELLO:
            raise InvalidInput("connection", "did not begin with a hello")
        unpack_hello(frame[2])
        return Caller(uid=uid, pid=pid)


class _Conversation:
    """The calls of one connection; each runs in a task of its own."""

    def __init__(self, served: Served, link: Link, caller: Caller) -> None:
        self._served = served
        self._link = link
        self._caller = caller
        self._engine = served.engine_for(caller)
        self._calls: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until the client goes; calls still under way are given up then."""
        async with asyncio.TaskGroup() as tasks:
            try:
                while frame := await self._link.read():
                    kind, channel, payload = frame
                    if kind is Kind.CALL:
                        task = tasks.create_task(self._call(channel, payload))
                        self._calls[channel] = task
                        task.add_done_callback(partial(self._ended, channel))
                    elif kind is Kind.CANCEL and (running := self._calls.get(channel)):
                        running.cancel()
            finally:
                for running in list(self._calls.values()):
                    running.cancel()

    def _ended(self, channel: int, _task: asyncio.Task[None]) -> None:
        self._calls.pop(channel, None)

    async def _call(self, channel: int, payload: bytes) -> None:
        try:
            verb, arguments = unpack_call(payload)
            if verb == "attach":
                await self._attach(channel, **arguments)
            elif verb == "shutdown":
                await self._link.write(pack_value(Kind.RESULT, channel, None))
                self._served.shutdown()
            elif VERBS[verb].stream:
                await self._stream(channel, verb, arguments)
            else:
                value = await getattr(self._engine, verb)(**arguments)
                await self._link.write(pack_value(Kind.RESULT, channel, value))
        except DeckError as error:
            await self._answer(pack_failure(channel, error))
        except ConnectionError:
            pass  # the reader of this connection sees it too
        except Exception as error:
            # The daemon's outer boundary: a defect fails one call and is told to the client.
            _log.exception("call %d", channel)
            await self._answer(pack_failure(channel, DeckError("engine", f"defect, {error!r}")))

    async def _answer(self, frame: bytes) -> None:
        try:
            await self._link.write(frame)
        except ConnectionError:
            _log.info("client went before its answer")

    async def _attach(self, channel: int, session: int, *, viewer: bool) -> None:
        found = next((one for one in await self._engine.sessions() if one.id == session), None)
        sock = await self._served.dial(self._caller, session, viewer=viewer)
        with sock:
            frame = pack_value(Kind.RESULT, channel, found)
            await self._link.write_with_descriptor(frame, sock.fileno())

    async def _stream(self, channel: int, verb: str, arguments: dict[str, Any]) -> None:
        pack_item: Callable[[int, Any], bytes] = _pack_item
        if verb == "events":
            pack_item = _pack_event
        async with getattr(self._engine, verb)(**arguments) as items:
            async for item in items:
                await self._link.write(pack_item(channel, item))
        await self._link.write(pack(Kind.END, channel))


def _pack_item(channel: int, item: object) -> bytes:
    return pack_value(Kind.ITEM, channel, item)


def _pack_event(channel: int, event: Event) -> bytes:
    return pack_event(channel, event)
