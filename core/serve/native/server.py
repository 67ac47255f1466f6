"""Serve an engine to distrodeck's own clients: one task a connection, one a call.

The caller's identity is the kernel's word (SO_PEERCRED), whatever a client claims.
"""

from __future__ import annotations

import asyncio
import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from core.background import background
from core.domain import Caller
from core.errors import DeckError, InvalidInput, Refused
from core.serve.native.codec import (
    PROTOCOL,
    Hello,
    Kind,
    pack,
    pack_event,
    pack_failure,
    pack_value,
    unpack_call,
    unpack_hello,
)
from core.serve.native.content import Content
from core.serve.native.link import Link, peer
from core.serve.native.verbs import VERBS

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from core.background import Background
    from core.engine import Engine
    from core.events import Event

_log = logging.getLogger(__name__)

HELLO_SECONDS = 5.0
"""A client that has not said hello by then is dropped."""

MAX_CALLS = 256
"""Calls under way on one connection; one more is refused."""

ACCEPT_AGAIN_SECONDS = 0.2
"""Wait after the process ran out of descriptors: a connection that ends gives one back."""

CAPABILITIES = ("events", "attach-by-descriptor")


class Served(Protocol):
    """What the server needs of the engine's owner."""

    def engine_for(self, caller: Caller) -> Engine:
        """The engine as this caller may use it."""
        ...

    async def dial(self, caller: Caller, session: int, *, viewer: bool) -> socket.socket:
        """A socket attached to a session, to be handed to the caller."""
        ...

    def shutdown(self, caller: Caller) -> None:
        """End the daemon; sessions stay. Raises: Refused."""
        ...


class NativeServer:
    """Accepts connections on a listening socket until cancelled."""

    def __init__(
        self,
        served: Served,
        version: str,
        *,
        on_clients: Callable[[int], None] | None = None,
        hello_seconds: float = HELLO_SECONDS,
    ) -> None:
        """``on_clients`` hears how many clients there are whenever that changes."""
        self._served = served
        self._version = version
        self._on_clients = on_clients
        self._hello_seconds = hello_seconds
        self._clients = 0

    async def serve(self, listener: socket.socket) -> None:
        """Serve until cancelled; then every connection is closed."""
        async with background() as tasks:
            while True:
                tasks.start(self._connection(Link(await _accept(listener))))

    async def _connection(self, link: Link) -> None:
        try:
            caller = await self._greet(link)
            self._count(1)
            try:
                await _Conversation(self._served, link, caller).run()
            finally:
                self._count(-1)
        except (DeckError, TimeoutError, ConnectionError) as error:
            _log.info("connection dropped: %s", error or "no hello in time")
        except Exception:
            # The daemon's outer boundary: a defect ends one connection.
            _log.exception("connection")
        finally:
            link.close()

    def _count(self, change: int) -> None:
        self._clients += change
        if self._on_clients:
            self._on_clients(self._clients)

    async def _greet(self, link: Link) -> Caller:
        pid, uid = peer(link.socket)
        async with asyncio.timeout(self._hello_seconds):
            if uid != os.geteuid():
                error = Refused("connection", f"user {uid} may not use this engine")
                await link.write(pack_failure(0, error))
                raise error
            hello = Hello(PROTOCOL, self._version, os.getpid(), CAPABILITIES)
            await link.write(pack_value(Kind.HELLO, 0, hello))
            frame = await link.read()
        if frame is None or frame[0] is not Kind.HELLO:
            raise InvalidInput("connection", "did not begin with a hello")
        unpack_hello(frame[2])
        return Caller(uid=uid, pid=pid)


async def _accept(listener: socket.socket) -> socket.socket:
    """The next connection, however long there is no descriptor for it."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            sock, _address = await loop.sock_accept(listener)
        except OSError as error:
            _log.warning("accept: %s", error)
            await asyncio.sleep(ACCEPT_AGAIN_SECONDS)
        else:
            return sock


class _Conversation:
    """The calls of one connection; each runs in a task of its own."""

    def __init__(self, served: Served, link: Link, caller: Caller) -> None:
        self._served = served
        self._link = link
        self._caller = caller
        self._engine = served.engine_for(caller)
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._contents: dict[int, Content] = {}

    async def run(self) -> None:
        """Until the client goes; calls still under way are given up then.

        Raises:
            InvalidInput: the client broke the protocol.
            ConnectionError: it went away inside a frame.
        """
        async with background() as tasks:
            try:
                while frame := await self._link.read():
                    await self._take(tasks, *frame)
            finally:
                for content in self._contents.values():
                    content.close()

    async def _take(self, tasks: Background, kind: Kind, channel: int, payload: bytes) -> None:
        if kind is Kind.CANCEL:
            if running := self._calls.get(channel):
                running.cancel()
        elif kind in {Kind.ITEM, Kind.END}:
            # What comes after the verb is over was under way when it ended.
            if content := self._contents.get(channel):
                if kind is Kind.END:
                    content.end()
                else:
                    await content.put(payload)
        elif kind not in {Kind.CALL, Kind.FEED} or channel in self._calls:
            raise InvalidInput("frame", f"{kind.name} on channel {channel} out of place")
        elif len(self._calls) >= MAX_CALLS:
            error = Refused("call", f"more than {MAX_CALLS} at once on one connection")
            await self._answer(pack_failure(channel, error))
        else:
            if kind is Kind.FEED:
                self._contents[channel] = Content()
            task = tasks.start(self._call(channel, payload))
            self._calls[channel] = task
            task.add_done_callback(partial(self._ended, channel))

    def _ended(self, channel: int, _task: asyncio.Task[None]) -> None:
        del self._calls[channel]
        if content := self._contents.pop(channel, None):
            content.close()

    async def _call(self, channel: int, payload: bytes) -> None:
        try:
            verb, arguments = unpack_call(payload)
            if content := self._contents.get(channel):
                if not VERBS[verb].takes:
                    raise InvalidInput(verb, "takes no content")
                arguments["content"] = content.pieces()
            if verb == "attach":
                await self._attach(channel, **arguments)
            elif verb == "shutdown":
                self._served.shutdown(self._caller)
                await self._link.write(pack_value(Kind.RESULT, channel, None))
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
        with await self._served.dial(self._caller, session, viewer=viewer) as sock:
            result = pack_value(Kind.RESULT, channel, None)
            await self._link.write(result, descriptor=sock.fileno())

    async def _stream(self, channel: int, verb: str, arguments: dict[str, Any]) -> None:
        pack_item: Callable[[int, Any], bytes] = _pack_item
        if verb == "events":
            pack_item = _pack_event
        elif VERBS[verb].returns is bytes:
            pack_item = _pack_bytes
        async with getattr(self._engine, verb)(**arguments) as items:
            async for item in items:
                await self._link.write(pack_item(channel, item))
        await self._link.write(pack(Kind.END, channel))


def _pack_item(channel: int, item: object) -> bytes:
    return pack_value(Kind.ITEM, channel, item)


def _pack_bytes(channel: int, item: bytes) -> bytes:
    return pack(Kind.ITEM, channel, item)


def _pack_event(channel: int, event: Event) -> bytes:
    return pack_event(channel, event)
