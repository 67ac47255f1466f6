"""A root folder with its daemon, gone without a trace at the end of each test."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest

from core.connect import open_engine
from core.domain import PullSpec, Session, ShellSpec
from core.errors import DaemonUnreachable
from core.paths import Paths, find_paths

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path
    from typing import Any

    from core.engine import Attachment, Engine

SECONDS = 20.0
"""What anything may take on a loaded machine."""


class Deck:
    """One root folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths: Paths = find_paths(root)

    def open(self, **options: Any) -> AbstractAsyncContextManager[Any]:
        return open_engine(root=self.root, **options)

    def configure(self, text: str) -> None:
        self.paths.make()
        (self.paths.config / "config.toml").write_text(text)

    async def pid(self) -> int:
        """Of the daemon that runs."""
        async with self.open(start=False) as engine:
            return int((await engine.info()).pid)

    async def kill(self) -> None:
        """End the daemon as a crash would."""
        pid = await self.pid()
        os.kill(pid, signal.SIGKILL)
        await process_ended(pid)

    async def clear(self) -> None:
        """Stop every distro, then the daemon."""
        try:
            sandboxes = any((self.paths.run / "holders").glob("*/sock"))
            async with self.open(start=sandboxes) as engine:
                for distro in await engine.distros():
                    await engine.stop(distro.name)
                pid = (await engine.info()).pid
                await engine.shutdown()
        except DaemonUnreachable:
            return
        await process_ended(pid)


async def install(engine: Engine, fix: dict[str, Any], name: str = "box") -> str:
    """The smallest distro, from the plain registry."""
    job = await engine.pull(PullSpec(name=name, source=busybox(fix)))
    return (await engine.result(job.id)).result


def busybox(fix: dict[str, Any]) -> str:
    return f"{fix['registries']['plain']['host']}/lib/busybox"


async def open_shell(engine: Engine, *argv: str, distro: str = "box") -> Session:
    return await engine.open(ShellSpec(distro=distro, argv=argv or ("sh",)))


async def read_until(attachment: Attachment, mark: bytes) -> bytes:
    """What a session writes up to ``mark``."""
    seen = b""
    async with asyncio.timeout(SECONDS):
        async for piece in attachment.output():
            seen += piece.data
            if mark in seen:
                return seen
    raise AssertionError(f"{mark!r} not in {seen!r}")


async def process_ended(pid: int) -> None:
    """Wait for a process that need not be our child."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process, over.set)
    try:
        async with asyncio.timeout(SECONDS):
            await over.wait()
    finally:
        loop.remove_reader(process)
        os.close(process)


@pytest.fixture
async def deck(deck_root: Path, leftovers: Callable[[Path], list[str]]) -> AsyncIterator[Deck]:
    """A root folder; when the test is over, nothing may refer to it any more."""
    deck = Deck(deck_root)
    yield deck
    await deck.clear()
    async with asyncio.timeout(SECONDS):
        while leftovers(deck_root):  # a process that was told to end takes its time
            await asyncio.sleep(0.05)
