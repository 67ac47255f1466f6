"""The engine daemon: a LocalEngine behind the native protocol.

Starts itself on a client's first need (:mod:`core.connect`) and ends when nothing needs it: no
session, no job, no client for a while. Sessions live in their holders and do not notice.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import logging
import os
import signal
import sys
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from core.background import background
from core.config import read_settings
from core.errors import Conflict, DeckError, Refused
from core.local.engine import open_local
from core.paths import Paths
from core.runtimes.forking import from_os
from core.serve.native.codec import Kind, pack, pack_failure
from core.serve.native.link import listen
from core.serve.native.server import NativeServer
from core.version import VERSION

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from core.domain import Caller
    from core.engine import Engine
    from core.local.engine import LocalEngine

_log = logging.getLogger(__name__)

LOG_BYTES = 4 << 20
"""Size at which the log file is turned over; one older file is kept."""

IDLE_CHECK = 1.0
"""Seconds between two looks at whether anybody still needs the daemon."""


class Daemon:
    """One engine, its listening socket and the reasons to stay."""

    def __init__(self, engine: LocalEngine, idle_seconds: float) -> None:
        self._engine = engine
        self._idle_seconds = idle_seconds
        self._clients = 0
        self._end = asyncio.Event()

    def engine_for(self, caller: Caller) -> Engine:
        """The engine as this caller may use it."""
        return self._engine.bind(caller)

    async def dial(self, caller: Caller, session: int, *, viewer: bool) -> socket.socket:
        """A socket attached to a session, to be handed to the caller."""
        return await self._engine.bind(caller).dial(session, viewer=viewer)

    def shutdown(self, caller: Caller) -> None:
        """End the daemon; sessions stay with their holders. Raises: Refused."""
        if caller.role != "admin":
            raise Refused("shutdown", "your role may not end the daemon")
        self._end.set()

    def _count(self, clients: int) -> None:
        self._clients = clients

    def _needed(self) -> bool:
        return bool(self._clients) or self._engine.busy()

    async def _watch_idle(self) -> None:
        loop = asyncio.get_running_loop()
        since = loop.time()
        while (now := loop.time()) - since < self._idle_seconds or self._needed():
            if self._needed():
                since = now
            await asyncio.sleep(min(IDLE_CHECK, self._idle_seconds))
        _log.info("idle for %.0f s: ending", self._idle_seconds)
        self._end.set()

    async def run(self, listener: socket.socket, ready: Callable[[], None] | None) -> None:
        """Serve until told to end, a signal, or idleness; ``ready`` is called once served."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._end.set)
        server = NativeServer(self, VERSION, on_clients=self._count)
        async with background() as tasks:
            tasks.start(server.serve(listener), "serve")
            if self._idle_seconds > 0:
                tasks.start(self._watch_idle(), "idle")
            if ready:
                ready()
            await self._end.wait()


async def serve(
    paths: Paths, *, idle_seconds: float | None = None, ready: Callable[[], None] | None = None
) -> None:
    """Run a daemon for ``paths`` until it ends; ``ready`` is called once it serves.

    The socket is there before the store is open and until it is closed: whoever connects in
    between waits, and never finds the store held by a daemon that nobody can reach.

    Raises:
        Conflict: another engine holds the store.
        InvalidInput: the settings cannot be read.
    """
    settings = read_settings(paths.config)
    idle = settings.daemon.idle_seconds if idle_seconds is None else idle_seconds
    with _only_daemon(paths), listen(paths.socket) as listener:
        try:
            async with open_local(paths, settings=settings) as engine:
                await Daemon(engine, idle).run(listener, ready)
        finally:
            paths.socket.unlink(missing_ok=True)


@contextmanager
def _only_daemon(paths: Paths) -> Iterator[None]:
    lock = os.open(paths.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                str(paths.run),
                "another engine daemon serves here",
                hint="use that one, or end it with: distrodeck serve --stop (sessions stay)",
            ) from None
        yield
    finally:
        os.close(lock)


def _tell(starter: BinaryIO, frame: bytes) -> None:
    """Tell the starter, who listens once and may be gone."""
    if not starter.closed:
        with suppress(BrokenPipeError), starter:
            starter.write(frame)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="core.daemon", description=__doc__)
    for name in ("config", "data", "state", "cache", "run"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--ready", type=int, required=True)
    return parser.parse_args()


def main() -> int:
    """What :func:`core.connect.daemon_command` starts."""
    arguments = _arguments()
    if os.fork():
        # The starter has a child to wait for that ends at once, and the daemon is nobody's child.
        os._exit(0)
    os.set_inheritable(arguments.ready, False)
    starter = open(arguments.ready, "wb", buffering=0)  # noqa: SIM115 - closed when it was told
    os.umask(0o077)
    paths = Paths(
        config=arguments.config,
        data=arguments.data,
        state=arguments.state,
        cache=arguments.cache,
        run=arguments.run,
    )
    try:
        paths.make()
        logging.basicConfig(
            level=logging.INFO,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
            handlers=[RotatingFileHandler(paths.log, maxBytes=LOG_BYTES, backupCount=1)],
        )
        asyncio.run(serve(paths, ready=lambda: _tell(starter, pack(Kind.RESULT, 0))))
    except DeckError as error:
        return _give_up(error, starter)
    except OSError as error:
        return _give_up(from_os(error), starter)
    return 0


def _give_up(error: DeckError, starter: BinaryIO) -> int:
    """Tell the log, and the starter if it is still there."""
    _log.error("%s", error)
    _tell(starter, pack_failure(0, error))
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
