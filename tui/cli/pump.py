"""Join this process's standard streams and signals to a session of three pipes.

At most one window of bytes is held for a slow reader; after that the session is not read, and
its pipe makes the command wait. The descriptors stay blocking, because the flag would be shared
with every other process that has them: reading waits for the event loop, writing is left to a
thread that nobody waits for when the process ends.
"""

from __future__ import annotations

import asyncio
import os
import queue
import select
import signal
import threading
import time
from typing import TYPE_CHECKING

from core.engine import check_whole
from core.errors import DeckError
from tui.cli.report import PIPE_CLOSED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.engine import Attachment

_PIECE = 64 * 1024
_WINDOW = 512 * 1024
_FORWARDED = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
_GRACE = 1.0
"""Seconds after SIGPIPE in which a command may still write before it loses its client."""

_SIGNAL_SECONDS = 1.0
"""How long a signal may take to leave this process."""


async def pump(attachment: Attachment, close: Callable[[], Awaitable[None]]) -> int:
    """Move bytes both ways until the command ends; its exit code.

    Signals are the command's to handle. One that cannot be sent, because it would have to wait
    behind input that the command does not take, makes ``close`` end the session instead.

    If the reader of our output goes away the command gets SIGPIPE, as it would have without us
    in between; if it keeps on writing it is left, which ends a bound session.
    """
    loop = asyncio.get_running_loop()
    # Reading a terminal from the background is then an error, taken as the end of input, and
    # does not stop a command that may never want to read.
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    async with asyncio.TaskGroup() as group:

        def forward(number: int) -> None:
            group.create_task(_forward(attachment, number, close))

        for number in _FORWARDED:
            loop.add_signal_handler(number, forward, number)
        feeding = group.create_task(_feed(attachment))
        try:
            if not await _drain(attachment):
                return PIPE_CLOSED
            return await attachment.exit_code()
        finally:
            feeding.cancel()
            for number in _FORWARDED:
                loop.remove_signal_handler(number)


async def _drain(attachment: Attachment) -> bool:
    """Write what the command writes; False: it writes on, but nobody reads."""
    writers = {1: Writer(1), 2: Writer(2)}
    broken: dict[int, float] = {}
    async for piece in attachment.output():
        check_whole(piece)
        if not piece.data:
            continue
        try:
            await writers[piece.stream].write(piece.data)
        except BrokenPipeError:
            since = broken.setdefault(piece.stream, time.monotonic())
            if time.monotonic() - since > _GRACE:
                return False
            await _signal(attachment, signal.SIGPIPE)
    for number in writers.keys() - broken.keys():
        await writers[number].flush()
    return True


async def _forward(
    attachment: Attachment, number: int, close: Callable[[], Awaitable[None]]
) -> None:
    try:
        async with asyncio.timeout(_SIGNAL_SECONDS):
            await _signal(attachment, number)
    except TimeoutError:
        await close()


async def _signal(attachment: Attachment, number: int) -> None:
    try:
        await attachment.signal(number)
    except DeckError:
        return  # it ended meanwhile; the output says so


async def _feed(attachment: Attachment) -> None:
    """Give the command our input, then its end."""
    try:
        while data := await read(0):
            await attachment.write(data)
        await attachment.eof()
    except DeckError:
        return  # it ended without reading all of it, which is its right


async def read(descriptor: int) -> bytes:
    """The next bytes of ``descriptor``; empty at its end. Cancelling it loses nothing."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except PermissionError:  # a regular file is always ready, and epoll refuses it
        pass
    else:
        try:
            await ready.wait()
        finally:
            loop.remove_reader(descriptor)
    try:
        return os.read(descriptor, _PIECE)
    except OSError:  # not open for reading, or a terminal that hung up
        return b""


class Writer:
    """Writes to a blocking descriptor without stopping the event loop."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pieces: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._moved = asyncio.Event()
        self._held = 0
        self._error: OSError | None = None
        self._thread: threading.Thread | None = None

    async def write(self, data: bytes) -> None:
        """Take ``data``; waits while a window of older bytes is not written yet.

        Raises:
            OSError: an earlier piece could not be written.
        """
        await self._until(_WINDOW)
        self.put(data)

    def put(self, data: bytes) -> None:
        """Take ``data`` without waiting."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        self._held += len(data)
        self._pieces.put(data)

    async def flush(self) -> None:
        """Wait until all is written. A reader that went away at the very end is no error."""
        try:
            await self._until(0)
        except BrokenPipeError:
            return

    async def _until(self, limit: int) -> None:
        while self._held > limit and self._error is None:
            self._moved.clear()
            await self._moved.wait()
        if self._error is not None:
            raise self._error

    def _note(self, written: int, error: OSError | None) -> None:
        self._held -= written
        self._error = error
        self._moved.set()

    def _work(self) -> None:
        error: OSError | None = None
        while error is None:
            pieces = [self._pieces.get()]
            while not self._pieces.empty():
                pieces.append(self._pieces.get())
            data = b"".join(pieces)
            try:
                self._write_all(data)
            except OSError as failure:
                error = failure
            try:
                self._loop.call_soon_threadsafe(self._note, len(data), error)
            except RuntimeError:  # the loop is closed: nobody waits for this any more
                return

    def _write_all(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # somebody who shares the descriptor made it non-blocking
                select.select([], [self._descriptor], [])
