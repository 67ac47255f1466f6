"""What the link sends, in which order, and when it hands in a checkpoint."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from textual.app import App

import tui.shell_link
from core.domain import ShellSpec
from core.engines.demo import DemoEngine
from tui.shell_link import ShellLink
from widgets.terminal.pane import TerminalPane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest
    from textual.app import ComposeResult

    from core.engine import Attachment


class PaneApp(App[None]):
    """One pane."""

    def __init__(self) -> None:
        super().__init__()
        self.pane = TerminalPane()

    def compose(self) -> ComposeResult:
        yield self.pane


async def shown(pane: TerminalPane, text: str) -> None:
    async with asyncio.timeout(10):
        while text not in "\n".join(pane.terminal.text()):
            await asyncio.sleep(0.005)


async def test_size_comes_before_keys_and_keys_in_order() -> None:
    engine, app = DemoEngine(sessions=False), PaneApp()
    session = await engine.open(ShellSpec(distro="debian"))
    async with app.run_test(size=(80, 24)):
        link = ShellLink(engine, session.id, app.pane)
        link.type(b"ec")
        link.resize(10, 60)
        link.type(b"ho in-order\r")
        link.type(b"exit 4\r")
        assert await link.run() == 4
        assert "\nin-order" in "\n".join(app.pane.terminal.text())
        assert (app.pane.terminal.rows, app.pane.terminal.columns) == (10, 60)


async def test_checkpoint_is_handed_in_after_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tui.shell_link, "CHECKPOINT_QUIET", 0.01)
    engine, app = DemoEngine(sessions=False), PaneApp()
    session = await engine.open(ShellSpec(distro="debian"))
    async with app.run_test(size=(80, 24)), asyncio.TaskGroup() as tasks:
        link = ShellLink(engine, session.id, app.pane)
        running = tasks.create_task(link.run())
        link.type(b"echo quiet\r")
        await shown(app.pane, "\nquiet")
        async with asyncio.timeout(10):
            while engine.handed_in(session.id) != link.offset:
                await asyncio.sleep(0.005)
        running.cancel()


async def test_checkpoint_is_handed_in_every_so_many_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tui.shell_link, "CHECKPOINT_BYTES", 100)
    monkeypatch.setattr(tui.shell_link, "CHECKPOINT_QUIET", 1000)
    engine, app = DemoEngine(sessions=False), PaneApp()
    session = await engine.open(ShellSpec(distro="debian"))
    async with app.run_test(size=(80, 24)), asyncio.TaskGroup() as tasks:
        link = ShellLink(engine, session.id, app.pane)
        running = tasks.create_task(link.run())
        link.type(b"ls\r" * 20)
        async with asyncio.timeout(10):
            while engine.handed_in(session.id) < 1000:
                await asyncio.sleep(0.005)
        running.cancel()


async def test_who_controls_the_session_is_known_while_it_changes() -> None:
    engine, app = DemoEngine(sessions=False), PaneApp()
    session = await engine.open(ShellSpec(distro="debian"))
    attach, made = engine.attach, []

    @asynccontextmanager
    async def attach_noted(number: int, *, viewer: bool = False) -> AsyncIterator[Attachment]:
        async with attach(number, viewer=viewer) as attachment:
            made.append(attachment)
            yield attachment

    engine.attach = attach_noted  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)), asyncio.TaskGroup() as tasks:
        link = ShellLink(engine, session.id, app.pane)
        running = tasks.create_task(link.run())
        await shown(app.pane, "root@debian")
        assert link.controller
        made[0].controller = False
        assert not link.controller
        running.cancel()


async def test_viewer_hands_in_nothing_and_answers_nothing() -> None:
    engine, app = DemoEngine(sessions=False), PaneApp()
    session = await engine.open(ShellSpec(distro="debian"))
    watch = engine.attach

    def attach_as_viewer(number: int, *, viewer: bool = False) -> object:
        return watch(number, viewer=True)

    engine.attach = attach_as_viewer  # type: ignore[assignment,method-assign]
    async with app.run_test(size=(80, 24)), asyncio.TaskGroup() as tasks:
        link = ShellLink(engine, session.id, app.pane)
        running = tasks.create_task(link.run())
        await shown(app.pane, "root@debian")
        assert not link.controller
        running.cancel()
        await asyncio.wait([running])
        assert engine.handed_in(session.id) == 0
