"""Start and stop the sandbox of one distro.

What runs afterwards: bubblewrap's monitor, a child of the caller that dies with it, and the
pause program as PID 1 of the sandbox. Only for a single-threaded caller: PDEATHSIG fires when
the *thread* that forked ends. Mounts live in the sandbox's own mount namespace and end with it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import time
from typing import TYPE_CHECKING

from core.errors import DeckError, HostForbids, NotFound, TimedOut
from core.runtimes import (
    bwrap,
    enter,
    forking,
    hostroot,
    mounts,
    network,
    overlay,
    stubs,
    syscalls,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.runtimes.spec import MountSpec, SandboxSpec

_START_LIMIT = 20.0
"""Seconds; a start takes about 0.02."""
_PROC_READ_ONLY = ("sys", "sysrq-trigger", "fs", "irq", "bus", "acpi", "scsi")
_PROC_HIDDEN = ("kcore", "keys", "timer_list", "kpageflags", "kpagecount", "kmsg")
_MESSAGE_LIMIT = 4096


class Sandbox:
    """A running sandbox."""

    def __init__(self, *, pid: int, monitor: int, folder: str, spec: SandboxSpec) -> None:
        self.pid = pid
        """Its PID 1, as this host counts."""
        self.monitor = monitor
        """bubblewrap: a child of this process; when it ends, the sandbox has."""
        self._folder = folder
        self._spec = spec
        self.entrance = enter.Entrance(pid, own_user=bool(spec["namespaces"]))
        self.stub = stubs.load("enter")

    def refresh_network(self) -> None:
        """Bring the host's resolv.conf and hosts into the sandbox as they are now."""
        network.write_network_files(self._folder, self._spec["name"])

    def processes(self) -> int:
        """How many processes it holds, PID 1 not counted."""
        try:
            names = os.listdir(f"/proc/{self.pid}/root/proc")
        except OSError:
            return 0
        return sum(name.isdigit() for name in names) - 1

    def kill(self) -> None:
        """End every process in it. Its monitor is still to be waited for."""
        # SIGTERM to PID 1 of a namespace is ignored; SIGKILL from outside is not.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let go of its namespaces; the last who does ends its mounts."""
        self.entrance.close()
        os.close(self.stub)


def start_sandbox(folder: str, spec: SandboxSpec) -> Sandbox:
    """Start the sandbox of ``spec``; ``folder`` is the caller's to keep its files in.

    Blocks for about 20 ms.

    Raises:
        NotFound: an unpacked layer is missing.
        InvalidInput: a mount cannot be made.
        HostForbids: the kernel does not allow a part of it.
    """
    for layer in spec["layers"]:
        if not os.path.isdir(layer):
            hint = "pull the image again"
            raise NotFound(layer, "the unpacked layer is missing", hint=hint)
    for mount in spec["mounts"]:
        mounts.check_mount(mount)
    overlay.prepare_upper(spec["upper"], spec["work"])
    overlay.link_layers(folder, spec["layers"], spec["upper"], spec["work"])
    wanted = network.write_network_files(folder, spec["name"]) + spec["mounts"]
    keeper = _Keeper(spec["namespaces"]) if spec["namespaces"] else None
    try:
        pid, monitor = _start_bwrap(folder, spec, keeper)
    finally:
        if keeper:
            keeper.end()
    sandbox = Sandbox(pid=pid, monitor=monitor, folder=folder, spec=spec)
    try:
        forking.run_child(lambda _: _finish(sandbox.entrance, wanted, spec))
    except DeckError:
        sandbox.kill()
        os.waitpid(monitor, 0)
        sandbox.close()
        raise
    return sandbox


