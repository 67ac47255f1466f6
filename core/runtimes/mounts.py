"""Files and folders of the host in a sandbox.

A source is copied as a detached mount tree on the host's side and attached on the sandbox's
side (open_tree and move_mount, Linux 5.2), so that a target's path is only ever resolved inside
the sandbox's root: whatever links the image holds, they lead nowhere else.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from core.errors import InvalidInput
from core.runtimes import syscalls

if TYPE_CHECKING:
    from core.runtimes.spec import MountSpec

_LINK_LIMIT = 40
_READABLE = "name a file or folder of this host that you can read"


def check_mount(mount: MountSpec) -> None:
    """Refuse a mount that cannot be meant, before anything is started.

    Raises:
        InvalidInput: no such source, a relative path, or the root or /proc as target.
    """
    source, target = mount["source"], mount["target"]
    if not source.startswith("/") or "\0" in source:
        raise InvalidInput(source, "not an absolute path", hint="name the bind's source from /")
    if not target.startswith("/") or "\0" in target:
        raise InvalidInput(target, "not an absolute path", hint="name the bind's target from /")
    parts = os.path.normpath(target).strip("/").split("/")
    if parts[0] == "proc":
        hint = "bind to a folder elsewhere"
        raise InvalidInput(target, "a bind cannot hide the processes of the distro", hint=hint)
    if parts == [""]:
        hint = "bind to a folder below it"
        raise InvalidInput(target, "a bind cannot replace the root of the distro", hint=hint)
    try:
        os.stat(source)
    except FileNotFoundError:
        hint = "create it on this host, or correct the bind's source"
        raise InvalidInput(source, "bind source does not exist", hint=hint) from None
    except OSError as error:
        why = (error.strerror or "cannot be read").lower()
        raise InvalidInput(source, why, hint=_READABLE) from None


def copy_sources(mounts: list[MountSpec]) -> list[int]:
    """Detached mount trees of the sources: a descriptor each.

    The caller has CAP_SYS_ADMIN over its mount namespace.

    Raises:
        InvalidInput: a source that is not there.
    """
    trees = []
    for mount in mounts:
        try:
            tree = syscalls.open_tree(mount["source"])
            syscalls.restrict_tree(tree, read_only=mount["read_only"])
        except OSError as error:
            why = f"cannot be bound: {(error.strerror or '').lower()}"
            raise InvalidInput(mount["source"], why, hint=_READABLE) from None
        trees.append(tree)
    return trees


def attach(mount: MountSpec, tree: int) -> None:
    """Attach a detached tree at the mount's target; this process is inside the sandbox.

    A target that is missing is created, with its parents, in the writable layer.

    Raises:
        InvalidInput: the target cannot be made.
    """
    target = mount["target"]
    try:
        path = _make_target(target, folder=stat.S_ISDIR(os.fstat(tree).st_mode))
        syscalls.move_mount(tree, path)
    except OSError as error:
        why = f"cannot be a bind's target: {(error.strerror or '').lower()}"
        hint = "name a folder of the distro for a folder, a file for a file"
        raise InvalidInput(target, why, hint=hint) from None
    os.close(tree)


def _make_target(target: str, *, folder: bool) -> str:
    path = _resolve(os.path.normpath(target))
    if folder:
        os.makedirs(path, exist_ok=True)
    elif not os.path.lexists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644))
    return path


def _resolve(path: str) -> str:
    """Follow the last element while it is a link, also into the void (a dangling resolv.conf)."""
    for _ in range(_LINK_LIMIT):
        if not os.path.islink(path):
            return path
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
    raise OSError(40, "too many links", path)
