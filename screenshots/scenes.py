"""The states of the console that are worth a picture, each on the demonstration engine."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from core.domain import Distro
from core.engines.demo import DemoEngine
from tui.app import DeckApp
from widgets.field import Field
from widgets.output_list import OutputList

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from textual.pilot import Pilot

SIZES = ((80, 24), (120, 40), (200, 60))


class DemoApp(DeckApp):
    """A console on a demonstration engine whose time stands still."""

    def __init__(self, engine: DemoEngine | None = None, **options: Any) -> None:
        engine = engine or DemoEngine(**options)

        @asynccontextmanager
        async def open_engine() -> AsyncIterator[DemoEngine]:
            yield engine

        super().__init__(open_engine, clock=engine.clock)
        self.demo = engine


def demo(pilot: Pilot[int]) -> DemoApp:
    """The application under the pilot."""
    assert isinstance(pilot.app, DemoApp)
    return pilot.app


async def until(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    """Let the application go on until ``condition`` holds."""
    async with asyncio.timeout(20):
        while not condition():
            await pilot.pause(0.01)
    await pilot.pause()


async def settled(pilot: Pilot[int]) -> None:
    """Wait until what the engine has is on the screen."""
    app = demo(pilot)
    panes = app.deck.panes
    pulls = {job for job in await app.demo.jobs() if job.kind == "pull"}
    shells = {session.id for session in await app.demo.sessions() if session.state == "running"}
    await until(pilot, lambda: panes.available.counts[1] and app.bridge.ready.is_set())
    await until(pilot, lambda: set(panes.activity.jobs) == pulls)
    await until(pilot, lambda: {t.session.id for t in panes.shells.tabs.values()} >= shells)
    await until(pilot, lambda: all(tab.link.offset for tab in panes.shells.tabs.values()))


async def passed(pilot: Pilot[int], steps: int) -> None:
    """Let the demonstration's time pass, and wait until it is drawn."""
    demo(pilot).demo.advance(steps)
    await settled(pilot)


async def dialog(pilot: Pilot[int]) -> None:
    """Wait for a dialog."""
    app = demo(pilot)
    await until(pilot, lambda: app.screen is not app.deck)


def fill(pilot: Pilot[int], **fields: str) -> None:
    """Write into the fields of a dialog, by id, all at once."""
    for name, value in fields.items():
        field = pilot.app.screen.query_one(f"#{name}", Field)
        field.value = value
        field.cursor_position = len(value)


async def home(pilot: Pilot[int]) -> None:
    """Home, a pull under way, history of the selected distro."""
    await passed(pilot, 6)
    demo(pilot).deck.panes.installed.select("my-dev")
    await until(pilot, lambda: demo(pilot).deck.panes.history.counts[1] == 6)


async def shell(pilot: Pilot[int]) -> None:
    """A shell tab in front."""
    await passed(pilot, 6)
    await pilot.press("1")
    await until(pilot, lambda: demo(pilot).deck.in_shell)
    tab = demo(pilot).deck.shells.tabs[1]
    tab.link.type(b"uname\r")
    await until(pilot, lambda: "GNU/Linux" in "\n".join(tab.pane.terminal.text()))
    await until(pilot, lambda: "\n".join(tab.pane.terminal.text()).rstrip().endswith("#"))


async def copy_mode(pilot: Pilot[int]) -> None:
    """Searching what a shell showed, with some of it marked."""
    await shell(pilot)
    pane = demo(pilot).deck.shells.tabs[1].pane
    await pane.offer(b"".join(b"\r\n  CC  part%d.o" % number for number in range(1240)))
    await pilot.press("ctrl+right_square_bracket", "left_square_bracket", "ctrl+b")
    await pilot.press("slash", *"part122", "enter")
    await until(pilot, lambda: demo(pilot).deck.in_shell and pane.view.copy.pattern)
    await pilot.press("n", "0", "v", "j", "e")
    await until(pilot, lambda: "marked" if pane.view.copy.selection else "")


async def which_key(pilot: Pilot[int]) -> None:
    """The prefix was pressed and nothing after it."""
    await shell(pilot)
    await pilot.press("ctrl+right_square_bracket")
    await until(pilot, lambda: demo(pilot).deck.query_one("#which-key").display)


async def remove(pilot: Pilot[int]) -> None:
    """A distro in which shells run is about to be removed."""
    await home(pilot)
    demo(pilot).deck.panes.installed.select("ubuntu")
    await pilot.press("x")
    await dialog(pilot)
    fill(pilot, word="ubu")


async def run(pilot: Pilot[int]) -> None:
    """A command was run and failed."""
    await home(pilot)
    await pilot.press("R")
    await dialog(pilot)
    fill(pilot, command="make")
    await pilot.press("enter")
    await until(pilot, lambda: demo(pilot).screen.query_one(OutputList).counts[1])


async def error(pilot: Pilot[int]) -> None:
    """A pull was cut."""
    await pilot.press("p")
    await dialog(pilot)
    fill(pilot, source="localhost:5000/team/flaky:1")
    await pilot.press("enter")
    app = demo(pilot)
    await until(pilot, lambda: app.screen is app.deck and len(app.bridge.jobs) == 3)
    await passed(pilot, 18)
    await dialog(pilot)


async def pull(pilot: Pilot[int]) -> None:
    """What to pull?"""
    await home(pilot)
    await pilot.press("p")
    await dialog(pilot)
    fill(pilot, source="localhost:5000/lib/dev", name="dev")


async def keys(pilot: Pilot[int]) -> None:
    """Help."""
    await home(pilot)
    await pilot.press("question_mark")
    await dialog(pilot)


async def catalog(pilot: Pilot[int]) -> None:
    """Filtering what is available."""
    await passed(pilot, 6)
    await pilot.press("tab", "slash", *"deb")


async def inspect(pilot: Pilot[int]) -> None:
    """All that is known of one distro."""
    await home(pilot)
    await pilot.press("i")
    await dialog(pilot)


SCENES = {
    "home": home,
    "shell": shell,
    "copy-mode": copy_mode,
    "which-key": which_key,
    "remove": remove,
    "run": run,
    "error": error,
    "pull": pull,
    "keys": keys,
    "catalog": catalog,
    "inspect": inspect,
}


async def arrange(name: str, pilot: Pilot[int]) -> None:
    """Bring a scene about, and wait until its last detail is there."""
    await settled(pilot)
    await SCENES[name](pilot)
    panes = demo(pilot).deck.panes
    row = panes.entry or panes.installed.row
    title = f"History {row.name}" if isinstance(row, Distro) else "History"
    await until(pilot, lambda: panes.history.border_title == title)


async def picture(name: str, size: tuple[int, int]) -> str:
    """One scene at one size, as SVG."""
    app = DemoApp()
    async with app.run_test(size=size) as pilot:
        await arrange(name, pilot)
        return app.export_screenshot()
