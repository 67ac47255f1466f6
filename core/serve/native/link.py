"""Frames over a non-blocking unix socket, with descriptors beside them.

Not asyncio's streams: those cannot carry SCM_RIGHTS (unix(7)).
"""

from __future__ import annotations

import array
import asyncio
import os
import socket
import struct
from typing import TYPE_CHECKING

from core.errors import InvalidInput, Refused
from core.serve.native.codec import HEADER, MAX_PAYLOAD, Kind

if TYPE_CHECKING:
    from pathlib import Path

_CREDENTIALS = struct.Struct("3i")
_CHUNK = 1 << 16
_BACKLOG = 128


class Link:
    """One connection. Reading is for one task; writing may be shared.

    A frame that was begun goes out whole, also when its writer is cancelled: half a frame would
    make nonsense of all that follow.
    """

    def __init__(self, sock: socket.socket, *, descriptors: bool = False) -> None:
        """``descriptors``: take those that come; otherwise the kernel closes them unseen."""
        sock.setblocking(False)
        self.socket = sock
        self._takes = socket.CMSG_LEN(array.array("i").itemsize) if descriptors else 0
        self._taken: list[int] = []
        self._buffer = bytearray()
        self._writing = asyncio.Lock()
        self._out = bytearray()
        self._beside = -1
        self._blocked = False
        self._flushed: asyncio.Future[bool] | None = None
        self._broken = ""

    async def read(self) -> tuple[Kind, int, bytes] | None:
        """The next frame, or None at the end of the connection.

        Raises:
            InvalidInput: a frame that is too long or of no kind.
            ConnectionError: the other side went away inside a frame.
        """
        while True:
            if len(self._buffer) >= HEADER.size:
                length, kind, channel = HEADER.unpack_from(self._buffer)
                if length > MAX_PAYLOAD:
                    raise InvalidInput("frame", f"{length} bytes, at most {MAX_PAYLOAD}")
                end = HEADER.size + length
                if len(self._buffer) >= end:
                    payload = bytes(memoryview(self._buffer)[HEADER.size : end])
                    del self._buffer[:end]
                    try:
                        return Kind(kind), channel, payload
                    except ValueError:
                        raise InvalidInput("frame", f"unknown kind {kind}") from None
            if not await self._receive():
                if self._buffer:
                    raise ConnectionResetError("connection ended inside a frame")
                return None

    async def _receive(self) -> bool:
        while True:
            try:
                data, beside, _flags, _address = self.socket.recvmsg(
                    _CHUNK, self._takes, socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                await _readable(self.socket)
                continue
            except OSError as error:
                raise ConnectionResetError(str(error)) from error
            for level, kind, content in beside:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    self._taken += array.array("i", content)
            self._buffer += data
            return bool(data)

    def take_descriptor(self) -> int:
        """The oldest descriptor received and not yet taken; the caller must close it."""
        if not self._taken:
            raise InvalidInput("frame", "came without the descriptor it promises")
        return self._taken.pop(0)

    async def write(self, frame: bytes, *, descriptor: int = -1) -> None:
        """Send a frame, and a copy of ``descriptor``; waits while the other side does not read.

        Cancelled, the frame was sent whole, will be, or not a byte of it ever is.

        Raises:
            ConnectionError: the other side is gone and cannot have got the whole frame.
        """
        async with self._writing:
            await self._flush_all()  # what a cancelled writer left behind
            if descriptor >= 0:
                self._beside = os.dup(descriptor)
            self.post(frame)
            await self._flush_all()

    def post(self, frame: bytes) -> None:
        """Send a small frame without waiting, after what is on its way; lost if that is."""
        if not self._broken:
            self._out += frame
            if not self._blocked:
                self._flush()

    async def _flush_all(self) -> None:
        whole = not self._broken
        if self._out:
            self._flushed = asyncio.get_running_loop().create_future()
            whole = await self._flushed
        if not whole:
            raise ConnectionResetError(self._broken)

    def _flush(self) -> None:
        try:
            while self._out:
                with memoryview(self._out)[:_CHUNK] as piece:
                    sent = self._send(piece)
                del self._out[:sent]
        except BlockingIOError:
            if not self._blocked:
                self._blocked = True
                asyncio.get_running_loop().add_writer(self.socket, self._flush)
            return
        except OSError as error:
            self._break(str(error))
        self._unblock(whole=not self._broken)

    def _send(self, piece: memoryview) -> int:
        if self._beside < 0:
            return self.socket.send(piece)
        rights = array.array("i", [self._beside])
        sent = self.socket.sendmsg([piece], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        os.close(self._beside)
        self._beside = -1
        return sent

    def _unblock(self, *, whole: bool) -> None:
        if self._blocked:
            self._blocked = False
            asyncio.get_running_loop().remove_writer(self.socket)
        if self._flushed and not self._flushed.done():
            self._flushed.set_result(whole)

    def _break(self, why: str) -> None:
        self._broken = self._broken or why
        self._out.clear()

    def close(self) -> None:
        """Close the connection and every descriptor nobody took. Idempotent."""
        self._break("connection closed")
        self._unblock(whole=False)
        for descriptor in (*self._taken, self._beside):
            if descriptor >= 0:
                os.close(descriptor)
        self._taken.clear()
        self._beside = -1
        self.socket.close()


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_reader(sock)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def peer(sock: socket.socket) -> tuple[int, int]:
    """Process id and user id of the other side, from the kernel (SO_PEERCRED, unix(7)).

    Of a listening socket's side they are those of whoever called ``listen``.
    """
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _gid = _CREDENTIALS.unpack(raw)
    return pid, uid


def connect(path: Path) -> socket.socket:
    """A connected socket. Through the folder's descriptor, as a path may exceed 107 bytes.

    Raises:
        OSError: nobody listens there.
        Refused: somebody else does, who must not be told what we ask.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(f"/proc/self/fd/{folder}/{path.name}")
        if peer(sock)[1] != os.geteuid():
            raise Refused(str(path), "belongs to another user", hint="choose another --root")
    except BaseException:
        sock.close()
        raise
    finally:
        os.close(folder)
    return sock


def listen(path: Path) -> socket.socket:
    """A listening socket with mode 0600 in place of whatever stale one is there."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        path.unlink(missing_ok=True)
        sock.bind(f"/proc/self/fd/{folder}/{path.name}")
        path.chmod(0o600)  # nobody can connect before it listens
        sock.listen(_BACKLOG)
    except BaseException:
        sock.close()
        raise
    finally:
        os.close(folder)
    return sock
