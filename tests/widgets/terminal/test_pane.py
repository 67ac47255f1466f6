"""The pane in an application: output in, input out, no key stolen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input as Field
from typing_extensions import override

from widgets.terminal.pane import TerminalPane
from widgets.terminal.raw_key import RawKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.message import Message
    from textual.pilot import Pilot
    from textual.strip import Strip


class PaneTest(App[None], inherit_bindings=False):
    """One pane and a field; keeps what the pane says and answers sizes as a session does."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, "steal", show=False) for key in ("tab", "f1", "ctrl+q", "escape", "a")
    ]
    stolen = 0

    def __init__(self) -> None:
        super().__init__()
        self.said: list[Message] = []

    @override
    def compose(self) -> ComposeResult:
        with Horizontal():
            yield TerminalPane(id="shell", scrollback=100)
            field = Field()
            field.styles.width = 10
            yield field

    def action_steal(self) -> None:
        self.stolen += 1

    def on_terminal_pane_resized(self, event: TerminalPane.Resized) -> None:
        event.pane.replay_resize(event.rows, event.columns)

    def keep(self, message: Message) -> None:
        self.said.append(message)

    on_terminal_pane_input = keep
    on_terminal_pane_title_changed = keep
    on_terminal_pane_bell = keep
    on_terminal_pane_activity = keep
    on_terminal_pane_clipboard_write = keep
    on_terminal_pane_copied = keep
    on_terminal_pane_prefix_pressed = keep

    @property
    def typed(self) -> bytes:
        return b"".join(m.data for m in self.said if isinstance(m, TerminalPane.Input))


