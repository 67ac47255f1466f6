"""A worker process of this package, driven from the event loop."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from core.errors import DeckError, HostForbids, by_code
from core.pausing import held
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
}
_BUFFER = 1 << 20  # of archive bytes on their way to the worker
_TAIL = 4096  # of what a crashed worker wrote to stderr
_LINE = 16 << 20  # the report; warnings are few, names are short


class Worker(asyncio.SubprocessProtocol):
    """One running worker; made by :func:`open_worker`."""

    def __init__(self, enter: tuple[str, ...]) -> None:
        self.progress = 0
        """Bytes of uncompressed archive done so far, as the worker last said."""
        self._enter = enter
        self._transport: asyncio.SubprocessTransport | None = None
        self._lines = b""
        self._stderr = b""
        self._report: dict[str, Any] | None = None
        self._ended = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._deaf = False
        """The worker reads no more: it has closed its input, or is gone."""

    @property
    def _input(self) -> asyncio.WriteTransport | None:
        pipe = self._transport.get_pipe_transport(0) if self._transport else None
        return cast("asyncio.WriteTransport | None", pipe)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)
        if pipe := self._input:
            pipe.set_write_buffer_limits(high=_BUFFER)

    @override
    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 2:
            self._stderr = (self._stderr + data)[-_TAIL:]
            return
        *lines, self._lines = (self._lines + data).split(b"\n")
        for line in lines:
            if line.startswith(b"p "):
                self.progress = int(line[2:])
            elif line.startswith(b"{"):
                self._report = json.loads(line)
        if len(self._lines) > _LINE:
            self.kill()

    @override
    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == 0:
            self._stop_writing()

    @override
    def process_exited(self) -> None:
        # A refused unshare(1) leaves a helper that waits for ever with our pipes in its hands.
        if self._transport:
            kill_group(self._transport.get_pid())
        self._stop_writing()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.set()
        self._stop_writing()

    def _stop_writing(self) -> None:
        self._deaf = True
        self._writable.set()

    def pause_writing(self) -> None:
        """The event loop's sign that the worker is behind."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The event loop's sign that the worker has caught up."""
        self._writable.set()

    async def write(self, data: bytes) -> None:
        """Feed ``data``; waits while the worker is behind.

        Raises:
            DeckError: the worker has ended, with its reason.
        """
        if (pipe := self._input) and not self._deaf:
            pipe.write(data)
            await self._writable.wait()
        if self._deaf:
            await self.result()
            raise DeckError("layer worker", "ended before its input")

    async def result(self) -> dict[str, Any]:
        """End the input, wait for the worker's end and give its report.

        Raises:
            DeckError: what the worker reported, or that it ended without a report.
        """
        if (pipe := self._input) and not pipe.is_closing():
            pipe.write_eof()
        await self._ended.wait()
        report = self._report
        if report and "done" in report:
            return cast("dict[str, Any]", report["done"])
        if report:
            raise fault(report["error"])
        code = self._transport.get_returncode() if self._transport else None
        raise crash("layer worker", code, self._stderr, self._enter)

    def stop(self) -> None:
        """Have the process wait where it is, until :meth:`go_on`."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a process that was stopped go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._transport and self._transport.get_returncode() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._transport.get_pid(), number)

    def kill(self) -> None:
        """End the process at once; nothing happens if it has ended."""
        if self._transport and self._transport.get_returncode() is None:
            kill_group(self._transport.get_pid())

    async def close(self) -> None:
        """Kill the process if it still runs, and wait until it is gone."""
        self.kill()
        if self._transport and not self._ended.is_set():
            await self._ended.wait()
        if self._transport:
            self._transport.close()


def kill_group(leader: int) -> None:
    """End a worker's process group: the prefix may have forked."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def fault(report: dict[str, str]) -> DeckError:
    """The error that a worker reported."""
    kind = by_code(report["code"])
    return kind(clean(report["what"]), clean(report["why"]), hint=clean(report["hint"]))


def crash(what: str, code: int | None, said: bytes, enter: tuple[str, ...]) -> DeckError:
    """Why a worker ended without a report; ``said`` is the end of its standard error."""
    last = clean(said.decode("utf-8", "replace").strip().rpartition("\n")[2])
    if code is not None and code < 0:
        return DeckError(what, f"ended by signal {-code}", hint="try again")
    if enter and last.startswith((*enter[:1], "unshare", "newuidmap", "newgidmap")):
        if last.endswith(os.strerror(errno.ENOSPC)):  # how unshare(2) says it
            last = "the limit user.max_user_namespaces is reached"
        hint = "distrodeck doctor says what is missing"
        return HostForbids("user namespaces", last, hint=hint)
    return DeckError(what, last or f"ended with status {code}")


def _argument(value: str | Path) -> str:
    return value if isinstance(value, str) else os.fspath(value.absolute())


@asynccontextmanager
async def open_worker(
    verb: str,
    *arguments: str | Path,
    enter: tuple[str, ...] = (),
    kept: tuple[int, ...] = (),
    module: str = "core.layers.worker",
) -> AsyncIterator[Worker]:
    """A worker doing ``verb``; leaving kills it if it still runs. While its job is held, it waits.

    Args:
        verb: What the worker shall do.
        arguments: Of the verb; paths are made absolute, as the worker's folder is ``/``.
        enter: Command prefix that puts it into the right user namespace.
        kept: Descriptors that it gets under the same numbers.
        module: The worker's; it ends as :func:`core.layers.worker.main` does.

    Raises:
        HostForbids: it could not be started.
    """
    loop = asyncio.get_running_loop()
    worker = Worker(enter)
    try:
        await loop.subprocess_exec(
            lambda: worker,
            *enter,
            sys.executable,
            "-P",
            "-m",
            module,
            verb,
            *map(_argument, arguments),
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
            pass_fds=kept,
        )
    except OSError as error:
        name = enter[0] if enter else sys.executable
        raise HostForbids(name, (error.strerror or "cannot be started").lower()) from error
    try:
        async with held(worker.stop, worker.go_on):
            yield worker
    finally:
        await worker.close()


async def run_worker(
    verb: str,
    *arguments: str | Path,
    enter: tuple[str, ...] = (),
    kept: tuple[int, ...] = (),
    module: str = "core.layers.worker",
) -> dict[str, Any]:
    """Run a verb that needs no input; cancelling kills it.

    Raises:
        DeckError: what the worker reported.
    """
    async with open_worker(verb, *arguments, enter=enter, kept=kept, module=module) as worker:
        return await worker.result()
