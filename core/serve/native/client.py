"""The engine of another process, spoken to over the native protocol.

A connection that broke is made again at the next call (the daemon may have been replaced). A
question that was under way is asked again; a change raises, as nobody can know how far it came.
Attachments are sockets of their own to the session's holder and do not notice a daemon's end.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from core.errors import DaemonUnreachable, InvalidInput
from core.serve.native.codec import (
    PROTOCOL,
    VERBS,
    Hello,
    Kind,
    pack,
    pack_call,
    pack_value,
    unpack_failure,
    unpack_hello,
    unpack_result,
)
from core.serve.native.link import Link
from core.shells.attachment import HolderAttachment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from core.domain import (
        Catalog,
        Check,
        Distro,
        EngineInfo,
        HistoryEntry,
        Image,
        Job,
        PullSpec,
        RunResult,
        RunSpec,
        Session,
        ShellSpec,
    )
    from core.engine import Attachment
    from core.events import Event


GREET_SECONDS = 20.0
"""A daemon that has not said hello by then is stuck; one that starts may take a while."""

TRIES = 3
"""Connections tried: a daemon that was just ending may hang up on the first."""


class _Lost(DaemonUnreachable):
    """The connection ended before the answer."""

    def __init__(self, *, sent: bool = True) -> None:
        """``sent``: the engine may have got the call."""
        super().__init__(
            "engine daemon", "the connection ended", hint="try again; sessions run on without it"
        )
        self.sent = sent


class _Connection:
    """One greeted connection for calls: sends them, sorts the answers to their channels."""

    def __init__(self, link: Link) -> None:
        self.lost = False
        self._link = link
        self._next = 1
        self._waiting: dict[int, asyncio.Future[tuple[Kind, bytes] | None]] = {}

    async def read(self) -> None:
        """Sort answers until the connection ends; then every waiting call is told."""
        try:
            while frame := await self._link.read():
                kind, channel, payload = frame
                waiting = self._waiting.get(channel)
                if waiting is not None and not waiting.done():
                    waiting.set_result((kind, payload))
        except (ConnectionError, InvalidInput):
            pass  # both mean the same to whoever waits
        finally:
            self.end()

    def end(self) -> None:
        """Hang up, and tell every waiting call. Idempotent."""
        self.lost = True
        self._link.close()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)

    async def call(self, verb: str, arguments: tuple[object, ...]) -> tuple[Kind, bytes]:
        """Kind and payload of the answer. Cancelling it gives the call up on both sides."""
        channel = self._next
        self._next += 1
        frame = pack_call(channel, verb, arguments)
        answer: asyncio.Future[tuple[Kind, bytes] | None]
        answer = self._waiting[channel] = asyncio.get_running_loop().create_future()
        try:
            await _write(self._link, frame)
            found = await answer
        except _Lost:
            self.lost = True
            raise
        except asyncio.CancelledError:
            self._link.post(pack(Kind.CANCEL, channel))
            raise
        finally:
            del self._waiting[channel]
        if found is None:
            raise _Lost
        return found


async def _write(link: Link, frame: bytes) -> None:
    try:
        await link.write(frame)
    except ConnectionError:
        raise _Lost(sent=False) from None


async def _read(link: Link) -> tuple[Kind, bytes]:
    """The next frame of a link that carries one call. Raises: what the engine answered."""
    try:
        frame = await link.read()
    except (ConnectionError, InvalidInput):
        raise _Lost from None
    if frame is None:
        raise _Lost
    kind, _channel, payload = frame
    if kind is Kind.ERROR:
        raise unpack_failure(payload)
    return kind, payload


async def greet(link: Link, version: str) -> Hello:
    """Exchange hellos. Raises: DaemonUnreachable, Refused."""
    with suppress(_Lost):  # what it said before it hung up is worth more
        await _write(link, pack_value(Kind.HELLO, 0, Hello(PROTOCOL, version, os.getpid())))
    _kind, payload = await _read(link)
    try:
        hello = unpack_hello(payload)
    except InvalidInput as error:
        raise DaemonUnreachable("engine daemon", error.message) from None
    if hello.protocol != PROTOCOL:
        raise DaemonUnreachable(
            "engine daemon",
            f"version {hello.version} speaks protocol {hello.protocol}, this client {PROTOCOL}",
            hint="end it with: distrodeck serve --stop (sessions stay), then try again",
        )
    return hello


class RemoteEngine:
    """The Engine protocol over a socket; use as an async context manager."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[socket.socket]],
        version: str,
        *,
        greet_seconds: float = GREET_SECONDS,
    ) -> None:
        """``connect`` gives a fresh socket to a daemon, starting one if need be."""
        self._connect = connect
        self._version = version
        self._greet_seconds = greet_seconds
        self._tasks = asyncio.TaskGroup()
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None
        self._left = False

    async def __aenter__(self) -> RemoteEngine:
        await self._tasks.__aenter__()
        try:
            await self._ensure()
        except BaseException:
            await self._tasks.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._left = True
        if self._connection and self._reader:
            self._reader.cancel()
            self._connection.end()
        await self._tasks.__aexit__(None, None, None)

    async def _greeted(self) -> Link:
        lost = _Lost()
        for _ in range(TRIES):
            link = Link(await self._connect(), descriptors=True)
            try:
                async with asyncio.timeout(self._greet_seconds):
                    await greet(link, self._version)
            except _Lost as error:
                link.close()
                lost = error
            except TimeoutError:
                link.close()
                raise DaemonUnreachable(
                    "engine daemon", "does not answer", hint="distrodeck serve --stop ends it"
                ) from None
            except BaseException:
                link.close()
                raise
            else:
                return link
        raise lost

    async def _ensure(self) -> _Connection:
        async with self._connecting:
            if self._left:
                raise _Lost
            if self._connection is None or self._connection.lost:
                self._connection = _Connection(await self._greeted())
                self._reader = self._tasks.create_task(self._connection.read())
            return self._connection

    async def _call(self, verb: str, *arguments: object) -> Any:
        try:
            kind, payload = await (await self._ensure()).call(verb, arguments)
        except _Lost as lost:
            if lost.sent and not VERBS[verb].asks:
                raise
            kind, payload = await (await self._ensure()).call(verb, arguments)
        if kind is Kind.ERROR:
            raise unpack_failure(payload)
        return unpack_result(verb, payload)

    @asynccontextmanager
    async def _stream(self, verb: str, *arguments: object) -> AsyncIterator[AsyncIterator[Any]]:
        """A stream has a connection of its own: a slow reader holds up nothing else."""
        link = await self._greeted()
        try:
            await _write(link, pack_call(1, verb, arguments))
            yield _items(verb, link)
        finally:
            link.close()

    async def images(self) -> list[Image]:
        return await self._call("images")

    async def image(self, name: str) -> Image:
        return await self._call("image", name)

    async def history(self, name: str) -> list[HistoryEntry]:
        return await self._call("history", name)

    async def distros(self) -> list[Distro]:
        return await self._call("distros")

    async def distro(self, name: str) -> Distro:
        return await self._call("distro", name)

    async def catalog(self) -> Catalog:
        return await self._call("catalog")

    async def refresh(self) -> Job:
        return await self._call("refresh")

    async def pull(self, spec: PullSpec) -> Job:
        return await self._call("pull", spec)

    async def remove(self, name: str, *, force: bool = False) -> None:
        await self._call("remove", name, force)

    async def start(self, name: str) -> Distro:
        return await self._call("start", name)

    async def stop(self, name: str) -> Distro:
        return await self._call("stop", name)

    async def restart(self, name: str) -> Distro:
        return await self._call("restart", name)

    async def sessions(self) -> list[Session]:
        return await self._call("sessions")

    async def open(self, spec: ShellSpec) -> Session:
        return await self._call("open", spec)

    @asynccontextmanager
    async def attach(self, session: int, *, viewer: bool = False) -> AsyncIterator[Attachment]:
        link = await self._greeted()
        try:
            await _write(link, pack_call(1, "attach", (session, viewer)))
            await _read(link)
            sock = socket.socket(fileno=link.take_descriptor())
        finally:
            link.close()
        async with HolderAttachment.from_socket(sock) as attachment:
            yield attachment

    async def input(self, session: int, data: bytes) -> None:
        await self._call("input", session, data)

    async def resize(self, session: int, rows: int, columns: int) -> None:
        await self._call("resize", session, rows, columns)

    async def close(self, session: int) -> None:
        await self._call("close", session)

    async def run(self, spec: RunSpec) -> RunResult:
        return await self._call("run", spec)

    async def jobs(self) -> list[Job]:
        return await self._call("jobs")

    @asynccontextmanager
    async def watch(self, job: str) -> AsyncIterator[AsyncIterator[Job]]:
        async with self._stream("watch", job) as states:
            yield states

    async def result(self, job: str) -> Job:
        return await self._call("result", job)

    async def cancel(self, job: str) -> None:
        await self._call("cancel", job)

    async def info(self) -> EngineInfo:
        return await self._call("info")

    async def doctor(self) -> list[Check]:
        return await self._call("doctor")

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[Event]]:
        async with self._stream("events") as events:
            yield events

    async def shutdown(self) -> None:
        """End the daemon; sessions stay with their holders."""
        await self._call("shutdown")


async def _items(verb: str, link: Link) -> AsyncIterator[Any]:
    while True:
        kind, payload = await _read(link)
        if kind is Kind.END:
            return
        yield unpack_result(verb, payload)
