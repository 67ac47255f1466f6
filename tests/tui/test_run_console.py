"""Starting and leaving: what is loaded, what is said, what comes back."""

from __future__ import annotations

import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import tui.app
from core.engines.demo import DemoEngine
from core.errors import DaemonUnreachable
from screenshots.scenes import DemoApp, settled, until
from tests.tui.console import in_shell, screen_text
from tui.app import DeckApp
from tui.screens.error import ErrorDialog
from widgets.header import Header

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from core.domain import Session

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


async def test_lost_connection_comes_back_under_the_hands_of_who_types() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        await in_shell(pilot, 2)
        tab = app.deck.shells.tabs[2]
        before = dict(app.deck.shells.tabs)
        app.demo.hang_up()
        await until(pilot, lambda: not app.bridge.ready.is_set())
        assert app.screen is app.deck
        await pilot.press(*"echo", "space", *"typed-on", "enter")
        await until(pilot, lambda: "\ntyped-on" in screen_text(app, 2))
        await until(pilot, lambda: app.bridge.ready.is_set())
        await until(pilot, lambda: "reconnecting" not in app.deck.query_one(Header).text)
        assert app.deck.shells.tabs == before
        assert app.deck.shells.tab is tab
        assert app.focused is tab.pane


async def test_shell_asked_for_while_there_is_no_engine_opens_when_it_is_back() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        await in_shell(pilot, 2)
        app.demo.hang_up()
        await until(pilot, lambda: not app.bridge.ready.is_set())
        await pilot.press("ctrl+right_square_bracket", "n")
        await until(pilot, lambda: 3 in app.deck.shells.tabs)
        assert app.screen is app.deck


async def test_tabs_follow_what_lived_and_ended_while_there_was_no_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tui.app, "PAUSES", (0.0, 0.0, 0.0))
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        await in_shell(pilot, 2)
        kept = app.deck.shells.tabs[2]
        lost = app.deck.shells.tabs[1].session.id
        sessions = [s for s in await app.demo.sessions() if s.id != lost]

        async def fewer() -> list[Session]:
            return sessions

        app.demo.sessions = fewer  # type: ignore[method-assign]
        app.demo.hang_up()
        await until(pilot, lambda: list(app.deck.shells.tabs) == [2])
        assert app.deck.shells.tab is kept
        assert app.focused is kept.pane


async def test_engine_that_does_not_come_back_is_told_after_some_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tui.app, "PAUSES", (0.0, 0.0, 0.0))
    engine = DemoEngine()
    tries = 0

    @asynccontextmanager
    async def open_engine() -> AsyncIterator[DemoEngine]:
        nonlocal tries
        tries += 1
        if tries > 1:
            raise DaemonUnreachable("daemon", "no answer")
        yield engine

    app = DeckApp(open_engine, clock=engine.clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.bridge.ready.is_set())
        engine.hang_up()
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        assert tries == 4


async def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.bridge.distros)
        assert app.no_color
