"""Starting and leaving: what is loaded, what is said, what comes back."""

from __future__ import annotations

import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.engines.demo import DemoEngine
from core.errors import DaemonUnreachable
from screenshots.scenes import DemoApp, until
from tui.app import DeckApp
from tui.screens.error import ErrorDialog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

ROOT = Path(__file__).parents[2]


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60
    )


def test_started_console_has_not_loaded_http_or_ssh() -> None:
    code = """
import asyncio, sys
from screenshots.scenes import DemoApp, settled
async def main():
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
asyncio.run(main())
bad = {"aiohttp", "asyncssh", "click", "isal", "backports.zstd"} & set(sys.modules)
assert not bad, bad
"""
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_leaving_says_on_stderr_that_shells_keep_running() -> None:
    code = """
from contextlib import asynccontextmanager
from core.engines.demo import DemoEngine
from textual.app import App
from tui.app import DeckApp, run_console
App.run = lambda self: 2
raise SystemExit(run_console(lambda: None))
"""
    done = python(code)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "2 shells keep running; distrodeck brings them back\n"


async def test_unreachable_daemon_is_a_dialog_and_a_tries_again() -> None:
    engine = DemoEngine()
    tries = 0

    @asynccontextmanager
    async def open_engine() -> AsyncIterator[DemoEngine]:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise DaemonUnreachable("daemon", "no answer", hint="its log: /state/daemon.log")
        yield engine

    app = DeckApp(open_engine, clock=engine.clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        assert "/state/daemon.log" in str(app.screen.query_one(".dialog Static").render())
        await pilot.press("a")
        await until(pilot, lambda: app.bridge.distros)


async def test_leaving_without_an_engine_gives_its_exit_code() -> None:
    @asynccontextmanager
    async def open_engine() -> AsyncIterator[DemoEngine]:
        raise DaemonUnreachable("daemon", "no answer")
        yield DemoEngine()

    app = DeckApp(open_engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        await pilot.press("escape")
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == 8


async def test_lost_connection_offers_to_connect_again_and_tabs_come_back() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: len(app.deck.shells.tabs) == 2)
        app.demo.hang_up()
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        await pilot.press("a")
        await until(pilot, lambda: app.bridge.ready.is_set())
        await until(pilot, lambda: len(app.deck.shells.tabs) == 2)


async def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.bridge.distros)
        assert app.no_color