class _Keeper:
    """Holds a new user and mount namespace open until bubblewrap is in it."""

    def __init__(self, argv: list[str]) -> None:
        pause = stubs.load("pause")
        reading, writing = os.pipe2(os.O_CLOEXEC)
        error_reading, error_writing = os.pipe2(os.O_CLOEXEC)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)

        def work(_: int) -> None:
            os.setsid()
            command = [*argv, f"/proc/self/fd/{pause}"]
            forking.execute(command, standard=(null, writing, error_writing), kept=(pause,))

        self.pid, report = forking.fork_child(work)
        for fd in (writing, error_writing, null, pause):
            os.close(fd)
        try:
            forking.raise_fault(forking.read_report(report))
            ended = os.pidfd_open(self.pid)
            try:
                ready = _read_until(reading, bool, ended=ended)
            finally:
                os.close(ended)
            if not ready:
                raise _refused_namespaces(_message(error_reading))
        except DeckError:
            self.end()
            raise
        finally:
            os.close(reading)
            os.close(error_reading)

    def join(self) -> None:
        """Enter the namespaces."""
        for name, kind in (("user", syscalls.CLONE_NEWUSER), ("mnt", syscalls.CLONE_NEWNS)):
            fd = os.open(f"/proc/{self.pid}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC)
            syscalls.setns(fd, kind)
            os.close(fd)

    def end(self) -> None:
        """End it; the namespaces stay while somebody is in them."""
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            # Its session, as a refused unshare(1) leaves a helper that waits for ever.
            os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def _start_bwrap(folder: str, spec: SandboxSpec, keeper: _Keeper | None) -> tuple[int, int]:
    """The pids of PID 1 and of bubblewrap's monitor."""
    pause = stubs.load("pause")
    ready_reading, ready_writing = os.pipe2(os.O_CLOEXEC)
    error_reading, error_writing = os.pipe2(os.O_CLOEXEC)
    info_reading, info_writing = os.pipe2(os.O_CLOEXEC)
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)

    def work(_: int) -> None:
        if keeper:
            keeper.join()
        else:
            syscalls.unshare(syscalls.CLONE_NEWNS)
        if spec["host_root"]:
            hostroot.mount_host_root(folder, spec)
        else:
            overlay.mount_root(folder, spec)
        argv = bwrap.sandbox_argv(
            bwrap=spec["bwrap"],
            root=os.path.join(folder, overlay.ROOT),
            name=spec["name"],
            info_fd=info_writing,
            pause_fd=pause,
            bare=spec.get("bare", False),
        )
        standard = (null, ready_writing, error_writing)
        forking.execute(argv, standard=standard, kept=(pause, info_writing))

    monitor, report = forking.fork_child(work)
    for fd in (ready_writing, error_writing, info_writing, null, pause):
        os.close(fd)
    try:
        forking.raise_fault(forking.read_report(report))
        if not _read_until(ready_reading, bool):
            raise _refused_sandbox(_message(error_reading))
        info = _read_until(info_reading, lambda data: b"}" in data)
        return int(json.loads(info)["child-pid"]), monitor
    except DeckError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(monitor, signal.SIGKILL)
        os.waitpid(monitor, 0)
        raise
    finally:
        for fd in (ready_reading, error_reading, info_reading):
            os.close(fd)


def _finish(entrance: enter.Entrance, wanted: list[MountSpec], spec: SandboxSpec) -> None:
    trees = entrance.copy_sources(wanted)
    if not trees and entrance.own_user:
        entrance.join(syscalls.CLONE_NEWUSER)
    entrance.join(syscalls.CLONE_NEWNS)
    # bubblewrap made the root nosuid, and sudo must work; device files of layers must not.
    flags = syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_NODEV
    for path in ["/", *(hostroot.mount_points() if spec["host_root"] else [])]:
        syscalls.mount("", path, "", flags)
    if not entrance.own_user:
        _protect_proc()
    for mount, tree in zip(wanted, trees, strict=True):
        mounts.attach(mount, tree)


def _protect_proc() -> None:
    """Keep a real root from the host-wide switches, whose files belong to uid 0."""
    for name in _PROC_READ_ONLY:
        path = f"/proc/{name}"
        if os.path.exists(path):
            syscalls.mount(path, path, "", syscalls.MS_BIND | syscalls.MS_REC)
            flags = syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_RDONLY
            rest = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
            syscalls.mount("", path, "", flags | rest)
    for name in _PROC_HIDDEN:
        path = f"/proc/{name}"
        if os.path.exists(path):
            syscalls.mount("/dev/null", path, "", syscalls.MS_BIND)


def _read_until(fd: int, done: Callable[[bytes], bool], *, ended: int = -1) -> bytes:
    """What came until it is ``done``, or until the end of the pipe or of the process ``ended``."""
    watched = [fd] if ended < 0 else [fd, ended]
    data = b""
    limit = time.monotonic() + _START_LIMIT
    while not done(data):
        left = limit - time.monotonic()
        ready = select.select(watched, [], [], max(left, 0))[0]
        if not ready:
            raise TimedOut("sandbox", f"did not start in {_START_LIMIT:.0f} seconds")
        if fd not in ready:
            break
        piece = os.read(fd, 4096)
        if not piece:
            break
        data += piece
    return data


def _message(fd: int) -> str:
    os.set_blocking(fd, False)
    try:
        text = os.read(fd, _MESSAGE_LIMIT).decode("utf-8", "replace")
    except BlockingIOError:
        text = ""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it ended without a message"


def _refused_namespaces(message: str) -> HostForbids:
    if message.endswith(os.strerror(errno.ENOSPC)):  # how unshare(2) says it
        message = "the limit user.max_user_namespaces is reached"
    hint = "sysctl -w user.max_user_namespaces=15000; see distrodeck doctor"
    return HostForbids("user namespaces", message, hint=hint)


def _refused_sandbox(message: str) -> HostForbids:
    return HostForbids("sandbox", message, hint="distrodeck doctor tells what this host allows")
