"""The few Linux system calls that Python 3.11 does not offer.

man 2 setns, unshare, clone, mount, open_tree, move_mount, mount_setattr, prctl, capset. Each raises
OSError as the functions of :mod:`os` do. Standard library only: a holder imports it.
"""

from __future__ import annotations

import ctypes
import os
import signal

CLONE_NEWNS = 0x0002_0000
CLONE_NEWCGROUP = 0x0200_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x4_0000

_CLONE_PARENT = 0x8000
_AT_FDCWD = -100
_AT_EMPTY_PATH = 0x1000
_AT_RECURSIVE = 0x8000
_OPEN_TREE_CLONE = 0x1
_OPEN_TREE_CLOEXEC = 0o2000000
_MOVE_MOUNT_F_EMPTY_PATH = 0x4
_MOUNT_ATTR_RDONLY = 0x1
_MOUNT_ATTR_NOSUID = 0x2
_MOUNT_ATTR_NODEV = 0x4
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4

_CAPABILITY_VERSION_3 = 0x2008_0522

# Calls newer than the common numbering have one number on every architecture; clone has not.
_SYS_OPEN_TREE = 428
_SYS_MOVE_MOUNT = 429
_SYS_MOUNT_SETATTR = 442
_SYS_CLONE = {"x86_64": 56, "aarch64": 220}

# PyDLL keeps the interpreter's lock: after clone there must be nothing to hand back.
_libc = ctypes.PyDLL(None, use_errno=True)


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _checked(result: int, name: str = "") -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name or None)
    return result


def _call(number: int, *arguments: object, name: str = "") -> int:
    wide = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *wide), name)


def setns(fd: int, kind: int) -> None:
    """Join the namespace behind ``fd``; ``kind`` is its ``CLONE_NEW…`` flag."""
    _checked(_libc.setns(fd, kind))


def unshare(flags: int) -> None:
    """Leave the namespaces in ``flags`` for new ones."""
    _checked(_libc.unshare(flags))


def mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    """Attach or change a mount; no ``kind``: a bind, a remount or a change of propagation."""
    data = [os.fsencode(value) or None for value in (source, target, kind, options)]
    _checked(_libc.mount(data[0], data[1], data[2], ctypes.c_ulong(flags), data[3]), target)


def open_tree(path: str) -> int:
    """A descriptor of a detached copy of the mounts at ``path`` and below."""
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | _AT_RECURSIVE
    return _call(_SYS_OPEN_TREE, _AT_FDCWD, os.fsencode(path), flags, name=path)


def restrict_tree(fd: int, *, read_only: bool) -> None:
    """Take devices and set-user-ID (and writing) from a detached tree."""
    attributes = _MOUNT_ATTR_NODEV | _MOUNT_ATTR_NOSUID | (_MOUNT_ATTR_RDONLY if read_only else 0)
    attr = _MountAttr(attr_set=attributes)
    flags = _AT_EMPTY_PATH | _AT_RECURSIVE
    _call(_SYS_MOUNT_SETATTR, fd, b"", flags, ctypes.byref(attr), ctypes.sizeof(attr))


def move_mount(fd: int, target: str) -> None:
    """Attach a detached tree at ``target``."""
    flags = _MOVE_MOUNT_F_EMPTY_PATH
    _call(_SYS_MOVE_MOUNT, fd, b"", _AT_FDCWD, os.fsencode(target), flags, name=target)


def clone_sibling() -> int:
    """Fork, but as a child of this process's parent: 0 in the new process, else its pid.

    The parent can then wait for a process that a helper in between started in another PID
    namespace. Only for single-threaded processes; nothing registered for forks is run.
    """
    number = _SYS_CLONE[os.uname().machine]
    return _call(number, _CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)


def forbid_tracing() -> None:
    """Close ``/proc/self`` to others until the next exec."""
    _checked(_libc.prctl(_PR_SET_DUMPABLE, *map(ctypes.c_ulong, (0, 0, 0, 0))))


def drop_capabilities(kept: frozenset[int]) -> None:
    """Take all but ``kept`` from what this process may ever get by an exec."""
    with open("/proc/sys/kernel/cap_last_cap", "rb") as file:
        last = int(file.read())
    for capability in range(last + 1):
        if capability not in kept:
            arguments = map(ctypes.c_ulong, (capability, 0, 0, 0))
            _checked(_libc.prctl(_PR_CAPBSET_DROP, *arguments))
    # Ambient capabilities exist since Linux 4.3 and fail on no kernel that has overlayfs here.
    arguments = map(ctypes.c_ulong, (_PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
    _checked(_libc.prctl(_PR_CAP_AMBIENT, *arguments))
    _clear_inheritable()


def _clear_inheritable() -> None:
    # An exec by root adds the inheritable set to the bounding one (capabilities(7)).
    header = _CapabilityHeader(version=_CAPABILITY_VERSION_3)
    halves = (_CapabilityData * 2)()
    _checked(_libc.capget(ctypes.byref(header), halves))
    for half in halves:
        half.inheritable = 0
    _checked(_libc.capset(ctypes.byref(header), halves))
