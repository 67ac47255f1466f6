"""Frames over a non-blocking unix socket, with descriptors beside them.

Not asyncio's streams: those cannot carry SCM_RIGHTS.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import TYPE_CHECKING

from core.errors import InvalidInput
from core.serve.native.codec import HEADER, MAX_PAYLOAD, Kind

if TYPE_CHECKING:
    from pathlib import Path

_CREDENTIALS = struct.Struct("3i")


class Link:
    """One connection. Reading is for one task; writing may be shared."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.socket = sock
        self._writing = asyncio.Lock()
        self._buffer = bytearray()
        self._descriptors: list[int] = []

    def peer(self) -> tuple[int, int]:
        """Process id and user id of the other side, from the kernel (SO_PEERCRED)."""
        raw = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, _gid = _CREDENTIALS.unpack(raw)
        return pid, uid

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
                    payload = bytes(self._buffer[HEADER.size : end])
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
        loop = asyncio.get_running_loop()
        while True:
            try:
                data, descriptors, _flags, _address = socket.recv_fds(self.socket, 1 << 16, 4)
            except BlockingIOError:
                await _readable(loop, self.socket)
                continue
            self._descriptors += descriptors
            self._buffer += data
            return bool(data)

    async def write(self, data: bytes) -> None:
        """Send whole frames; waits while the other side is not reading."""
        async with self._writing:
            await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def write_with_descriptor(self, frame: bytes, descriptor: int) -> None:
        """Send a frame and a copy of ``descriptor``; the caller keeps its own."""
        async with self._writing:
            loop = asyncio.get_running_loop()
            while True:
                try:
                    sent = socket.send_fds(self.socket, [frame], [descriptor])
                    break
                except BlockingIOError:
                    await _writable(loop, self.socket)
            await loop.sock_sendall(self.socket, frame[sent:])

    def take_descriptor(self) -> int:
        """The oldest descriptor received and not yet taken; the caller must close it."""
        if not self._descriptors:
            raise InvalidInput("frame", "came without the descriptor it promises")
        return self._descriptors.pop(0)

    def close(self) -> None:
        """Close the connection and every descriptor nobody took. Idempotent."""
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()
        self.socket.close()


async def _readable(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_reader(sock)


async def _writable(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(sock, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_writer(sock)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def connect(path: Path) -> socket.socket:
    """A connected socket. Through the folder's descriptor, as a path may exceed 107 bytes.

    Raises:
        OSError: nobody listens there.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.connect(f"/proc/self/fd/{folder}/{path.name}")
        except OSError:
            sock.close()
            raise
        return sock
    finally:
        os.close(folder)


def listen(path: Path) -> socket.socket:
    """A listening socket with mode 0600 in place of whatever stale one is there."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        path.unlink(missing_ok=True)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        before = os.umask(0o177)
        try:
            sock.bind(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.umask(before)
        sock.listen(128)
        return sock
    finally:
        os.close(folder)
