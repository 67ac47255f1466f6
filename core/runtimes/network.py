"""Name resolution of the host in a sandbox that shares its network.

The host's files are copied and the copies bound: a bind of the original would keep showing the
old one after a network manager has put a new file in its place.
"""

from __future__ import annotations

import os

from core.runtimes.bwrap import hostname
from core.runtimes.spec import MountSpec

_FILES = ("resolv.conf", "hosts")
_FOLDER = "etc"
_LIMIT = 1 << 20


def write_network_files(folder: str, name: str) -> list[MountSpec]:
    """Bring the copies below ``folder`` up to date, in place, and say where they belong."""
    copies = os.path.join(folder, _FOLDER)
    os.makedirs(copies, exist_ok=True)
    os.chmod(copies, 0o755)  # noqa: S103 - other users of the distro read them
    mounts = []
    for file in _FILES:
        copy = os.path.join(copies, file)
        text = _read(f"/etc/{file}")
        if file == "hosts":
            # sudo and many a daemon look up the machine's own name.
            text = text.rstrip(b"\n") + f"\n127.0.1.1 {hostname(name)}\n".encode()
        _write_in_place(copy, text)
        mounts.append(MountSpec(source=copy, target=f"/etc/{file}", read_only=False))
    return mounts


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_LIMIT)
    except OSError:
        return b"127.0.0.1 localhost\n" if path.endswith("hosts") else b""


def _write_in_place(path: str, data: bytes) -> None:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(path, flags, 0o644)
    try:
        os.fchmod(fd, 0o644)
        if os.read(fd, _LIMIT) != data:
            os.ftruncate(fd, 0)
            os.pwrite(fd, data, 0)
    finally:
        os.close(fd)
