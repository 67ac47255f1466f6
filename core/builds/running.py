"""Start a step's processes from the event loop, and hear what they say."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from core.background import background
from core.errors import DeckError, by_code
from core.layers.process import run_worker
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.builds.spec import PlaceSpec, RunSpec

_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
_LIMIT = 64 << 10
"""Bytes of a line that are looked at as one."""
_GRACE = 10.0
"""Seconds that a runner has to end its sandbox before it is killed itself."""


async def place(spec: PlaceSpec, file: Path, *, namespaces: tuple[str, ...]) -> tuple[str, ...]:
    """Carry out COPY, ADD or WORKDIR; gives warnings. Cancelling kills it.

    Raises:
        DeckError: what is wrong with it.
    """
    await asyncio.to_thread(file.write_text, json.dumps(spec))
    done = await run_worker("place", file, enter=namespaces, module="core.builds.worker")
    return tuple(clean(line) for line in done["warnings"])


async def run(spec: RunSpec, file: Path, say: Callable[[str, int], None]) -> int:
    """Carry out RUN and give the command's exit code; ``say`` hears each line and its stream.

    Cancelling ends the command and all it started, and waits for that.

    Raises:
        DeckError: it could not be started.
    """
    await asyncio.to_thread(file.write_text, json.dumps(spec))
    reading, writing = os.pipe2(os.O_CLOEXEC)
    with os.fdopen(reading, "rb") as report:
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "core.builds.runner", str(file), str(writing)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd="/",
                env=_ENVIRONMENT,
                start_new_session=True,
                pass_fds=(writing,),
                limit=_LIMIT,
            )
        finally:
            os.close(writing)
        try:
            async with background() as tasks:
                reads = [
                    tasks.start(_read(stream, number, say))
                    for number, stream in ((1, process.stdout), (2, process.stderr))
                    if stream
                ]
                await asyncio.wait(reads)
                await process.wait()
        finally:
            await _end(process)
        return _outcome(await asyncio.to_thread(report.read))


async def _read(stream: asyncio.StreamReader, number: int, say: Callable[[str, int], None]) -> None:
    while True:
        try:
            line = await stream.readuntil(b"\n")
        except asyncio.IncompleteReadError as rest:
            if rest.partial:
                say(rest.partial.decode("utf-8", "replace"), number)
            return
        except asyncio.LimitOverrunError:
            line = await stream.read(_LIMIT)
        # a progress bar draws over itself: what it came to is worth a line
        text = line.rstrip(b"\r\n").rpartition(b"\r")[2]
        say(text.decode("utf-8", "replace"), number)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        if process.stdin:
            process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await process.wait()
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _outcome(data: bytes) -> int:
    try:
        outcome = json.loads(data)
    except ValueError:
        raise DeckError("RUN", "its process ended without saying why", hint="try again") from None
    if fault := outcome.get("error"):
        raise by_code(fault["code"])(
            clean(fault["what"]), clean(fault["why"]), hint=clean(fault["hint"])
        )
    return int(outcome["done"]["exit_code"])
