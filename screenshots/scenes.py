"""The states of the console that are worth a picture, each on the demonstration engine."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from core.engines.demo import DemoEngine
from tui.app import DeckApp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

SIZES = ((80, 24), (120, 40), (200, 60))


class DemoApp(DeckApp):
    """A console on a demonstration engine whose time stands still."""

    def __init__(self, *, pulls: bool = True, sessions: bool = True) -> None:
        engine = DemoEngine(pulls=pulls, sessions=sessions)

        @asynccontextmanager
        async def open_engine() -> AsyncIterator[DemoEngine]:
            yield engine

        super().__init__(open_engine, clock=engine.clock)
        self.demo = engine


async def settled(pilot: Pilot[int]) -> None:
    """Wait until everything that is under way has been drawn."""
    app = pilot.app
    assert isinstance(app, DeckApp)
    async with asyncio.timeout(20):
        await app.bridge.ready.wait()
    await pilot.pause(0.15)
    await pilot.pause()


async def passed(pilot: Pilot[int], steps: int) -> None:
    """Let the demonstration's time pass, step by step."""
    assert isinstance(pilot.app, DemoApp)
    for _ in range(steps):
        pilot.app.demo.advance()
        await pilot.pause(0.08)


async def home(pilot: Pilot[int]) -> None:
    """Home, a pull under way, history of the selected distro."""
    await passed(pilot, 6)
    await pilot.press("j", "j", "j", "j", "j")


async def shell(pilot: Pilot[int]) -> None:
    """A shell tab in front."""
    await passed(pilot, 6)
    await pilot.press("1")
    await settled(pilot)
    await pilot.press(*"uname", "enter")


async def which_key(pilot: Pilot[int]) -> None:
    """The prefix was pressed and nothing after it."""
    await shell(pilot)
    await pilot.press("ctrl+right_square_bracket")
    await pilot.pause(0.4)


async def remove(pilot: Pilot[int]) -> None:
    """A distro in which shells run is about to be removed."""
    await home(pilot)
    await pilot.press("G", "x")
    await settled(pilot)
    await pilot.press(*"ubu")


async def run(pilot: Pilot[int]) -> None:
    """A command was run and failed."""
    await home(pilot)
    await pilot.press("R")
    await settled(pilot)
    await pilot.press(*"make", "enter")


async def error(pilot: Pilot[int]) -> None:
    """A pull was cut."""
    await pilot.press("p")
    await settled(pilot)
    await pilot.press(*"localhost:5000/team/flaky:1", "enter")
    await settled(pilot)
    await passed(pilot, 20)


async def pull(pilot: Pilot[int]) -> None:
    """What to pull?"""
    await home(pilot)
    await pilot.press("p")
    await settled(pilot)
    await pilot.press(*"localhost:5000/lib/dev", "tab", *"dev")


async def keys(pilot: Pilot[int]) -> None:
    """Help."""
    await home(pilot)
    await pilot.press("question_mark")


async def catalog(pilot: Pilot[int]) -> None:
    """Filtering what is available."""
    await passed(pilot, 6)
    await pilot.press("tab", "slash", *"deb")


async def inspect(pilot: Pilot[int]) -> None:
    """All that is known of one distro."""
    await home(pilot)
    await pilot.press("i")


SCENES = {
    "home": home,
    "shell": shell,
    "which-key": which_key,
    "remove": remove,
    "run": run,
    "error": error,
    "pull": pull,
    "keys": keys,
    "catalog": catalog,
    "inspect": inspect,
}


async def picture(name: str, size: tuple[int, int]) -> str:
    """One scene at one size, as SVG."""
    app = DemoApp()
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await SCENES[name](pilot)
        await settled(pilot)
        return app.export_screenshot()
