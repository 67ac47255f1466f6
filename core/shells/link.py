"""An engine's control connection to one holder."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override

from core.domain import Mount, Session, ShellSpec
from core.errors import InvalidInput, Unreachable, by_code
from core.shells import dialing, frames

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.shells.records import SessionRecord

_GONE = "its holder has ended"
_CALL_LIMIT = frames.CALL_LIMIT - 4096
"""Leaves room for what an event tells of a session beside its arguments."""


def session_of(record: SessionRecord) -> Session:
    """A holder's record as the value it stands for."""
    fields: dict[str, Any] = {**record, "argv": tuple(record["argv"])}
    return Session(**fields)


class HolderLink:
    """Calls to one holder, and what it tells. An async context manager; else :meth:`disconnect` it.

    Every call raises :class:`core.errors.Unreachable` if the holder ends before it answers; the
    calls themselves are carried out once or not at all.
    """

    def __init__(self, folder: Path, connection: _Connection) -> None:
        self.folder = folder
        self._connection = connection

    @classmethod
    async def connect(cls, folder: Path) -> Self:
        """Connect to the holder that runs in ``folder``.

        Raises:
            Unreachable: none does, or (:class:`core.shells.dialing.Silent`) it does not answer.
        """
        made = await _adopt(await dialing.reach(folder), folder.name)
        link = cls(folder, made)
        try:
            async with asyncio.timeout(dialing.ANSWER_SECONDS):
                await link.hello()
        except TimeoutError:
            link.disconnect()
            raise dialing.silent(folder) from None
        except BaseException:
            link.disconnect()
            raise
        return link

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.disconnect()

    def disconnect(self) -> None:
        """Hang up. The holder and its sessions go on."""
        self._connection.close()

    @property
    def distro(self) -> str:
        """The id of its distro."""
        return self.folder.name

    @property
    def closed(self) -> bool:
        """Whether the holder is gone, or was hung up on."""
        return self._connection.closed

    async def hello(self) -> dict[str, Any]:
        """Who it is: ``pid``, ``distro``, ``held``, ``processes``. Starts its linger time anew."""
        found: dict[str, Any] = await self._connection.call("hello")
        return found

    async def open(self, session: int, spec: ShellSpec) -> Session:
        """Open a session under the given number.

        Raises:
            NotFound: no such user or working directory.
            InvalidInput: a bind or variable that cannot be meant.
            CommandNotFound: nothing to execute under that name, or no shell.
            CommandNotExecutable: the kernel refuses it.
            Conflict: the number is taken, or the distro is being stopped.
        """
        shell = {
            "argv": spec.argv,
            "workdir": spec.workdir,
            "binds": [mount_record(mount) for mount in spec.binds],
            "env": spec.env,
            "user": spec.user,
            "rows": spec.rows,
            "columns": spec.columns,
            "tty": spec.tty,
            "bound": spec.bound,
        }
        return session_of(await self._connection.call("open", session=session, shell=shell))

    async def sessions(self) -> list[Session]:
        """Its sessions, those that ended lately too."""
        return [session_of(record) for record in await self._connection.call("sessions")]

    async def input(self, session: int, data: bytes) -> None:
        """Bytes for a session's terminal. Raises: NotFound."""
        for start in range(0, len(data), frames.INPUT_LIMIT):
            piece = data[start : start + frames.INPUT_LIMIT].decode("latin-1")
            await self._connection.call("input", session=session, data=piece)

    async def resize(self, session: int, rows: int, columns: int) -> None:
        """Set a session's size; values below 1 are ignored. Raises: NotFound."""
        await self._connection.call("resize", session=session, rows=rows, columns=columns)

    async def signal(self, session: int, number: int) -> None:
        """Signal a session's foreground process group. Raises: NotFound."""
        await self._connection.call("signal", session=session, number=number)

    async def close(self, session: int) -> None:
        """SIGHUP to the session, SIGKILL to what is left after a grace time; also when ended."""
        await self._connection.call("close", session=session)

    async def hold(self, value: bool) -> None:
        """Keep the distro running without sessions, or no more."""
        await self._connection.call("hold", value=value)

    async def freeze(self) -> None:
        """Stop every process in the distro where it is, until :meth:`thaw` or the link's end."""
        await self._connection.call("freeze")

    async def thaw(self) -> None:
        """Let them go on; also when none was stopped."""
        await self._connection.call("thaw")

    async def rename(self, name: str) -> None:
        """Tell it, and so its sessions, what the distro is called now."""
        await self._connection.call("rename", name=name)

    async def stop(self) -> None:
        """End everything in the distro; when this returns, its mounts are gone too."""
        await self._connection.call("stop")

    async def changes(self) -> AsyncIterator[Session]:
        """Every session as it is now, then each change; ends when the holder does.

        One iterator at a time.
        """
        for record in await self._connection.call("follow"):
            yield session_of(record)
        while (record := await self._connection.events.get()) is not None:
            yield session_of(record)


def mount_record(mount: Mount) -> dict[str, object]:
    """A mount as a holder takes it."""
    return {"source": mount.source, "target": mount.target, "read_only": mount.read_only}


class _Connection(asyncio.Protocol):
    """Calls in flight by number; a protocol and not a task, so that nobody has to own one."""

    def __init__(self, name: str) -> None:
        self.events: asyncio.Queue[SessionRecord | None] = asyncio.Queue()
        self.closed = False
        self._name = name
        self._reader = frames.FrameReader(frames.HOLDER_LIMITS)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._seq = 0
        self._transport: asyncio.Transport | None = None

    async def call(self, verb: str, **arguments: object) -> Any:
        if self._transport is None or self.closed:
            raise self._ended()
        self._seq += 1
        body = json.dumps({"seq": self._seq, "verb": verb, **arguments}).encode()
        if len(body) > _CALL_LIMIT:
            # The holder would hang up, and that is how a holder that ended looks.
            raise InvalidInput(verb, f"{len(body)} bytes of arguments, at most {_CALL_LIMIT}")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[self._seq] = future
        self._transport.write(frames.pack(frames.CALL, body))
        try:
            return await future
        finally:
            self._waiting = {seq: one for seq, one in self._waiting.items() if one is not future}

    def close(self) -> None:
        if self._transport:
            self._transport.close()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows a type
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        try:
            for kind, payload in self._reader.feed(data):
                self._handle(kind, json.loads(payload))
        except (frames.FrameError, ValueError):
            self.close()

    def _handle(self, kind: int, body: Any) -> None:
        if kind == frames.EVENT:
            self.events.put_nowait(body)
            return
        future = self._waiting.pop(body["seq"], None)
        if future is None or future.done():
            return
        if kind == frames.REPLY:
            future.set_result(body["value"])
        elif kind == frames.FAULT:
            error = by_code(body["code"])(body["what"], body["why"], hint=body["hint"])
            future.set_exception(error)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self.events.put_nowait(None)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(self._ended())

    def _ended(self) -> Unreachable:
        return Unreachable(self._name, _GONE, hint="start the distro again")


async def _adopt(connection: socket.socket, name: str) -> _Connection:
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_unix_connection(lambda: _Connection(name), sock=connection)
    return protocol
