"""Copy mode in the console: who has the keys, what is copied, what is said."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from screenshots.scenes import DemoApp, demo, settled, until
from tests.tui.console import PREFIX, in_shell, state
from widgets.prompt_line import PromptLine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

    from widgets.terminal.copy_mode import CopyMode
    from widgets.terminal.pane import TerminalPane


@asynccontextmanager
async def shell(lines: int = 100) -> AsyncIterator[Pilot[int]]:
    """The first shell, after as many numbered lines."""
    app = DemoApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("1")
        await in_shell(pilot, 1)
        await pane(pilot).offer(b"\r\n" + b"".join(b"%d line\r\n" % n for n in range(lines)))
        await pilot.pause()
        yield pilot


def pane(pilot: Pilot[int]) -> TerminalPane:
    tab = demo(pilot).deck.shells.tab
    assert tab
    return tab.pane


def mode(pilot: Pilot[int]) -> CopyMode:
    found = pane(pilot).view.copy
    assert found
    return found


async def test_the_prefix_and_a_bracket_look_back_and_say_so() -> None:
    async with shell() as pilot:
        app = demo(pilot)
        await pilot.press(PREFIX, "left_square_bracket")
        await until(pilot, lambda: state(app).startswith(" COPY ubuntu scroll 0/"))
        await pilot.press("5", "0", "k")
        depth = mode(pilot).depth
        back = mode(pilot).back
        assert back > 20
        await until(pilot, lambda: f" COPY ubuntu scroll {back}/{depth} " in state(app))
        await pilot.press("q")
        await until(pilot, lambda: state(app).startswith(" SHELL ubuntu 80x22 "))


async def test_no_key_of_copy_mode_reaches_the_shell() -> None:
    async with shell() as pilot:
        app = demo(pilot)
        sent: list[bytes] = []
        app.deck.shells.tabs[1].link.type = sent.append  # type: ignore[method-assign]
        await pilot.press(PREFIX, "left_square_bracket", "enter", *"hjklwbeggGvVoxz", "escape")
        await until(pilot, lambda: pane(pilot).view.copy is None)
        assert sent == []
        await pilot.press("a")
        assert sent == [b"a"]


async def test_output_goes_on_while_the_view_stands_still() -> None:
    async with shell() as pilot:
        await pilot.press(PREFIX, "left_square_bracket", "k")
        seen = [pane(pilot).view.draw(y).text for y in range(22)]
        await pane(pilot).offer(b"\x1b[2J\x1b[Hnews\r\n" * 30)
        await pilot.pause()
        assert [pane(pilot).view.draw(y).text for y in range(22)] == seen
        assert pane(pilot).terminal.text()[0] == "news"
        await pilot.press("q")
        await until(pilot, lambda: pane(pilot).view.draw(0).text.startswith("news"))


async def test_what_is_marked_is_copied_and_told() -> None:
    async with shell() as pilot:
        app = demo(pilot)
        await pilot.press(PREFIX, "left_square_bracket", "k", "k", "0", "v", "e", "y")
        await until(pilot, lambda: app.clipboard == "98")
        await until(pilot, lambda: app._notifications)
        assert "copied 2 bytes to " in next(iter(app._notifications)).message
        assert pane(pilot).view.copy is None


async def test_a_search_jumps_while_it_is_typed_and_goes_on_with_n() -> None:
    async with shell() as pilot:
        await pilot.press(PREFIX, "slash", *"9 line")
        await until(
            pilot, lambda: mode(pilot).pattern and mode(pilot).pattern.pattern == "9\\ line"
        )
        await pilot.press("enter")
        await in_shell(pilot, 1)
        first = mode(pilot).cursor
        await until(pilot, lambda: _line(pilot).startswith("99"))
        await pilot.press("n")
        await until(pilot, lambda: _line(pilot).startswith("89"))
        await pilot.press("N")
        await until(pilot, lambda: mode(pilot).cursor == first)


def _line(pilot: Pilot[int]) -> str:
    line = mode(pilot).lines.line_at(mode(pilot).cursor.line)
    return line.text if line else ""


async def test_keys_typed_ahead_go_into_the_search() -> None:
    async with shell() as pilot:
        app = demo(pilot)
        await pilot.press(PREFIX, "left_square_bracket", "question_mark", *"71 l", "enter")
        await until(pilot, lambda: _line(pilot).startswith("71 line"))
        assert mode(pilot).cursor.column == 0
        assert not app.query_one(PromptLine).display


async def test_a_search_can_be_a_regular_expression() -> None:
    async with shell() as pilot:
        await pilot.press(PREFIX, "slash", "ctrl+r", *"^3[12] ", "enter")
        await until(pilot, lambda: _line(pilot).startswith("32"))


async def test_a_search_that_is_given_up_goes_back() -> None:
    async with shell() as pilot:
        await pilot.press(PREFIX, "left_square_bracket")
        before = mode(pilot).cursor
        await pilot.press("question_mark", *"11 l")
        await until(pilot, lambda: _line(pilot).startswith("11"))
        await pilot.press("escape")
        await in_shell(pilot, 1)
        await until(pilot, lambda: mode(pilot).cursor == before)
        assert mode(pilot).pattern is None


async def test_what_is_not_found_is_told() -> None:
    async with shell() as pilot:
        app = demo(pilot)
        await pilot.press(PREFIX, "slash", *"nowhere", "enter")
        await until(pilot, lambda: app._notifications)
        assert next(iter(app._notifications)).message == "not found: nowhere"


async def test_what_was_copied_is_pasted_after_the_prefix() -> None:
    async with shell() as pilot:
        app = demo(pilot)
        await pilot.press(PREFIX, "left_square_bracket", "k", "k", "0", "v", "e", "y")
        await until(pilot, lambda: app.clipboard == "98")
        sent: list[bytes] = []
        app.deck.shells.tabs[1].link.type = sent.append  # type: ignore[method-assign]
        await pilot.press(PREFIX, "right_square_bracket")
        await until(pilot, lambda: sent == [b"98"])


async def test_a_live_resize_keeps_the_place() -> None:
    async with shell() as pilot:
        await pilot.press(PREFIX, "left_square_bracket", "5", "0", "k")
        before = _line(pilot).rstrip()
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: pane(pilot).terminal.columns == 82)
        assert _line(pilot).rstrip() == before
        assert mode(pilot).height == pane(pilot).view.height
