"""Fork from a single-threaded process and hear why a child could not do its work.

A child reports on a pipe: nothing and end-of-file is success, a :class:`Fault` as JSON is not.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from core.errors import Conflict, DeckError, HostForbids, NoSpace, by_code
from core.runtimes.spec import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

_REPORT_LIMIT = 1 << 16


def fork_child(work: Callable[[int], None]) -> tuple[int, int]:
    """Run ``work(report)`` in a child; gives its pid and the reading end of its report.

    The report's writing end is close-on-exec, so an exec in ``work`` reports success.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC)
    try:
        pid = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if pid == 0:
        _seal_interpreter()
        reporting(work, writing)
    os.close(writing)
    return pid, reading


def open_child(pid: int) -> int:
    """A descriptor of a child; without one it is ended. Raises: OSError."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise


def reporting(work: Callable[[int], None], report: int) -> NoReturn:
    """Do ``work`` and end this process; an error of it goes to the descriptor ``report``."""
    try:
        work(report)
    except DeckError as error:
        write_fault(report, error)
    except OSError as error:
        write_fault(report, from_os(error))
    else:
        os._exit(0)
    finally:
        os._exit(127)


def run_child(work: Callable[[int], None]) -> None:
    """Run ``work`` in a child to its end.

    Raises:
        DeckError: what the child met.
    """
    pid, reading = fork_child(work)
    report = read_report(reading)
    _, status = os.waitpid(pid, 0)
    raise_fault(report)
    if status:
        raise HostForbids("sandbox", "its helper process ended without saying why")


def execute(argv: list[str], *, standard: tuple[int, int, int], kept: tuple[int, ...]) -> NoReturn:
    """Become ``argv`` with an empty environment and only the given descriptors."""
    for target, fd in enumerate(standard):
        os.dup2(fd, target)
    for fd in kept:
        os.set_inheritable(fd, True)
    reset_signals()
    os.execve(argv[0], argv, {})  # noqa: S606 - an argument vector, no shell


def reset_signals() -> None:
    """Give every signal its default action and unblock all: Python ignores some, nohup others."""
    for number in range(1, signal.NSIG):
        if number not in {signal.SIGKILL, signal.SIGSTOP, 32, 33}:  # 32, 33: glibc's own
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def read_report(fd: int) -> bytes:
    """Everything up to end-of-file, within reason; closes ``fd``."""
    data = b""
    while len(data) < _REPORT_LIMIT:
        piece = os.read(fd, _REPORT_LIMIT)
        if not piece:
            break
        data += piece
    os.close(fd)
    return data


def write_fault(fd: int, error: DeckError) -> None:
    """Report an error."""
    os.write(fd, json.dumps(fault_of(error)).encode())


def fault_of(error: DeckError) -> Fault:
    """The error as plain values."""
    return Fault(code=error.code, what=error.what, why=error.why, hint=error.hint)


def raise_fault(report: bytes) -> None:
    """Raise the error in a report; nothing for an empty one."""
    if report:
        try:
            fault = json.loads(report)
        except ValueError:
            raise HostForbids("sandbox", "its helper process said nothing useful") from None
        raise by_code(fault["code"])(fault["what"], fault["why"], hint=fault["hint"])


def from_os(error: OSError) -> DeckError:
    """What the kernel refused, as an error for a person."""
    what = str(error.filename or "sandbox")
    why = (error.strerror or str(error)).lower()
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return NoSpace(what, why, hint="free some space and start the distro again")
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return Conflict(what, why, hint="close some sessions, or raise the limit: ulimit -n")
    return HostForbids(what, why, hint="distrodeck doctor tells what this host allows")


def _seal_interpreter() -> None:
    """Let nothing be imported any more: the root may soon be an image's."""
    signal.set_wakeup_fd(-1)
    sys.meta_path.clear()
    sys.path.clear()
