"""Which user and group ids a distro gets on this host.

``root``: the host's own, no user namespace, fewer capabilities. ``subuid``: the ranges of
/etc/subuid and /etc/subgid (subuid(5)) through newuidmap(1). ``single``: uid and gid 0 only,
which are this account. The kind belongs to the store: trees unpacked under one are wrong under
another.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from core.errors import HostForbids

Kind = Literal["root", "subuid", "single"]

_DEADLINE = 5.0
_LIMIT = "the limit user.max_user_namespaces is reached"
_FIRST = 100_000
_RANGE = 65_536
_SINGLE = (
    "one user id only: files of other users cannot be made, and packages that add users or"
    " change owners do not install",
    "apt needs: echo 'APT::Sandbox::User \"root\";' > /etc/apt/apt.conf.d/sandbox",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdMap:
    """The choice for this account on this host."""

    kind: Kind
    enter: tuple[str, ...] = ()
    """Prefix of a command that has to see the ids as the distro does (unpack, delete, diff);
    empty where they are the host's own or there is only one."""
    namespaces: tuple[str, ...] = ()
    """Prefix of a command that needs new user and mount namespaces; empty for root."""
    privileged: bool = False
    """Real root: owners and devices are the host's."""
    warnings: tuple[str, ...] = ()
    """Plain words on what will not work."""


def decide(wanted: Kind | None = None) -> IdMap:
    """Try what works, best first, or only ``wanted`` (a store that exists knows its kind).

    Blocks for some milliseconds: it starts ``unshare``.

    Raises:
        HostForbids: this host allows no user namespaces, or not the ``wanted`` kind.
    """
    if os.geteuid() == 0:
        return IdMap(kind="root", privileged=True)
    unshare = shutil.which("unshare")
    if unshare is None:
        raise HostForbids("unshare", "not installed", hint="apt-get install util-linux")
    subuid = (unshare, "--user", "--map-auto", "--map-root-user")
    problem = try_namespaces(subuid) if wanted != "single" else ""
    if not problem and wanted != "single":
        return IdMap(kind="subuid", enter=subuid, namespaces=(*subuid, "--mount"))
    single = (unshare, "--user", "--map-root-user")
    forbidden = try_namespaces(single)
    if forbidden:
        raise HostForbids("user namespaces", forbidden, hint=namespace_repair())
    if wanted == "subuid":
        hint = f"{subuid_repair()}; distrodeck doctor tells more"
        raise HostForbids("subordinate user ids", problem, hint=hint)
    return IdMap(kind="single", namespaces=(*single, "--mount"), warnings=_SINGLE)


async def find_idmap(wanted: Kind | None = None) -> IdMap:
    """:func:`decide`, off the event loop."""
    return await asyncio.to_thread(decide, wanted)


def try_namespaces(prefix: tuple[str, ...]) -> str:
    """Run something in such namespaces; why it does not work, empty if it does."""
    # --mount changes the propagation of /, which a host that only pretends forbids.
    argv = [*prefix, "--mount", "--", "/bin/true"]
    with os.fdopen(os.memfd_create("errors"), "w+b") as errors:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        try:
            status = process.wait(_DEADLINE)
        except subprocess.TimeoutExpired:
            return "it does not end"
        finally:
            # With --map-auto a refused unshare(1) leaves a helper that waits for ever, and holds
            # the descriptors it was given.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace").strip()
    if status == 0:
        return ""
    last = said.splitlines()[-1] if said else f"exit status {status}"
    # unshare(2) says ENOSPC where others would say EPERM.
    return _LIMIT if last.endswith(os.strerror(errno.ENOSPC)) else last


def subuid_repair() -> str:
    """The command that gives this account subordinate ids."""
    account = _account()
    if shutil.which("newuidmap") is None:
        return "apt-get install uidmap"
    first = max(_first_free("/etc/subuid"), _first_free("/etc/subgid"))
    ids = f"{first}-{first + _RANGE - 1}"
    return f"usermod --add-subuids {ids} --add-subgids {ids} {account}"


def _first_free(path: str) -> int:
    """The first id after every range in the file; ranges of two accounts must not overlap."""
    ends = [_FIRST]
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            rows = [line.strip().split(":") for line in file]
    except OSError:
        rows = []
    ends += [int(row[1]) + int(row[2]) for row in rows if len(row) == 3 and row[1].isdecimal()]
    return max(ends)


def namespace_repair() -> str:
    """The command that allows user namespaces."""
    if os.path.exists("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"):
        return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    if os.path.exists("/proc/sys/kernel/unprivileged_userns_clone"):
        return "sysctl -w kernel.unprivileged_userns_clone=1"
    return "sysctl -w user.max_user_namespaces=15000"


def _account() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
