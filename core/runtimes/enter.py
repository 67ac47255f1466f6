"""Start a process inside a running sandbox, as nsenter(1) and setpriv(1) would.

Two forks of the (single-threaded) holder. The first joins the sandbox's namespaces; a PID
namespace only takes effect for children, so it makes a second one, as its own sibling: the
holder is the parent of the command itself and gets its exit status.

What an image could abuse is closed before its files are looked at: descriptors (a working
directory ``/proc/self/fd/N`` must not lead out, as in CVE-2024-21626), tracing, imports.
``no_new_privs`` stays off, so that sudo and ping work; what a set-user-ID program can gain is
bounded by :data:`KEPT_CAPABILITIES`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import termios
from typing import TYPE_CHECKING, NamedTuple

from core.errors import CommandNotExecutable, CommandNotFound, InvalidInput, NotFound
from core.runtimes import forking, mounts, syscalls, users

if TYPE_CHECKING:
    from core.runtimes.spec import Command, MountSpec

KEPT_CAPABILITIES = frozenset(
    {
        0,  # CAP_CHOWN
        1,  # CAP_DAC_OVERRIDE
        3,  # CAP_FOWNER
        4,  # CAP_FSETID
        5,  # CAP_KILL
        6,  # CAP_SETGID
        7,  # CAP_SETUID
        8,  # CAP_SETPCAP
        10,  # CAP_NET_BIND_SERVICE
        13,  # CAP_NET_RAW: a ping with file capabilities is not executed at all without it
        18,  # CAP_SYS_CHROOT
        29,  # CAP_AUDIT_WRITE
        31,  # CAP_SETFCAP
    }
)
"""What root in a distro may do: Docker's default set without CAP_MKNOD, because nothing keeps
a real root from using the devices it could make."""

_JOINED = (
    ("user", syscalls.CLONE_NEWUSER),
    ("cgroup", syscalls.CLONE_NEWCGROUP),
    ("ipc", syscalls.CLONE_NEWIPC),
    ("uts", syscalls.CLONE_NEWUTS),
    ("pid", syscalls.CLONE_NEWPID),
    ("mnt", syscalls.CLONE_NEWNS),
)
_REPORT, _STUB = 3, 4
_ANOTHER_FOLDER = "choose a folder that exists, or create it"
_REFUSALS = {
    errno.EACCES: ("not executable", "chmod +x it there, or name the program that reads it"),
    errno.EISDIR: ("a folder", "name a program in it"),
    errno.ENOEXEC: (
        "not a program for this machine, and no #! line",
        "name the program that reads it, or pull the distro for this platform",
    ),
    errno.E2BIG: ("too many arguments", "give it less, or a file of them"),
}


class Streams(NamedTuple):
    """Descriptors that become a command's standard streams; thrice the same for a PTY."""

    stdin: int
    stdout: int
    stderr: int


class Entrance:
    """The open namespaces of a running sandbox."""

    def __init__(self, pid: int, *, own_user: bool) -> None:
        self.own_user = own_user
        """Whether the sandbox has a user namespace of its own."""
        self._root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_CLOEXEC)
        self._namespaces = [
            (os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC), kind)
            for name, kind in _JOINED
            if own_user or name != "user"
        ]

    def close(self) -> None:
        """Let go of the namespaces, so that the kernel can end them."""
        for fd, _ in self._namespaces:
            os.close(fd)
        self._namespaces = []
        os.close(self._root)

    def join(self, kinds: int = -1) -> None:
        """Join the namespaces whose flags are in ``kinds``; with the mounts comes the root."""
        for fd, kind in self._namespaces:
            if kind & kinds:
                syscalls.setns(fd, kind)
                if kind == syscalls.CLONE_NEWNS:
                    os.fchdir(self._root)
                    os.chroot(".")

    def copy_sources(self, wanted: list[MountSpec]) -> list[int]:
        """Copy mounts of the host; joins the user namespace, which is what permits it."""
        if wanted and self.own_user:
            self.join(syscalls.CLONE_NEWUSER)
            syscalls.unshare(syscalls.CLONE_NEWNS)
        return mounts.copy_sources(wanted)


