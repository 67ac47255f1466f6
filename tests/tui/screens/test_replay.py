"""A recording in the console: it plays, stands still, and goes where it is sent."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from screenshots.scenes import DemoApp, dialog, settled, until
from tui import commands
from tui.screens.error import ErrorDialog
from tui.screens.replay import ReplayScreen, clock
from widgets.state_line import StateLine
from widgets.terminal.replay import Replay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot


@asynccontextmanager
async def replaying(tmp_path: Path, times: list[float]) -> AsyncIterator[Pilot[int]]:
    """A recording that writes its number at each of these times."""
    file = tmp_path / "a.cast"
    events = "".join(f'[{time}, "o", "{time:g}\\r\\n"]\n' for time in times)
    file.write_text('{"version": 2, "width": 20, "height": 5, "title": "demo"}\n' + events)
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await commands.carry_out(commands.parse(f"replay {file}"), app.deck)
        await until(pilot, lambda: isinstance(app.screen, ReplayScreen))
        yield pilot


def replay(pilot: Pilot[int]) -> Replay:
    return pilot.app.screen.query_one(Replay)


def state(pilot: Pilot[int]) -> str:
    return pilot.app.screen.query_one(StateLine).text


def shown(pilot: Pilot[int]) -> str:
    return "\n".join(replay(pilot).view.draw(y).text.rstrip() for y in range(5)).strip()


async def test_it_plays_to_its_end_and_begins_again(tmp_path: Path) -> None:
    async with replaying(tmp_path, [0, 0.1, 0.2]) as pilot:
        await until(pilot, lambda: state(pilot).startswith(" PAUSED demo 0:00/0:00 1x "))
        assert shown(pilot) == "0\n0.1\n0.2"
        await pilot.press("space")
        await until(pilot, lambda: replay(pilot).paused and replay(pilot).player.ended)
        assert shown(pilot) == "0\n0.1\n0.2"


async def test_it_goes_to_any_moment_and_back(tmp_path: Path) -> None:
    async with replaying(tmp_path, [0, 100, 200, 1000]) as pilot:
        await pilot.press("space")
        await until(pilot, lambda: state(pilot).startswith(" PAUSED demo 0:00/16:40 1x "))
        await pilot.press("2")
        await until(pilot, lambda: shown(pilot) == "0\n100\n200")
        await pilot.press("left")
        await until(pilot, lambda: shown(pilot) == "0\n100")
        await until(pilot, lambda: state(pilot).startswith(" PAUSED demo 3:15/16:40 1x "))
        await pilot.press("right")
        await until(pilot, lambda: shown(pilot) == "0\n100\n200")
        await pilot.press("g")
        await until(pilot, lambda: shown(pilot) == "0")
        await pilot.press("G")
        await until(pilot, lambda: shown(pilot).endswith("1000"))


async def test_its_pace_can_be_chosen(tmp_path: Path) -> None:
    async with replaying(tmp_path, [0, 10_000]) as pilot:
        await pilot.press("plus", "plus", "minus")
        await until(pilot, lambda: " 2x " in state(pilot))
        await pilot.press(*["plus"] * 9)
        await until(pilot, lambda: " 16x " in state(pilot))


async def test_leaving_it_leads_back_to_the_console(tmp_path: Path) -> None:
    async with replaying(tmp_path, [0, 10]) as pilot:
        app = pilot.app
        await pilot.press("q")
        await until(pilot, lambda: not isinstance(app.screen, ReplayScreen))


async def test_what_is_no_recording_is_told() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for name in ("/dev/null", "/nowhere"):
            await pilot.press("colon", *f"replay {name}", "enter")
            await dialog(pilot)
            assert isinstance(app.screen, ErrorDialog)
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.deck)


def test_times_are_written_like_a_clock() -> None:
    assert [clock(5.9), clock(65), clock(3725)] == ["0:05", "1:05", "1:02:05"]
