"""Shell tabs: who gets the keys, tabs that come and go, what survives leaving."""

from __future__ import annotations

from core.domain import ShellSpec
from screenshots.scenes import DemoApp, dialog, settled, until
from tests.tui.console import PREFIX, in_shell, screen_text, select, state, tabs
from tui.screens.confirm import ConfirmDialog


async def test_sessions_that_exist_are_tabs_with_their_screens() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert tabs(app) == "≡ home* │ 1 ubuntu │ 2 alpine │ +"
        assert "build-essential" in screen_text(app, 1)


async def test_enter_goes_to_the_open_shell_of_the_distro() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await select(pilot, "alpine")
        await pilot.press("enter")
        await in_shell(pilot, 2)
        assert len(await app.demo.sessions()) == 2


async def test_enter_opens_a_shell_where_none_is_open() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await select(pilot, "debian")
        await pilot.press("enter")
        await in_shell(pilot, 3)
        await until(pilot, lambda: state(app).startswith(" SHELL debian 80x22 "))
        assert "3 debian*" in tabs(app)


async def test_s_opens_one_more_shell() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await select(pilot, "ubuntu")
        await pilot.press("s")
        await in_shell(pilot, 3)
        assert app.deck.shells.tabs[3].session.distro == "ubuntu"


async def test_every_key_but_the_prefix_goes_to_the_shell() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("1")
        await in_shell(pilot, 1)
        sent: list[bytes] = []
        app.deck.shells.tabs[1].link.type = sent.append  # type: ignore[method-assign]
        await pilot.press("ctrl+q", "ctrl+c", "q", "2", "question_mark", "tab", "escape", "ctrl+p")
        assert b"".join(sent) == b"\x11\x03q2?\t\x1b\x10"
        assert app.is_running


async def test_prefix_and_digit_switch_tabs_without_reaching_the_shell() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("1")
        await in_shell(pilot, 1)
        before = screen_text(app, 1)
        await pilot.press(PREFIX, "2")
        await in_shell(pilot, 2)
        assert screen_text(app, 1) == before
        await pilot.press(PREFIX, "tab")
        await in_shell(pilot, 1)
        await pilot.press(PREFIX, "d")
        await until(pilot, lambda: not app.deck.in_shell)
        assert state(app).startswith(" NORMAL ")


async def test_prefix_twice_sends_it_and_an_unknown_key_does_nothing() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("1")
        await in_shell(pilot, 1)
        sent: list[bytes] = []
        app.deck.shells.tabs[1].link.type = sent.append  # type: ignore[method-assign]
        await pilot.press(PREFIX, PREFIX, PREFIX, "escape", PREFIX, "k", "a")
        assert b"".join(sent) == b"\x1da"


async def test_prefix_n_and_x_open_and_close_a_shell() -> None:
    app = DemoApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        await in_shell(pilot, 2)
        await pilot.press(PREFIX, "n")
        await in_shell(pilot, 3)
        assert app.deck.shells.tabs[3].session.distro == "alpine"
        await pilot.press(PREFIX, "x")
        await in_shell(pilot, 2)
        ended = (await app.demo.sessions())[-1]
        assert ended.exit_code == 129
        assert 3 not in app.deck.shells.tabs


async def test_exit_code_is_a_mark_on_the_tab_and_enter_reopens() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("1")
        await in_shell(pilot, 1)
        await pilot.press(*"exit", "space", "3", "enter")
        await until(pilot, lambda: "1 ubuntu* x3" in tabs(app))
        assert state(app).startswith(" ENDED ubuntu exit code 3 ")
        await pilot.press("enter")
        await until(pilot, lambda: len(app.bridge.sessions) == 3)
        await in_shell(pilot, 1)


async def test_shell_that_ends_with_0_takes_its_tab_away() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("1")
        await in_shell(pilot, 1)
        await pilot.press("ctrl+d")
        await until(pilot, lambda: tabs(app) == "≡ home* │ 2 alpine │ +")