def start_command(
    entrance: Entrance, command: Command, streams: Streams, stub: int
) -> tuple[int, int]:
    """Begin to start ``command``; gives the helper's pid and the report to read.

    The report is a line with the command's pid, then nothing if it was executed, 4 bytes of
    errno if the kernel refused it, or a fault: :func:`read_start` knows.
    """

    def work(report: int) -> None:
        syscalls.forbid_tracing()
        trees = entrance.copy_sources(command["binds"])
        rest = syscalls.CLONE_NEWUSER if trees and entrance.own_user else 0
        entrance.join(~rest)
        if trees:
            syscalls.unshare(syscalls.CLONE_NEWNS)
            for mount, tree in zip(command["binds"], trees, strict=True):
                mounts.attach(mount, tree)
        gate, opened = os.pipe2(os.O_CLOEXEC)
        pid = syscalls.clone_sibling()
        if pid:
            os.write(report, b"%d\n" % pid)
            return
        # Whatever this process reports has to come after its number.
        os.close(opened)
        os.read(gate, 1)
        _keep_only(streams, report, stub)
        forking.reporting(lambda _: _become(command, entrance), _REPORT)

    return forking.fork_child(work)


def read_start(data: bytes, command: Command) -> int:
    """The pid in a whole report.

    Raises:
        DeckError: why the command was not started. Its process is then gone or going.
    """
    line, _, rest = data.partition(b"\n")
    if not line.isdigit():
        forking.raise_fault(data)
        raise CommandNotExecutable(_name(command), "its helper process ended")
    if len(rest) == 4:
        raise _refusal(struct.unpack("<i", rest)[0], _name(command))
    forking.raise_fault(rest)
    return int(line)


def start_pid(data: bytes) -> int:
    """The pid of a command that may or may not have been executed; 0 if there is none."""
    line = data.partition(b"\n")[0]
    return int(line) if line.isdigit() else 0


def _name(command: Command) -> str:
    return command["argv"][0] if command["argv"] else "shell"


def _become(command: Command, entrance: Entrance) -> None:
    os.setsid()
    if command["tty"]:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.umask(0o022)
    forking.reset_signals()
    user = users.find_user(command["user"])
    if command["tty"]:
        os.fchown(0, user.uid, -1)
    syscalls.drop_capabilities(KEPT_CAPABILITIES)
    _set_user(user, entrance)
    env = users.environment(user, command["env"], tty=command["tty"])
    _set_workdir(command["workdir"], user)
    path, argv = _resolve(command, user, env["PATH"])
    os.execve(_STUB, [path, *argv], env)  # noqa: S606 - an argument vector, no shell


def _keep_only(streams: Streams, report: int, stub: int) -> None:
    wanted = (*streams, report, stub)
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 16) for fd in wanted]
    for target, fd in enumerate(high):
        os.dup2(fd, target, inheritable=target != _STUB)
    os.closerange(_STUB + 1, os.sysconf("SC_OPEN_MAX"))


def _set_user(user: users.User, entrance: Entrance) -> None:
    try:
        os.setgroups(user.groups)
    except PermissionError:
        # A namespace of one uid was made with setgroups denied (user_namespaces(7)).
        if not entrance.own_user:
            raise
    try:
        os.setgid(user.gid)
        os.setuid(user.uid)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        hint = "give this account ranges in /etc/subuid and /etc/subgid: see distrodeck doctor"
        raise InvalidInput(user.name, "this host gives the distro no such uid", hint=hint) from None


def _set_workdir(workdir: str, user: users.User) -> None:
    try:
        os.chdir(workdir or user.home)
    except OSError as error:
        if not workdir:
            os.chdir("/")
            return
        why = "no such folder in the distro"
        if error.errno not in {errno.ENOENT, errno.ENOTDIR}:
            why = f"not usable as working directory: {(error.strerror or '').lower()}"
        raise NotFound(workdir, why, hint=_ANOTHER_FOLDER) from None
    if not os.getcwd().startswith("/"):  # "(unreachable)…": a way out of the root
        raise NotFound(workdir, "not a folder of the distro", hint=_ANOTHER_FOLDER)


def _resolve(command: Command, user: users.User, path: str) -> tuple[str, list[str]]:
    argv = command["argv"]
    if not argv:
        shell = users.find_shell(user, path)
        return shell, ["-" + os.path.basename(shell)]
    found = users.search(argv[0], path)
    if not found:
        raise _refusal(errno.ENOENT, argv[0])
    if not users.is_executable(found):
        raise _refusal(errno.EISDIR if os.path.isdir(found) else errno.EACCES, argv[0])
    return found, argv


def _refusal(number: int, name: str) -> CommandNotFound | CommandNotExecutable:
    if number == errno.ENOENT:
        hint = "look for it with `command -v` in a shell, or install it"
        return CommandNotFound(name, "no such command in the distro", hint=hint)
    why, hint = _REFUSALS.get(number, (os.strerror(number).lower(), "look at it in a shell"))
    return CommandNotExecutable(name, why, hint=hint)
