"""Tiny static programs that a sandbox can run without any file of its image.

*pause* is PID 1: it ignores SIGCHLD, so that the kernel reaps, writes one byte to standard
output (by then every mount is in place), closes it and sleeps. As PID 1 it is out of reach of
``kill -9 -1``.

*enter* is what a session's process is for the moment between Python and the command: it marks
descriptor 3 close-on-exec, executes ``argv[0]`` with ``argv[1:]``, and writes a 32-bit errno to
descriptor 3 if that fails. Executed from a sealed memfd, it leaves an image that names
``/proc/self/exe`` as its command nothing of the host to open (as in CVE-2019-5736).

*true* is what ``doctor`` runs in a container.

System V ABI, ELF header; call numbers of asm/unistd.h.
"""

from __future__ import annotations

import fcntl
import os
import struct

from core.errors import Unsupported

# rt_sigaction(SIGCHLD, {SIG_IGN}, 0, 8); write(1, _, 1); close(1); for (;;) pause()
_PAUSE = {
    "x86_64": "6a006a006a006a01b00d0fb6c06a115f4889e631d26a08415a0f05"
    "6a01586a015f4889e66a015a0f056a03586a015f0f056a22580f05ebf9",
    "aarch64": "030180d2020080d2240080d2e47fbea9ff7f01a9e1030091200280d2c81080d2010000d4"
    "220080d2e1030091200080d2080880d2010000d4200080d2280780d2010000d4"
    "040080d2030080d2020080d2010080d2000080d2280980d2010000d4f9ffff17",
}
# fcntl(3, F_SETFD, FD_CLOEXEC); execve(argv[0], argv + 1, envp); write(3, &errno, 4); exit(127)
_ENTER = {
    "x86_64": "5b4989e46a48586a035f6a025e6a015a0f05498b3c24498d742408498d54dc086a3b580f05"
    "f7d8506a035f4889e66a045a6a01580f056a7f5f6a3c580f05",
    "aarch64": "220080d2410080d2600080d2280380d2010000d4e90340f9e00740f9e1430091220c098b"
    "a81b80d2010000d4e003004be00f1ff8820080d2e1030091600080d2080880d2010000d4"
    "e00f80d2a80b80d2010000d4",
}
# exit(0)
_TRUE = {
    "x86_64": "31ff6a3c580f05",
    "aarch64": "000080d2a80b80d2010000d4",
}
_MACHINE = {"x86_64": 62, "aarch64": 183}
_BASE = 0x40_0000
_HEADERS = 64 + 56


def elf(code: bytes, machine: int) -> bytes:
    """A static ELF executable of one segment that starts at its ``code``."""
    size = _HEADERS + len(code)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    entry = _BASE + _HEADERS
    header = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1_0000)
    return ident + header + segment + code


def program(name: str, machine: str) -> bytes:
    """The program ``pause``, ``enter`` or ``true`` for a machine as ``uname -m`` names it.

    Raises:
        Unsupported: there is none for that machine.
    """
    code = {"pause": _PAUSE, "enter": _ENTER, "true": _TRUE}[name].get(machine)
    if code is None:
        known = ", ".join(sorted(_MACHINE))
        raise Unsupported(machine, "no sandbox for this processor", hint=f"known are {known}")
    return elf(bytes.fromhex(code), _MACHINE[machine])


def load(name: str) -> int:
    """A descriptor of a sealed memfd that holds the program; close-on-exec."""
    data = program(name, os.uname().machine)
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd
