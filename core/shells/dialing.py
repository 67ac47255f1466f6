"""Connect to a holder.

A unix socket's path may have 107 bytes (unix(7)) and a root folder be deeper, so the path used
is always ``/proc/self/fd/N/sock``.
"""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING

from core.errors import Unreachable
from core.shells import frames, records

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT = 5.0


def connect(folder: Path) -> socket.socket:
    """A blocking connection to the holder in ``folder``.

    Raises:
        Unreachable: none answers there.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(_TIMEOUT)
    try:
        fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            connection.connect(f"/proc/self/fd/{fd}/{records.SOCKET}")
        finally:
            os.close(fd)
    except OSError as error:
        connection.close()
        why = f"its holder does not answer: {(error.strerror or str(error)).lower()}"
        raise Unreachable(folder.name, why, hint="start the distro again") from None
    connection.settimeout(None)
    return connection


async def dial(folder: Path, session: int, *, viewer: bool = False) -> socket.socket:
    """A connection that is attached to one session and can reach no other.

    It may be handed to another process (SCM_RIGHTS), who gives it to
    :meth:`core.shells.attachment.HolderAttachment.from_socket`. Connecting to a unix socket does
    not block but for a full backlog.

    Raises:
        Unreachable: no holder answers there.
    """
    connection = connect(folder)
    body = json.dumps({"session": session, "viewer": viewer}).encode()
    connection.sendall(frames.pack(frames.ATTACH, body))
    connection.setblocking(False)
    return connection
