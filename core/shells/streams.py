"""The descriptors of one session: a PTY in the sandbox, or three pipes."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from core.runtimes import enter
from core.shells import pty
from core.terminal import logformat

if TYPE_CHECKING:
    from collections.abc import Iterator

READ = 64 << 10
"""Bytes taken from a descriptor at a time."""


class Ends(NamedTuple):
    """Both sides of what was opened; all of it belongs to the caller."""

    command: enter.Streams
    """What the command gets; closed in this process once it was started."""
    sending: int
    """Where its input is written."""
    outputs: dict[int, int]
    """Where its output is read, with the kind of record it becomes."""
    master: int = -1
    """The PTY's controlling side."""


def open_terminal(sandbox: int, rows: int, columns: int) -> Ends:
    """A PTY of the sandbox whose init has the process id ``sandbox``. Raises: OSError."""
    master, peer = pty.open_pty(sandbox, rows, columns)
    with _closing_on_failure([master, peer]):
        sending = os.dup(master)
    return Ends(enter.Streams(peer, peer, peer), sending, {master: logformat.OUTPUT}, master)


def open_pipes() -> Ends:
    """Standard input, output and error, apart. Raises: OSError."""
    ends: list[int] = []
    with _closing_on_failure(ends):
        for _ in range(3):
            ends += os.pipe2(os.O_CLOEXEC)
    stdin, sending, out, stdout, err, stderr = ends
    for fd in (sending, out, err):
        os.set_blocking(fd, False)
    outputs = {out: logformat.OUTPUT, err: logformat.STDERR}
    return Ends(enter.Streams(stdin, stdout, stderr), sending, outputs)


@contextmanager
def _closing_on_failure(fds: list[int]) -> Iterator[None]:
    try:
        yield
    except OSError:
        for fd in fds:
            os.close(fd)
        raise


def read_some(fd: int) -> tuple[bytes, bool]:
    """What is there, and whether it was the last: a PTY gives at most 4 KiB at a time."""
    data = bytearray()
    while len(data) < READ:
        try:
            piece = os.read(fd, READ)
        except BlockingIOError:
            return bytes(data), False
        except OSError as error:
            # Linux says end-of-file with EIO once every other end of a PTY is closed.
            if error.errno != errno.EIO:
                raise
            return bytes(data), True
        if not piece:
            return bytes(data), True
        data += piece
    return bytes(data), False
