"""A native server in this process, in front of an engine whose answers the test decides."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.background import background
from core.bus import Bus
from core.domain import Image
from core.serve.native.client import RemoteEngine
from core.serve.native.codec import (
    PROTOCOL,
    Hello,
    Kind,
    pack_call,
    pack_value,
    unpack_failure,
    unpack_result,
)
from core.serve.native.link import Link, connect, listen
from core.serve.native.server import NativeServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from typing import Any

    from core.domain import Caller, Distro, Job
    from core.events import Event

LARGE = 8 << 20
"""Bytes of an answer that no socket buffer holds."""


class Scripted:
    """An engine of which nothing is real but how it is reached."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.callers: list[Caller] = []
        self.clients: list[int] = []
        self.dialed: list[socket.socket] = []
        self.under_way: asyncio.Queue[str] = asyncio.Queue()
        self.given_up: asyncio.Queue[str] = asyncio.Queue()
        self.ended_by: list[Caller] = []

    def engine_for(self, caller: Caller) -> Any:
        self.callers.append(caller)
        return self

    async def dial(self, caller: Caller, session: int, *, viewer: bool) -> socket.socket:
        ours, theirs = socket.socketpair()
        self.dialed.append(ours)
        return theirs

    def shutdown(self, caller: Caller) -> None:
        self.ended_by.append(caller)

    async def distros(self) -> list[Distro]:
        return []

    async def images(self, query: object) -> list[Image]:
        return [Image(digest="a" * LARGE, config_digest="")]

    async def result(self, job: str) -> Job:
        self.under_way.put_nowait(job)
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up.put_nowait(job)
        raise AssertionError

    async def info(self) -> None:
        raise ZeroDivisionError

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[Event]]:
        async with self.bus.follow() as events:
            self.under_way.put_nowait("events")
            yield events


class Place:
    """A socket somebody may serve on, and ways to reach it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @asynccontextmanager
    async def line(self, *, hello: bool = True) -> AsyncIterator[Link]:
        """A connection without a client's manners, past the server's hello."""
        link = Link(connect(self.path), descriptors=True)
        try:
            if hello:
                await link.write(pack_value(Kind.HELLO, 0, Hello(PROTOCOL, "test", 1)))
                assert (await link.read() or [None])[0] is Kind.HELLO
            yield link
        finally:
            link.close()

    def client(self, **options: Any) -> RemoteEngine:
        async def dial() -> socket.socket:
            return connect(self.path)

        return RemoteEngine(dial, "test", **options)

    async def works(self) -> None:
        """A good call on a fresh connection is answered."""
        async with asyncio.timeout(10), self.line() as link:
            assert await ask(link, 1, "distros") == []


async def ask(link: Link, channel: int, verb: str, *arguments: object) -> Any:
    """Call, and give the next answer, which must be to this."""
    await link.write(pack_call(channel, verb, arguments))
    return await answer(link, channel, verb)


async def answer(link: Link, channel: int, verb: str) -> Any:
    frame = await link.read()
    assert frame is not None
    kind, at, payload = frame
    assert at == channel
    if kind is Kind.ERROR:
        raise unpack_failure(payload)
    return unpack_result(verb, payload)


async def hung_up(link: Link) -> bool:
    """Read on until the other side ends the connection."""
    try:
        async with asyncio.timeout(10):
            while await link.read():
                pass
    except ConnectionError:
        pass
    return True


def open_count() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "api.sock")


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def serving(
    place: Place, scripted: Scripted
) -> Callable[..., AbstractAsyncContextManager[Scripted]]:
    """Serves the scripted engine at the place."""

    @asynccontextmanager
    async def serve(**options: Any) -> AsyncIterator[Scripted]:
        server = NativeServer(scripted, "1.0", on_clients=scripted.clients.append, **options)
        with listen(place.path) as listener:
            async with background() as tasks:
                tasks.start(server.serve(listener))
                yield scripted
        for sock in scripted.dialed:
            sock.close()

    return serve