class Bench:
    """An application that runs, and its pane with the focus."""

    def __init__(self, app: PaneTest, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.pane = app.query_one(TerminalPane)

    async def offer(self, data: bytes) -> None:
        await self.pane.offer(data)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the application go on until ``condition`` holds."""
        async with asyncio.timeout(20):
            while not condition():
                await self.pilot.pause(0.01)

    def lines(self) -> list[str]:
        width, height = self.pane.size
        region = self.pane.region
        strips = self.app.screen._compositor.render_strips()
        rows = strips[region.y : region.y + height]
        return [row.crop(region.x, region.x + width).text.rstrip() for row in rows]


@pytest.fixture
async def bench() -> object:
    app = PaneTest()
    async with app.run_test(size=(50, 10)) as pilot:
        app.query_one(TerminalPane).focus()
        await pilot.pause()
        yield Bench(app, pilot)


async def test_the_session_gets_the_size_of_the_pane(bench: Bench) -> None:
    assert bench.pane.window == (10, 40)
    assert (bench.pane.terminal.rows, bench.pane.terminal.columns) == (10, 40)


async def test_output_is_on_the_screen_soon_after_offer_returns(bench: Bench) -> None:
    await bench.pane.offer(b"hello\r\n\x1b[31mred\x1b[m")
    await bench.until(lambda: bench.lines()[:2] == ["hello", "red"])


async def test_every_key_goes_to_the_shell(bench: Bench) -> None:
    await bench.pilot.press("a", "tab", "f1", "ctrl+q", "ctrl+c", "ctrl+p", "escape", "enter")
    assert bench.app.typed == b"a\t\x1bOP\x11\x03\x10\x1b\r"
    assert bench.app.stolen == 0


async def test_raw_bytes_are_sent_as_they_came(bench: Bench) -> None:
    for raw in (b"\x1b.", b"\x1b\x7f", b"\x1b[1;5D", b"\xff"):
        bench.pane.post_message(RawKey("unknown", None, raw))
    await bench.pilot.pause()
    assert bench.app.typed == b"\x1b.\x1b\x7f\x1b[1;5D\xff"


async def test_arrows_follow_the_mode_of_the_program_not_of_the_keyboard(bench: Bench) -> None:
    await bench.offer(b"\x1b[?1h")
    bench.pane.post_message(RawKey("up", None, b"\x1b[A"))
    bench.pane.post_message(RawKey("home", None, b"\x1b[1~"))
    await bench.pilot.pause()
    assert bench.app.typed == b"\x1bOA\x1bOH"


async def test_keys_in_kitty_form_become_what_the_program_understands(bench: Bench) -> None:
    bench.pane.post_message(RawKey("ctrl+a", None, b"\x1b[97;5u"))
    bench.pane.post_message(RawKey("alt+full_stop", None, b"\x1b[46;3u"))
    bench.pane.post_message(RawKey("escape", None, b"\x1b[27u"))
    bench.pane.post_message(RawKey("x", "x", b"\x1b[120;;120u"))
    bench.pane.post_message(RawKey("left_shift", None, b"\x1b[57441;2u"))
    await bench.pilot.pause()
    assert bench.app.typed == b"\x01\x1b.\x1bx"


@pytest.mark.parametrize(
    "key",
    [
        RawKey("ctrl+right_square_bracket", "\x1d", b"\x1d"),
        RawKey("ctrl+5", None, b"\x1b[53;5u"),
    ],
)
async def test_the_prefix_is_not_sent(bench: Bench, key: RawKey) -> None:
    bench.pane.post_message(key)
    await bench.pilot.pause()
    assert [type(message) for message in bench.app.said] == [TerminalPane.PrefixPressed]


async def test_a_paste_is_marked_if_asked_and_cannot_end_itself(bench: Bench) -> None:
    bench.pane.post_message(events.Paste("a\nb"))
    await bench.pilot.pause()
    assert bench.app.typed == b"a\rb"
    await bench.offer(b"\x1b[?2004h")
    bench.pane.post_message(events.Paste("x\x1b[201~rm"))
    await bench.pilot.pause()
    assert bench.app.typed == b"a\rb\x1b[200~xrm\x1b[201~"


async def test_only_the_controller_answers_queries(bench: Bench) -> None:
    await bench.offer(b"\x1b[6n")
    assert bench.app.typed == b""
    bench.pane.set_answering(True)
    await bench.offer(b"\x1b[3;5H\x1b[6n")
    assert bench.app.typed == b"\x1b[3;5R"


async def test_focus_is_reported_to_programs_that_ask(bench: Bench) -> None:
    await bench.offer(b"\x1b[?1004h")
    bench.app.query_one(Field).focus()
    await bench.pilot.pause()
    bench.pane.focus()
    await bench.pilot.pause()
    assert bench.app.typed == b"\x1b[O\x1b[I"


async def test_title_bell_and_clipboard_are_told(bench: Bench) -> None:
    await bench.offer(b"\x1b]2;vim\x07\x07\x1b]52;c;aGk=\x07")
    title, bell, clipboard = (
        next(m for m in bench.app.said if isinstance(m, kind))
        for kind in (TerminalPane.TitleChanged, TerminalPane.Bell, TerminalPane.ClipboardWrite)
    )
    assert isinstance(title, TerminalPane.TitleChanged)
    assert title.title == "vim"
    assert isinstance(clipboard, TerminalPane.ClipboardWrite)
    assert clipboard.text == "hi"
    assert isinstance(bell, TerminalPane.Bell)
    assert bell.control is bench.pane


async def test_a_hidden_pane_parses_draws_nothing_and_catches_up(bench: Bench) -> None:
    bench.pane.display = False
    await bench.pilot.pause()
    drawn = 0

    def count(y: int) -> None:
        nonlocal drawn
        drawn += 1

    bench.pane.view.draw, real = count, bench.pane.view.draw  # type: ignore[assignment,method-assign]
    await bench.offer(b"in the dark\r\n")
    await bench.offer(b"twice")
    assert drawn == 0
    told = [m for m in bench.app.said if isinstance(m, TerminalPane.Activity)]
    assert len(told) == 1
    bench.pane.view.draw = real  # type: ignore[method-assign]
    bench.pane.display = True
    await bench.pilot.pause()
    await bench.until(lambda: bench.lines()[:2] == ["in the dark", "twice"])


async def test_a_checkpoint_gives_the_screen_back(bench: Bench) -> None:
    await bench.offer(b"\x1b]2;mine\x07one\r\n\x1b[1mtwo")
    checkpoint = bench.pane.checkpoint()
    bench.pane.restore(b"", 10, 40)
    await bench.pilot.pause()
    await bench.until(lambda: bench.lines()[0] == "")
    bench.pane.restore(checkpoint, 10, 40)
    await bench.pilot.pause()
    await bench.until(lambda: bench.lines()[:2] == ["one", "two"])
    await bench.offer(b"!")
    await bench.until(lambda: bench.lines()[1] == "two!")


async def test_a_damaged_checkpoint_starts_an_empty_screen(bench: Bench) -> None:
    bench.pane.restore(b"not a checkpoint", 7, 30)
    assert (bench.pane.terminal.rows, bench.pane.terminal.columns) == (10, 40) or (
        bench.pane.terminal.rows,
        bench.pane.terminal.columns,
    ) == (7, 30)
    await bench.offer(b"alive")
    await bench.until(lambda: bench.lines()[0] == "alive")


async def test_a_synchronized_frame_is_shown_when_it_is_complete(bench: Bench) -> None:
    await bench.offer(b"old")
    seen: list[str] = []
    draw = bench.pane.view.draw

    def keep(y: int) -> Strip:
        strip = draw(y)
        if y == 0:
            seen.append(strip.text.rstrip())
        return strip

    bench.pane.view.draw = keep  # type: ignore[method-assign]
    await bench.pane.offer(b"\x1b[?2026h\x1b[2J\x1b[Hhalf of ")
    await bench.pane.offer(b"a frame\x1b[?2026l")
    async with asyncio.timeout(5):
        while not seen:
            await asyncio.sleep(0.005)
    assert set(seen) == {"half of a frame"}


async def test_output_before_the_first_layout_is_not_lost() -> None:
    app = PaneTest()
    async with app.run_test(size=(50, 10)) as pilot:
        late = TerminalPane()
        late.display = False
        await app.mount(late)
        late.restore(b"", 5, 20)
        await late.offer(b"early")
        app.query_one("#shell").display = False
        late.display = True
        await pilot.pause()
        width = late.region.width
        row = app.screen._compositor.render_strips()[late.region.y]
        assert row.crop(late.region.x, late.region.x + width).text.rstrip() == "early"


async def test_the_end_of_the_session_is_said_below_its_output(bench: Bench) -> None:
    await bench.offer(b"logout\r\n")
    bench.pane.show_exit(3)
    await bench.pilot.pause()
    await bench.until(lambda: bench.lines()[1].startswith("[exited with 3 ·"))
    assert bench.pane.exit_code == 3


async def test_shift_page_up_looks_back_and_typing_returns(bench: Bench) -> None:
    await bench.offer(b"".join(b"%d\r\n" % n for n in range(50)))
    await bench.pilot.press("shift+pageup")
    await bench.pilot.pause()
    await bench.until(lambda: bench.lines()[1] == "33")
    await bench.until(lambda: bench.lines()[0].endswith("9/41"))
    assert bench.app.typed == b""
    await bench.pilot.press("x")
    await bench.pilot.pause()
    await bench.until(lambda: bench.lines()[0] == "41")
    assert bench.app.typed == b"x"


async def test_the_wheel_looks_back_unless_the_program_has_the_mouse(bench: Bench) -> None:
    await bench.offer(b"".join(b"%d\r\n" % n for n in range(50)))
    await bench.pilot._post_mouse_events([events.MouseScrollUp], bench.pane, offset=(1, 1))
    assert bench.pane.view.back == 3
    await bench.pilot._post_mouse_events([events.MouseScrollDown], bench.pane, offset=(1, 1))
    await bench.offer(b"\x1b[?1000;1006h")
    await bench.pilot._post_mouse_events([events.MouseScrollUp], bench.pane, offset=(1, 1))
    assert bench.pane.view.back == 0
    assert bench.app.typed == b"\x1b[<64;2;2M"


async def test_the_wheel_sends_arrows_on_the_alternate_screen(bench: Bench) -> None:
    await bench.offer(b"\x1b[?1049h\x1b[?1007h")
    await bench.pilot._post_mouse_events([events.MouseScrollDown], bench.pane, offset=(1, 1))
    assert bench.app.typed == b"\x1b[B\x1b[B\x1b[B"


async def test_clicks_are_reported_to_a_program_that_asked(bench: Bench) -> None:
    await bench.offer(b"\x1b[?1000;1006h")
    await bench.pilot.mouse_down(bench.pane, offset=(3, 2))
    await bench.pilot.mouse_up(bench.pane, offset=(3, 2))
    assert bench.app.typed == b"\x1b[<0;4;3M\x1b[<0;4;3m"


async def test_a_drag_copies_text_of_this_pane_only(bench: Bench) -> None:
    await bench.offer(b"first line\r\nsecond line")
    await bench.pilot.mouse_down(bench.pane, offset=(6, 0))
    await bench.pilot.hover(bench.pane, offset=(5, 1))
    await bench.pilot.mouse_up(bench.pane, offset=(5, 1))
    copied = [m for m in bench.app.said if isinstance(m, TerminalPane.Copied)]
    assert [m.text for m in copied] == ["line\nsecond"]
    assert bench.app.typed == b""


async def test_a_click_selects_nothing_and_keeps_the_clipboard(bench: Bench) -> None:
    await bench.offer(b"text")
    await bench.pilot.click(bench.pane, offset=(1, 0))
    assert bench.pane.view.selection is None
    assert not [m for m in bench.app.said if isinstance(m, TerminalPane.Copied)]


async def test_the_outer_cursor_follows_the_shell(bench: Bench) -> None:
    await bench.offer(b"\x1b[3;7H")
    assert bench.app.cursor_position == (6, 2)


async def test_a_border_around_the_pane_leaves_the_inside_right(bench: Bench) -> None:
    bench.pane.styles.border = ("round", "red")
    await bench.pilot.pause()
    async with asyncio.timeout(5):
        while bench.pane.terminal.rows != 8:
            await asyncio.sleep(0.01)
    await bench.offer(b"inside")
    assert (bench.pane.terminal.rows, bench.pane.terminal.columns) == (8, 38)
    await bench.until(lambda: bench.lines()[1].startswith("│inside"))
    assert bench.app.cursor_position == (7, 1)


async def test_a_burst_of_sizes_is_told_once_it_rests(bench: Bench) -> None:
    for width in (60, 70, 80):
        await bench.pilot.resize_terminal(width, 10)
    async with asyncio.timeout(5):
        while bench.pane.terminal.columns != 70:
            await asyncio.sleep(0.01)
    assert bench.pane.window == (10, 70)


async def test_reverse_video_exchanges_the_screen_and_back(bench: Bench) -> None:
    normal = bench.pane.view.palette.base
    await bench.offer(b"\x1b[?5h")
    await bench.until(lambda: bench.pane.view.palette.base.bgcolor == normal.color)
    await bench.offer(b"\x1b[?5l")
    await bench.until(lambda: bench.pane.view.palette.base == normal)


async def test_a_change_of_theme_changes_the_colours(bench: Bench) -> None:
    before = bench.pane.view.palette.base
    bench.app.theme = "textual-light"
    await bench.pilot.pause()
    assert bench.pane.view.palette.base != before
