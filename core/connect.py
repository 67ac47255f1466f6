"""Find the engine of this user, or start one.

The daemon starts itself on first use, as a tmux server does. Starters queue on a lock, so that
twenty of them make one daemon.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from core.errors import DaemonUnreachable
from core.paths import Paths, find_paths
from core.serve.native.codec import HEADER, Kind, unpack_failure
from core.serve.native.link import connect
from core.version import VERSION

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from core.engine import Engine
    from core.serve.native.client import RemoteEngine

START_SECONDS = 20.0
"""A daemon that has not said it is ready by then is given up."""

KEPT_ENVIRONMENT = (
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
    "REGISTRY_AUTH_FILE",
    "DOCKER_CONFIG",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
"""What a daemon takes over from whoever happens to start it; nothing else leaks in."""


def clean_environment() -> dict[str, str]:
    """The environment of the daemon and of its helper processes."""
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **kept}


@asynccontextmanager
async def open_engine(
    *, root: Path | None = None, embedded: bool = False, start: bool = True
) -> AsyncIterator[Engine]:
    """The engine for the folders under ``root`` (or this user's own).

    Args:
        root: Folder of store, state, cache and sockets; None: the standard places.
        embedded: Run the engine in this process; for tests and one-off commands. It needs the
            store for itself.
        start: Start a daemon if none runs.

    Raises:
        DaemonUnreachable: none runs and none could be started; says where its log is.
        Conflict: ``embedded`` while a daemon holds the store, or the other way round.
        InvalidInput: the settings cannot be read.
        Refused: the place is another user's.
    """
    paths = find_paths(root)
    if embedded:
        from core.local.engine import open_local

        async with open_local(paths) as engine:
            yield engine
        return
    async with remote(paths, start=start) as remote_engine:
        yield remote_engine


def remote(paths: Paths, *, start: bool = True) -> RemoteEngine:
    """A client of the daemon for ``paths``; use as an async context manager."""
    from core.serve.native.client import RemoteEngine

    async def dial() -> socket.socket:
        loop = asyncio.get_running_loop()
        given_up = threading.Event()
        connecting = partial(connect_or_start, paths, start=start, given_up=given_up)
        dialing = loop.run_in_executor(None, connecting)
        try:
            return await asyncio.shield(dialing)
        except asyncio.CancelledError:
            # A thread cannot be cancelled: what it brings has no taker any more.
            given_up.set()
            dialing.add_done_callback(_close_unused)
            raise

    return RemoteEngine(dial, VERSION)


def _close_unused(dialing: asyncio.Future[socket.socket]) -> None:
    if not dialing.cancelled() and dialing.exception() is None:
        dialing.result().close()


def connect_or_start(
    paths: Paths, *, start: bool = True, given_up: threading.Event | None = None
) -> socket.socket:
    """A socket to the daemon; blocks. Nothing is started once ``given_up`` is set.

    Raises:
        DaemonUnreachable: none runs, and none can be started.
        InvalidInput, Conflict: why the one that was started ended again.
        Refused: the place is another user's.
    """
    try:
        return connect(paths.socket)
    except OSError:
        if not start:
            raise DaemonUnreachable(
                "engine daemon", "none runs", hint="it starts with the first command that needs it"
            ) from None
    paths.make()
    try:
        with _starting(paths):
            try:
                return connect(paths.socket)
            except OSError:
                if given_up and given_up.is_set():
                    raise
                _start(paths)
                return connect(paths.socket)
    except OSError as error:
        raise DaemonUnreachable("engine daemon", str(error), hint=_see(paths)) from None


@contextmanager
def _starting(paths: Paths) -> Iterator[None]:
    lock = os.open(paths.run / "start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise DaemonUnreachable(
                        "engine daemon", "another process is still starting it", hint=_see(paths)
                    ) from None
                time.sleep(0.02)
        yield
    finally:
        os.close(lock)


def _start(paths: Paths) -> None:
    """Start a daemon and wait until it is ready. Raises: whatever it could not start for."""
    ready, tell = os.pipe()
    try:
        try:
            process = _spawn(paths, tell)
        finally:
            os.close(tell)
        said = _read_frame(ready)
        if said is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    finally:
        os.close(ready)
    if said is None:
        raise DaemonUnreachable("engine daemon", "did not become ready", hint=_see(paths))
    if len(said) < HEADER.size:
        raise DaemonUnreachable("engine daemon", "ended at once", hint=_see(paths))
    if HEADER.unpack_from(said)[1] == Kind.ERROR:
        raise unpack_failure(said[HEADER.size :])


def _spawn(paths: Paths, tell: int) -> subprocess.Popen[bytes]:
    """The process that makes the daemon; it ends at once, in a group that the daemon is in too."""
    log = os.open(paths.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            [*daemon_command(paths), "--ready", str(tell)],
            cwd="/",
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(tell,),
            start_new_session=True,
        )
    finally:
        os.close(log)


def _read_frame(ready: int) -> bytes | None:
    """All that the daemon says until it hangs up; None if it does not in time."""
    deadline = time.monotonic() + START_SECONDS
    said = b""
    while select.select([ready], [], [], max(deadline - time.monotonic(), 0))[0]:
        piece = os.read(ready, 4096)
        if not piece:
            return said
        said += piece
    return None


def daemon_command(paths: Paths) -> list[str]:
    """What starts a daemon: isolated from the working directory (``-P``)."""
    folders = [
        f"--{name}={getattr(paths, name)}" for name in ("config", "data", "state", "cache", "run")
    ]
    return [sys.executable, "-P", "-m", "core.daemon", *folders]


def _see(paths: Paths) -> str:
    return f"see {paths.log}, and try: distrodeck doctor"
