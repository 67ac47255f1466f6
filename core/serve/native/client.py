"""The engine of another process, spoken to over the native protocol.

A connection that broke is made again at the next call (the daemon may have been replaced). A
question that was under way is asked again; a change raises, as nobody can know how far it came.
Attachments are sockets of their own to the session's holder and do not notice a daemon's end.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from core.background import background
from core.errors import DaemonUnreachable, deck_error
from core.serve.native.codec import (
    Kind,
    pack,
    pack_call,
    unpack_failure,
    unpack_result,
)
from core.serve.native.connection import Connection, Lost, greet, read_answer, write
from core.serve.native.link import Link
from core.serve.native.remote_archives import RemoteArchives
from core.serve.native.remote_builds import RemoteBuilds
from core.serve.native.remote_changes import RemoteChanges
from core.serve.native.remote_contents import RemoteContents
from core.serve.native.remote_registries import RemoteRegistries
from core.serve.native.remote_storage import RemoteStorage
from core.serve.native.verbs import VERBS
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
    from core.verbs.storage import ImageQuery


GREET_SECONDS = 20.0
"""A daemon that has not said hello by then is stuck; one that starts may take a while."""

MAX_PIECE = 1 << 20
"""Bytes of content in a frame."""

TRIES = 3
"""Connections tried: a daemon that was just ending may hang up on the first."""


class RemoteEngine(
    RemoteStorage, RemoteBuilds, RemoteRegistries, RemoteChanges, RemoteContents, RemoteArchives
):
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
        self._connection: Connection | None = None
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
        lost = Lost()
        for _ in range(TRIES):
            link = Link(await self._connect(), descriptors=True)
            try:
                async with asyncio.timeout(self._greet_seconds):
                    await greet(link, self._version)
            except Lost as error:
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

    async def _ensure(self) -> Connection:
        async with self._connecting:
            if self._left:
                raise Lost
            if self._connection is None or self._connection.lost:
                self._connection = Connection(await self._greeted())
                self._reader = self._tasks.create_task(self._connection.read())
            return self._connection

    async def _call(self, verb: str, *arguments: object) -> Any:
        try:
            kind, payload = await (await self._ensure()).call(verb, arguments)
        except Lost as lost:
            if lost.sent and not VERBS[verb].asks:
                raise
            kind, payload = await (await self._ensure()).call(verb, arguments)
        if kind is Kind.ERROR:
            raise unpack_failure(payload)
        return unpack_result(verb, payload)

    async def _feed(self, verb: str, *arguments: object, content: AsyncIterator[bytes]) -> Any:
        """A call with content, on a connection of its own.

        The engine may answer before it has taken all of the content: it found what is wrong.
        """
        link = await self._greeted()
        try:
            await write(link, pack_call(1, verb, arguments, kind=Kind.FEED))
            async with background() as tasks:
                tasks.start(_give(link, content))
                _kind, payload = await read_answer(link)
        except ExceptionGroup as group:
            raise deck_error(group) or group from None
        finally:
            link.close()
        return unpack_result(verb, payload)

    @asynccontextmanager
    async def _stream(self, verb: str, *arguments: object) -> AsyncIterator[AsyncIterator[Any]]:
        """A stream has a connection of its own: a slow reader holds up nothing else."""
        link = await self._greeted()
        try:
            await write(link, pack_call(1, verb, arguments))
            yield _items(verb, link)
        finally:
            link.close()

    async def images(self, query: ImageQuery | None = None) -> list[Image]:
        return await self._call("images", query)

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

    async def remove(self, name: str, *, force: bool = False, now: bool = False) -> None:
        await self._call("remove", name, force, now)

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
            await write(link, pack_call(1, "attach", (session, viewer)))
            await read_answer(link)
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

    async def pause(self, job: str) -> Job:
        return await self._call("pause", job)

    async def resume(self, job: str) -> Job:
        return await self._call("resume", job)

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


async def _give(link: Link, content: AsyncIterator[bytes]) -> None:
    with suppress(Lost):  # whoever waits for the answer is told
        async for piece in content:
            for start in range(0, len(piece), MAX_PIECE):
                await write(link, pack(Kind.ITEM, 1, piece[start : start + MAX_PIECE]))
        await write(link, pack(Kind.END, 1))


async def _items(verb: str, link: Link) -> AsyncIterator[Any]:
    while True:
        kind, payload = await read_answer(link)
        if kind is Kind.END:
            return
        yield unpack_result(verb, payload)
