"""What the tests do to this machine: make real users and folders, and find what was left behind.

Everything made here has a name no one else uses, so several test runs can share a machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path("/var/tmp")
"""Where private roots live: a real file system that ordinary users reach."""

_PREFIX = "ddt"
_USERS_LOCK = FOLDER / ".distrodeck-test-users.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An ordinary user of this machine that lives as long as the tests."""

    name: str
    uid: int
    gid: int
    home: Path


def as_user(user: User) -> list[str]:
    """What to put before a command so that ``user`` runs it, as after a fresh login."""
    return [
        "setpriv",
        f"--reuid={user.uid}",
        f"--regid={user.gid}",
        "--init-groups",
        "--inh-caps=-all",
        "--reset-env",
        "--",
    ]


def add_user(*, subids: bool) -> User:
    """Create a user; with ``subids`` it has ranges in /etc/subuid and /etc/subgid."""
    name = f"{_PREFIX}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    count = 65536 if subids else 0
    with _users_locked():
        _remove_stale_users()
        subprocess.run(
            [
                "useradd",
                "--create-home",
                "--shell=/bin/bash",
                f"--key=SUB_UID_COUNT={count}",
                f"--key=SUB_GID_COUNT={count}",
                name,
            ],
            check=True,
            capture_output=True,
        )
    found = pwd.getpwnam(name)
    has = {file: f"{name}:" in Path(file).read_text() for file in ("/etc/subuid", "/etc/subgid")}
    assert all(given is subids for given in has.values()), f"useradd gave {name} {has}"
    return User(name=name, uid=found.pw_uid, gid=found.pw_gid, home=Path(found.pw_dir))


def remove_user(user: User) -> None:
    """End the user's processes, then remove the user, its ranges and its home."""
    _end(lambda: [pid for pid in _pids() if _owner(pid) == user.uid])
    with _users_locked():
        _delete(user.name, user.home)


def make_root(user: User | None = None, *, length: int = 0) -> Path:
    """A private folder for ``--root``, owned by ``user``; its path has at least ``length`` bytes.

    Short unless asked otherwise: a socket's path holds 107 bytes.
    """
    root = FOLDER / f"{_PREFIX}-{uuid.uuid4().hex[:10]}"
    root.mkdir(mode=0o700)
    if (missing := length - len(str(root)) - 1) > 0:
        root.rename(root := root.with_name(f"{root.name}-{'x' * missing}"))
    if user:
        os.chown(root, user.uid, user.gid)
    return root


def clear_root(root: Path) -> None:
    """End every process that still refers to ``root``, unmount what is below it, delete it."""
    _end(lambda: [pid for pid, _ in _referring(root)])
    for mount in reversed(_mounts(root)):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
    shutil.rmtree(root, ignore_errors=True)


def leftovers(root: Path) -> list[str]:
    """What still refers to ``root``: processes, mounts, bound sockets; one line each.

    A process counts if the folder appears in its command line, environment, root, working
    directory or open files, or in the mounts of its own mount namespace (a sandbox on an overlay
    below ``root`` shows it nowhere else).
    """
    text = str(root)
    found = [f"process {pid}: {why}" for pid, why in _referring(root)]
    found += [f"mount {mount}" for mount in _mounts(root)]
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split(maxsplit=7)
        if len(fields) == 8 and text in fields[7]:
            found.append(f"socket {fields[7]}")
    return found


def wait_for_none_left(root: Path, seconds: float = 10.0) -> None:
    """Wait until nothing refers to ``root``; what was stopped may still be ending."""
    deadline = time.monotonic() + seconds
    while found := leftovers(root):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def _end(find: Callable[[], list[int]], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while (pids := find()) and time.monotonic() < deadline:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def _owner(pid: int) -> int | None:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None


def _referring(root: Path) -> list[tuple[int, str]]:
    text = str(root)
    own = _link(os.getpid(), "ns/mnt")
    here = set(_mounts(root))
    found = []
    for pid in _pids():
        if pid == os.getpid() or _state(pid) in ("Z", "X", ""):
            continue
        if text in (command := _read(pid, "cmdline").replace("\0", " ").strip()):
            found.append((pid, command))
        elif text in _read(pid, "environ"):
            found.append((pid, f"{command} (environment)"))
        elif any(text in target for target in _links(pid)):
            found.append((pid, f"{command} (open file or folder)"))
        elif _link(pid, "ns/mnt") not in (own, "") and _shows(pid, text, here):
            found.append((pid, f"{command} (mounts)"))
    return found


def _shows(pid: int, text: str, here: set[str]) -> bool:
    """Whether the process's own mount namespace has a mount of the folder that ours has not.

    A new namespace begins as a copy of the machine's, so ours count for nobody; nor do those of
    a program that some test runs by itself, which inherits that test's environment.
    """
    if "PYTEST_CURRENT_TEST=" in _read(pid, "environ"):
        return False
    lines = [line for line in _read(pid, "mountinfo").splitlines() if text in line]
    return any(line.split()[4] not in here for line in lines)


def _state(pid: int) -> str:
    _, _, rest = _read(pid, "stat").rpartition(") ")
    return rest[:1]


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _link(pid: int, name: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/{name}").readlink())
    except OSError:
        return ""


def _links(pid: int) -> Iterator[str]:
    yield _link(pid, "root")
    yield _link(pid, "cwd")
    with contextlib.suppress(OSError):
        for path in Path(f"/proc/{pid}/fd").iterdir():
            yield _link(pid, f"fd/{path.name}")


def _mounts(root: Path) -> list[str]:
    """Mount points at or below ``root`` in the order they were made, as the kernel escapes them."""
    text = str(root)
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [point for point in points if point == text or point.startswith(f"{text}/")]


@contextlib.contextmanager
def _users_locked() -> Iterator[None]:
    """useradd gives up when two run at once; a test run may have several workers."""
    with _USERS_LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_stale_users() -> None:
    """Users of a test run that was killed: their name holds the pid of its worker."""
    for entry in pwd.getpwall():
        match = re.fullmatch(rf"{_PREFIX}-(\d+)-[0-9a-f]{{6}}", entry.pw_name)
        if match and not Path(f"/proc/{match[1]}").exists():
            _delete(entry.pw_name, Path(entry.pw_dir))


def _delete(name: str, home: Path) -> None:
    for mount in reversed(_mounts(home)):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
    subprocess.run(["userdel", "--force", name], check=True, capture_output=True)
    shutil.rmtree(home, ignore_errors=True)
