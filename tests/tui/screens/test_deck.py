"""Home: every key, on the demonstration engine."""

from __future__ import annotations

from dataclasses import replace

from core.engines.demo_data import distros
from screenshots.scenes import DemoApp, dialog, settled, until
from tests.tui.console import in_shell, select, state
from tui.screens.confirm import ConfirmDialog
from tui.screens.error import ErrorDialog
from tui.screens.help import HelpDialog
from tui.screens.inspect import InspectDialog
from tui.screens.pull import PullDialog
from tui.screens.run import RunDialog
from widgets.field import Field
from widgets.output_list import OutputList
from widgets.session_tabs import SessionTabs
from widgets.state_line import StateLine


async def test_remove_asks_and_enter_removes_an_idle_distro() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await select(pilot, "debian")
        await pilot.press("x")
        await dialog(pilot)
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("enter")
        await until(pilot, lambda: "debian" not in app.bridge.distros)


async def test_remove_with_shells_wants_the_name_typed() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await select(pilot, "ubuntu")
        await pilot.press("x")
        await dialog(pilot)
        await pilot.press("enter")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press(*"ubuntu", "enter")
        await until(pilot, lambda: "ubuntu" not in app.bridge.distros)
        assert (await app.demo.sessions())[0].state == "exited"


async def test_escape_removes_nothing() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await select(pilot, "debian")
        await pilot.press("x")
        await dialog(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.deck)
        assert "debian" in app.bridge.distros


async def test_run_shows_output_of_both_streams_and_the_exit_code() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await select(pilot, "debian")
        await pilot.press("R")
        await dialog(pilot)
        assert isinstance(app.screen, RunDialog)
        await pilot.press(*"make", "enter")
        lines = app.screen.query_one(OutputList)
        await until(pilot, lambda: lines.counts[1] == 4)
        assert "exit code 2" in str(app.screen.query_one("#outcome").render())


async def test_enter_in_the_catalog_pulls_with_progress_until_it_is_installed() -> None:
    app = DemoApp(pulls=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("tab")
        assert app.deck.panes.available.select(("builtin", "alpine/3.22"))
        await pilot.press("enter")
        await until(pilot, lambda: app.deck.panes.activity.jobs)
        while (await app.demo.jobs())[0].state == "running":
            app.demo.advance()
        await until(pilot, lambda: "alpine-3.22" in app.bridge.distros)


async def test_taken_name_asks_for_another_one() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("tab")
        assert app.deck.panes.available.select(("host", "this-host"))
        await pilot.press("enter")
        await dialog(pilot)
        assert isinstance(app.screen, PullDialog)
        await pilot.press(*"mine", "enter")
        await until(pilot, lambda: any(job.title == "mine" for job in app.bridge.jobs.values()))


async def test_failed_pull_tells_reason_kept_and_next_and_a_tries_again() -> None:
    app = DemoApp(pulls=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("p")
        await dialog(pilot)
        await pilot.press(*"localhost:5000/team/flaky:1", "enter")
        await until(pilot, lambda: app.screen is app.deck and app.bridge.jobs)
        while (await app.demo.jobs())[0].state == "running":
            app.demo.advance()
        await dialog(pilot)
        assert isinstance(app.screen, ErrorDialog)
        text = str(app.screen.query_one(".dialog Static").render())
        assert "connection cut by the registry" in text
        assert "Kept" in text
        assert "Next" in text
        await pilot.press("a")
        await until(pilot, lambda: len(app.bridge.jobs) == 2)


async def test_again_asks_for_the_source_where_another_console_pulled() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await app.demo.cancel("1")
        await until(pilot, lambda: app.bridge.jobs["1"].state == "cancelled")
        app.deck.verbs.again(app.bridge.jobs["1"])
        await dialog(pilot)
        assert isinstance(app.screen, PullDialog)
        assert app.screen.query_one("#source", Field).value == ""
        assert app.screen.query_one("#name", Field).value == app.bridge.jobs["1"].title


async def test_x_on_a_pull_cancels_it_after_a_question() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await select(pilot, "archlinux")
        await pilot.press("x")
        await dialog(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: app.bridge.jobs["1"].state == "cancelled")


async def test_unknown_source_is_an_error_dialog() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("colon", *"pull", "space", "quotation_mark", *"a", "space", *"b")
        await pilot.press("quotation_mark", "enter")
        await dialog(pilot)
        assert isinstance(app.screen, ErrorDialog)
        assert "no spaces" in str(app.screen.query_one(".dialog Static").render())


async def test_t_starts_and_stops() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await select(pilot, "debian")
        await pilot.press("t")
        await until(pilot, lambda: app.bridge.distros["debian"].state == "running")
        await pilot.press("t")
        await until(pilot, lambda: app.bridge.distros["debian"].state == "stopped")


async def test_help_inspect_and_history_keys() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("question_mark")
        await dialog(pilot)
        assert isinstance(app.screen, HelpDialog)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.deck)
        await pilot.press("i")
        await dialog(pilot)
        assert isinstance(app.screen, InspectDialog)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.deck)
        await select(pilot, "my-dev")
        await pilot.press("h")
        await until(pilot, lambda: app.deck.panes.history.counts[1] == 6)
        assert app.deck.panes.history.has_focus


async def test_filter_narrows_while_typing_and_escape_clears() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        rows = app.deck.panes.available
        await pilot.press("tab", "slash", *"lib")
        assert rows.counts[0] == 2
        await pilot.press("enter")
        await until(pilot, lambda: rows.has_focus)
        assert rows.counts[0] == 2
        await pilot.press("escape")
        assert rows.counts[0] == rows.counts[1]


async def test_tab_goes_round_all_panes() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        seen = []
        for _ in range(4):
            seen.append(app.deck.panes.active)
            await pilot.press("tab")
        assert seen == ["installed", "available", "history", "activity"]
        assert app.deck.panes.active == "installed"


async def test_refresh_reads_the_catalog_again() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.demo.advance(20)
        before = app.bridge.catalog
        await pilot.press("ctrl+r")
        await until(pilot, lambda: app.bridge.catalog is not before)


async def test_click_on_a_tab_and_on_a_hint() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        x = app.deck.query_one(SessionTabs).text.index("2 alpine")
        await pilot.click(SessionTabs, offset=(x + 2, 0))
        await in_shell(pilot, 2)
        await pilot.click(SessionTabs, offset=(3, 0))
        await until(pilot, lambda: not app.deck.in_shell)
        x = state(app).index("p pull")
        await pilot.click(StateLine, offset=(x, 0))
        await dialog(pilot)
        assert isinstance(app.screen, PullDialog)


async def test_names_are_never_markup() -> None:
    hostile = replace(distros()[0], name="[b]de\x1b]52;c;AAAA\x07[/x]", os_name="[/b]\x9b2J")
    app = DemoApp(distros=(hostile,), sessions=False, pulls=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("i")
        await dialog(pilot)
        svg = app.export_screenshot()
        assert not set("\x07\x1b\x9b") & set(svg)
        assert "[/x]" in svg
