"""Who a command runs as inside a distro, and with what environment.

Reads the distro's own ``/etc/passwd`` and ``/etc/group`` (passwd(5), group(5)); nothing here
asks the host's name services. The caller is inside the distro's root.
"""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from core.errors import CommandNotFound, NotFound

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SHELLS = ("bash", "zsh", "fish", "ash", "sh")
_LIMIT = 1 << 20
_ID_LIMIT = 1 << 32


class User(NamedTuple):
    """A user of a distro."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    shell: str


def find_user(wanted: str) -> User:
    """The user ``wanted`` means: a name or uid, with ``:group`` or ``:gid`` if given.

    A uid or gid need not be listed, a name must be. Empty: uid 0.

    Raises:
        NotFound: no such user or group in this distro.
    """
    first, _, group = (wanted or "0").partition(":")
    uid = _number(first)
    for row in _rows("/etc/passwd", 7):
        entry_uid, entry_gid = _number(row[2]), _number(row[3])
        if entry_uid is None or entry_gid is None:
            continue
        if row[0] == first or (uid is not None and entry_uid == uid):
            user = User(row[0], entry_uid, entry_gid, (), row[5] or "/", row[6])
            break
    else:
        if uid is None:
            hint = "name one of its /etc/passwd, or a uid"
            raise NotFound(first, "no such user in the distro", hint=hint)
        name, home = ("root", "/root") if uid == 0 else (str(uid), "/")
        user = User(name, uid, 0, (), home, "")
    if group:
        return user._replace(gid=_find_group(group))
    extra = (_number(row[2]) for row in _rows("/etc/group", 4) if user.name in row[3].split(","))
    return user._replace(groups=tuple(gid for gid in extra if gid is not None))


def environment(user: User, given: list[tuple[str, str]], *, tty: bool) -> dict[str, str]:
    """A clean environment for ``user``, then what was ``given``, later ones winning."""
    found = {
        "PATH": PATH,
        "HOME": user.home,
        "USER": user.name,
        "LOGNAME": user.name,
        "SHELL": user.shell or "/bin/sh",
        "LANG": "C.UTF-8",
        "container": "distrodeck",
    }
    if tty:
        found |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    return found | dict(given)


def find_shell(user: User, path: str) -> str:
    """The shell to give ``user``: the one of passwd, else the first of the usual ones.

    Raises:
        CommandNotFound: the image has none.
    """
    if user.shell and is_executable(user.shell) and not user.shell.endswith(("nologin", "false")):
        return user.shell
    for name in _SHELLS:
        found = search(name, path) or search(name, PATH)
        if found and is_executable(found):
            return found
    raise CommandNotFound(
        "shell",
        "the image has none",
        hint="run one of its own programs by name; an image without a shell cannot be lived in",
    )


def search(name: str, path: str) -> str:
    """Where ``name`` is executed from, as execvp(3) looks; empty if nowhere."""
    if "/" in name:
        return name if os.path.exists(name) else ""
    found = ""
    for folder in path.split(":"):
        candidate = f"{folder or '.'}/{name}"
        if is_executable(candidate):
            return candidate
        if not found and os.path.isfile(candidate):
            found = candidate
    return found


def is_executable(path: str) -> bool:
    """Whether it is a file that this process may execute."""
    return os.path.isfile(path) and os.access(path, os.X_OK, effective_ids=True)


def _rows(path: str, width: int) -> list[list[str]]:
    try:
        # An image may put a FIFO or a device here: never wait for it.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return []
    try:
        data = os.read(fd, _LIMIT) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    finally:
        os.close(fd)
    rows = (line.split(":") for line in data.decode("utf-8", "surrogateescape").split("\n"))
    return [row for row in rows if len(row) == width]


def _find_group(wanted: str) -> int:
    for row in _rows("/etc/group", 4):
        gid = _number(row[2])
        if row[0] == wanted and gid is not None:
            return gid
    gid = _number(wanted)
    if gid is None:
        hint = "name one of its /etc/group, or a gid"
        raise NotFound(wanted, "no such group in the distro", hint=hint)
    return gid


def _number(text: str) -> int | None:
    # isascii: int() takes other scripts' digits as well, and refuses thousands of them.
    if text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < _ID_LIMIT - 1:
        return int(text)
    return None
