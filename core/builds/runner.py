"""The process that carries out one RUN: a sandbox on the stage's file system, one command in it.

Started as ``python -P -m`` this module with a :class:`core.builds.spec.RunSpec` as JSON in a file.
What the command writes goes to standard output and error; its exit code or a fault comes as JSON
on the descriptor that its second argument names. Its standard input is the builder's life: when
that ends, so does the command. If
this process is killed, the kernel ends the sandbox.
"""

from __future__ import annotations

import json
import os
import select
import stat
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, cast

from core.builds.confined import split
from core.errors import DeckError
from core.layers.folders import open_beneath
from core.runtimes import enter, forking
from core.runtimes.sandbox import start_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.builds.confined import Parts
    from core.builds.spec import RunSpec
    from core.runtimes.sandbox import Sandbox

_MADE = (
    *((b"proc",), (b"dev",), (b"sys",)),
    *((b"etc", b"resolv.conf"), (b"etc", b"hosts"), (b"etc",)),
)
"""What starting a sandbox makes in the upper directory where the image has it not."""


def run(spec: RunSpec) -> dict[str, object]:
    """Run the command to its end.

    Raises:
        DeckError: it could not be started.
    """
    sandbox_spec, command = spec["sandbox"], spec["command"]
    upper, layers = os.fsencode(sandbox_spec["upper"]), sandbox_spec["layers"]
    targets = [split(os.fsencode(mount["target"])) for mount in sandbox_spec["mounts"]]
    made = [one[:depth] for one in targets for depth in range(len(one), 0, -1)]
    missing = [path for path in (*made, *_MADE) if not _there(layers, path)]
    sandbox = start_sandbox(spec["folder"], sandbox_spec)
    try:
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        streams = enter.Streams(null, 1, 2)
        helper, report = enter.start_command(sandbox.entrance, command, streams, sandbox.stub)
        os.close(null)
        data = forking.read_report(report)
        os.waitpid(helper, 0)
        try:
            pid = enter.read_start(data, command)
        except DeckError:
            if stillborn := enter.start_pid(data):
                os.waitpid(stillborn, 0)
            raise
        status = _wait(pid, sandbox)
    finally:
        sandbox.kill()
        os.waitpid(sandbox.monitor, 0)
        sandbox.close()
    for path in missing:
        _clear(upper, path)
    return {"exit_code": 128 - status if status < 0 else status}


def _wait(pid: int, sandbox: Sandbox) -> int:
    ended = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        poll.register(0, select.POLLIN)
        while all(fd != ended for fd, _ in poll.poll()):
            if not os.read(0, 1):
                sandbox.kill()
                poll.unregister(0)
    finally:
        os.close(ended)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _there(layers: list[str], path: Parts) -> bool:
    """Whether some layer has it; a layer that deletes it says no."""
    for layer in reversed(layers):
        with suppress(OSError), _folder(os.fsencode(layer), path[:-1]) as fd:
            found = os.lstat(path[-1], dir_fd=fd)
            return not (stat.S_ISCHR(found.st_mode) and found.st_rdev == 0)
    return False


def _clear(upper: bytes, path: Parts) -> None:
    """Take away an empty mount point that the command has not made its own."""
    with suppress(OSError), _folder(upper, path[:-1]) as fd:
        found = os.lstat(path[-1], dir_fd=fd)
        if stat.S_ISDIR(found.st_mode):
            os.rmdir(path[-1], dir_fd=fd)
        elif stat.S_ISREG(found.st_mode) and not found.st_size:
            os.unlink(path[-1], dir_fd=fd)


@contextmanager
def _folder(root: bytes, path: Parts) -> Iterator[int]:
    """A folder below ``root``, reached through no link."""
    top = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fd = open_beneath(top, path)
    finally:
        os.close(top)
    try:
        yield fd
    finally:
        os.close(fd)


def main(argv: list[str]) -> int:
    """Carry out the RUN of the file ``argv[1]``."""
    report = int(argv[2])
    os.set_inheritable(report, False)
    try:
        with open(argv[1], encoding="utf-8") as file:
            done = run(cast("RunSpec", json.load(file)))
    except DeckError as error:
        outcome: dict[str, object] = {"error": forking.fault_of(error)}
    except OSError as error:
        outcome = {"error": forking.fault_of(forking.from_os(error))}
    else:
        outcome = {"done": done}
    os.write(report, json.dumps(outcome).encode())
    return 0


if __name__ == "__main__":
    os._exit(main(sys.argv))
