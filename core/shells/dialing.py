"""Connect to a holder.

A unix socket's path may have 107 bytes (unix(7)) and a root folder be deeper, so the path used
is always ``/proc/self/fd/N/sock``.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import Unreachable
from core.runtimes.forking import from_os
from core.shells import frames, records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANSWER_SECONDS = 5.0
"""A holder that says nothing for so long is stopped or hangs."""
_AGAIN = 0.05


class Silent(Unreachable):
    """The holder is there, but does not answer."""


def silent(folder: Path) -> Silent:
    """The error for the holder of ``folder``."""
    why = "its holder is there, but does not answer"
    return Silent(folder.name, why, hint="distrodeck stop NAME ends it")


def connect(folder: Path) -> socket.socket:
    """A blocking connection to the holder in ``folder``.

    Raises:
        Unreachable: none answers there.
    """
    with _connecting(folder) as connection:
        connection.settimeout(ANSWER_SECONDS)
        _connect(connection, folder)
        connection.settimeout(None)
    return connection


async def reach(folder: Path) -> socket.socket:
    """As :func:`connect`, without making the event loop wait; the connection is non-blocking."""
    with _connecting(folder) as connection:
        connection.setblocking(False)
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                try:
                    _connect(connection, folder)
                    break
                except BlockingIOError:
                    # The backlog is full, and nothing tells when it is not (unix(7)).
                    await asyncio.sleep(_AGAIN)
    return connection


async def dial(folder: Path, session: int, *, viewer: bool = False) -> socket.socket:
    """A connection that is attached to one session and can reach no other.

    It may be handed to another process (SCM_RIGHTS), who gives it to
    :meth:`core.shells.attachment.HolderAttachment.from_socket`.

    Raises:
        Unreachable: no holder answers there.
    """
    connection = await reach(folder)
    body = json.dumps({"session": session, "viewer": viewer}).encode()
    with _closing(connection, folder):
        # All of it: nothing is in the buffer of a new connection yet.
        connection.sendall(frames.pack(frames.ATTACH, body))
    return connection


@contextmanager
def _connecting(folder: Path) -> Iterator[socket.socket]:
    try:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    except OSError as error:
        raise from_os(error) from error
    with _closing(connection, folder):
        yield connection


@contextmanager
def _closing(connection: socket.socket, folder: Path) -> Iterator[None]:
    """Close it if the block fails, whose errors become a person's."""
    try:
        yield
    except TimeoutError:
        connection.close()
        raise silent(folder) from None
    except OSError as error:
        connection.close()
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise from_os(error) from error
        why = f"its holder does not answer: {(error.strerror or str(error)).lower()}"
        raise Unreachable(folder.name, why, hint="start the distro again") from None
    except BaseException:
        connection.close()
        raise


def _connect(connection: socket.socket, folder: Path) -> None:
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        connection.connect(f"/proc/self/fd/{fd}/{records.SOCKET}")
    finally:
        os.close(fd)
