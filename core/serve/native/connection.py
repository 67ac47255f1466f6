"""A client's connection to a daemon: the greeting, the calls on it, how its end is told."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from core.errors import DaemonUnreachable, InvalidInput
from core.serve.native.codec import (
    PROTOCOL,
    Hello,
    Kind,
    pack,
    pack_call,
    pack_value,
    unpack_failure,
    unpack_hello,
)

if TYPE_CHECKING:
    from core.serve.native.link import Link


class Lost(DaemonUnreachable):
    """The connection ended before the answer."""

    def __init__(self, *, sent: bool = True) -> None:
        """``sent``: the engine may have got the call."""
        super().__init__(
            "engine daemon", "the connection ended", hint="try again; sessions run on without it"
        )
        self.sent = sent


class Connection:
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
            await write(self._link, frame)
            found = await answer
        except Lost:
            self.lost = True
            raise
        except asyncio.CancelledError:
            self._link.post(pack(Kind.CANCEL, channel))
            raise
        finally:
            del self._waiting[channel]
        if found is None:
            raise Lost
        return found


async def write(link: Link, frame: bytes) -> None:
    """Send a frame. Raises: Lost, and then the engine has not got the call."""
    try:
        await link.write(frame)
    except ConnectionError:
        raise Lost(sent=False) from None


async def read_answer(link: Link) -> tuple[Kind, bytes]:
    """The next frame of a link that carries one call. Raises: what the engine answered."""
    try:
        frame = await link.read()
    except (ConnectionError, InvalidInput):
        raise Lost from None
    if frame is None:
        raise Lost
    kind, _channel, payload = frame
    if kind is Kind.ERROR:
        raise unpack_failure(payload)
    return kind, payload


async def greet(link: Link, version: str) -> Hello:
    """Exchange hellos. Raises: DaemonUnreachable, Refused."""
    with suppress(Lost):  # what it said before it hung up is worth more
        await write(link, pack_value(Kind.HELLO, 0, Hello(PROTOCOL, version, os.getpid())))
    _kind, payload = await read_answer(link)
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