async def test_output_and_bells_mark_tabs_in_the_background() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await app.demo.input(2, b"echo news\r")
        await until(pilot, lambda: "1 ubuntu ● " in tabs(app))
        await app.demo.input(3, b"bell\r")
        await until(pilot, lambda: "2 alpine ! " in tabs(app))
        await pilot.press("1")
        await until(pilot, lambda: "●" not in tabs(app))


async def test_failure_while_a_shell_has_the_keys_does_not_take_them() -> None:
    app = DemoApp(pulls=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("p")
        await dialog(pilot)
        await pilot.press(*"registry.example.com/secret", "enter")
        await until(pilot, lambda: app.screen is app.deck and app.bridge.jobs)
        await pilot.press("1")
        await in_shell(pilot, 1)
        app.demo.advance()
        await until(pilot, lambda: app.deck.panes.activity.jobs[0].state == "failed")
        assert app.deck.in_shell
        await pilot.press(PREFIX, "d")
        app.deck.panes.activate("activity")
        await pilot.pause()
        await pilot.press("enter")
        await dialog(pilot)
        assert "asks for a login" in str(app.screen.query_one(".dialog Static").render())


async def test_quit_asks_and_the_shells_keep_running() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("q")
        await dialog(pilot)
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("enter")
        await until(pilot, lambda: not app.is_running)
    assert app.return_value == 2
    assert all(session.state == "running" for session in await app.demo.sessions())


async def test_prefix_d_capital_leaves_at_once_and_hands_in_checkpoints() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("1")
        await in_shell(pilot, 1)
        await pilot.press(PREFIX, "D")
        await until(pilot, lambda: not app.is_running)
    assert app.return_value == 2
    async with app.demo.attach(2) as attachment:
        assert attachment.checkpoint


async def test_second_console_finds_the_screens_of_the_first() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("1")
        await in_shell(pilot, 1)
        await pilot.press(*"echo", "space", *"remembered", "enter")
        await until(pilot, lambda: "\nremembered" in screen_text(app, 1))
        before = screen_text(app, 1)
        await pilot.press(PREFIX, "D")
        await until(pilot, lambda: not app.is_running)
    again = DemoApp(engine=app.demo)
    async with again.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: 1 in again.deck.shells.tabs)
        await until(pilot, lambda: screen_text(again, 1) == before)


async def test_live_resize_follows_the_breakpoints() -> None:
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("1")
        await in_shell(pilot, 1)
        for size, shell in (
            ((80, 24), "80x22"),
            ((120, 40), "82x28"),
            ((118, 30), "80x18"),
            ((200, 60), "106x55"),
            ((48, 12), "48x11"),
        ):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda shell=shell: f"SHELL ubuntu {shell} " in state(app))
        session = app.bridge.sessions
        await until(pilot, lambda: (session[2].rows, session[2].columns) == (11, 48))


async def test_zen_gives_the_shell_the_whole_window() -> None:
    app = DemoApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("1")
        await in_shell(pilot, 1)
        await pilot.press(PREFIX, "z")
        await until(pilot, lambda: "120x39" in state(app))
        await pilot.press(PREFIX, "z")
        await until(pilot, lambda: "82x28" in state(app))


async def test_closing_one_of_nine_tabs_shows_the_shell_that_had_none() -> None:
    app = DemoApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for _ in range(8):
            await app.demo.open(ShellSpec(distro="debian"))
        app.demo.hang_up()
        await until(pilot, lambda: len(app.deck.shells.tabs) == 9)
        (waiting,) = {s.id for s in await app.demo.sessions()} - {
            tab.session.id for tab in app.deck.shells.tabs.values()
        }
        await pilot.press("3")
        await in_shell(pilot, 3)
        await pilot.press(PREFIX, "x")
        await until(pilot, lambda: app.deck.shells.find(waiting))
        assert app.deck.shells.tabs[3].session.id == waiting
