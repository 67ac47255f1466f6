"""A pseudo-terminal out of a sandbox's own devpts, so that ``tty`` inside says /dev/pts/N.

ioctl_tty(2): TIOCGPTPEER opens the other end without a path, which a foreign mount namespace
would not resolve.
"""

from __future__ import annotations

import fcntl
import os
import struct
import termios

_TIOCSPTLCK = 0x4004_5431
_TIOCGPTPEER = 0x5441
_IUTF8 = 0o40000


def open_pty(pid: int, rows: int, columns: int) -> tuple[int, int]:
    """The master (non-blocking) and its peer, in the sandbox of process ``pid``."""
    flags = os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC
    master = os.open(f"/proc/{pid}/root/dev/pts/ptmx", flags)
    try:
        fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
        peer = fcntl.ioctl(master, _TIOCGPTPEER, flags)
    except OSError:
        os.close(master)
        raise
    set_size(master, rows, columns)
    attributes = termios.tcgetattr(peer)
    attributes[0] |= _IUTF8
    termios.tcsetattr(peer, termios.TCSANOW, attributes)
    os.set_blocking(master, False)
    return master, peer


def set_size(fd: int, rows: int, columns: int) -> None:
    """Set the size; the foreground process group hears SIGWINCH if it differs."""
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def foreground(master: int) -> int:
    """The foreground process group, as this host counts; 0 if there is none."""
    try:
        return os.tcgetpgrp(master)
    except OSError:
        return 0
