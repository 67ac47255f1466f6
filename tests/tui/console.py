"""What the tests of the console look at and wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screenshots.scenes import DemoApp, demo, until
from widgets.session_tabs import SessionTabs
from widgets.state_line import StateLine

if TYPE_CHECKING:
    from textual.pilot import Pilot

PREFIX = "ctrl+right_square_bracket"


def state(app: DemoApp) -> str:
    return app.deck.query_one(StateLine).text


def tabs(app: DemoApp) -> str:
    return app.deck.query_one(SessionTabs).text.strip()


def screen_text(app: DemoApp, number: int) -> str:
    return "\n".join(app.deck.shells.tabs[number].pane.terminal.text())


async def select(pilot: Pilot[int], name: str) -> None:
    app = demo(pilot)
    assert app.deck.panes.installed.select(name)
    await pilot.pause()


async def in_shell(pilot: Pilot[int], number: int) -> None:
    app = demo(pilot)
    await until(pilot, lambda: app.deck.in_shell and app.deck.shells.current == number)
