"""Look into trees of layers through a process that may read all of them.

The process waits while nobody reads what it has found, and is ended when nobody will.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from core.background import background
from core.errors import HostForbids
from core.layers.look import DATA, HEAD
from core.layers.process import ENVIRONMENT, crash, fault, kill_group

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from core.errors import DeckError

_MOST_SAID = 4096


class Look:
    """A process that looks; made by :func:`open_look`."""

    def __init__(self, process: asyncio.subprocess.Process, enter: tuple[str, ...]) -> None:
        self._process = process
        self._enter = enter
        self.report: dict[str, Any] = {}
        """What it said at its end."""

    async def pieces(self) -> AsyncGenerator[bytes]:
        """What it finds, until it has found all.

        Raises:
            DeckError: what it reported, or that it ended without a report.
        """
        while True:
            kind, data = await self._frame()
            if kind != DATA:
                break
            yield data
        report = json.loads(data)
        if "error" in report:
            raise fault(report["error"])
        self.report = report["done"]

    async def _frame(self) -> tuple[bytes, bytes]:
        output = self._process.stdout
        assert output  # noqa: S101  # it was started with a pipe
        try:
            kind, length = HEAD.unpack(await output.readexactly(HEAD.size))
            return kind, await output.readexactly(length)
        except asyncio.IncompleteReadError:
            raise await self._crash() from None

    async def _crash(self) -> DeckError:
        stderr = self._process.stderr
        said = await stderr.read(_MOST_SAID) if stderr else b""
        return crash("layer reader", await self._process.wait(), said, self._enter)


@asynccontextmanager
async def open_look(request: dict[str, Any], *, enter: tuple[str, ...] = ()) -> AsyncIterator[Look]:
    """A process that does what :mod:`core.layers.look` is asked; leaving ends it.

    Args:
        request: Its verb and what that needs.
        enter: Command prefix into the user namespace whose ids own the trees.

    Raises:
        HostForbids: it could not be started.
    """
    words = [*enter, sys.executable, "-P", "-m", "core.layers.look"]
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
        )
    except OSError as error:
        raise HostForbids(words[0], (error.strerror or "cannot be started").lower()) from error
    try:
        async with background() as tasks:
            tasks.start(_end_group(process))
            await _ask(process, request)
            yield Look(process, enter)
    finally:
        kill_group(process.pid)
        await process.communicate()


async def _end_group(process: asyncio.subprocess.Process) -> None:
    # A refused unshare(1) leaves a helper that waits for ever with our pipes in its hands.
    await process.wait()
    kill_group(process.pid)


async def _ask(process: asyncio.subprocess.Process, request: dict[str, Any]) -> None:
    assert process.stdin  # noqa: S101  # it was started with a pipe
    process.stdin.write(json.dumps(request).encode())
    with suppress(ConnectionError):  # it ended; why, is told when it is read
        await process.stdin.drain()
    process.stdin.close()


async def run_look(request: dict[str, Any], *, enter: tuple[str, ...] = ()) -> dict[str, Any]:
    """The report of a request that gives no pieces.

    Raises:
        DeckError: what it reported, or that it ended without a report.
    """
    async with open_look(request, enter=enter) as look:
        async for _ in look.pieces():
            pass
        return look.report
