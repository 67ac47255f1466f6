"""The canary: every symbol of Textual without a promise that tui and widgets rely on."""

from __future__ import annotations

import inspect

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._ansi_theme import ALABASTER, MONOKAI
from textual._parser import Parser
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.messages import ExitApp
from textual.screen import Screen
from textual.widget import Widget


def test_textual_still_has_the_private_parts_in_use() -> None:
    parser = XTermParser()
    assert list(parser.feed("\x1b[")) == []
    assert isinstance(parser._timeout_time, float)  # InputParser sets it to 0 to end a sequence
    assert "_timeout_time" in inspect.getsource(Parser.tick)
    assert next(iter(parser._sequence_to_key_events("\x1b[1;2R"))).key == "shift+f3"
    assert isinstance(ANSI_SEQUENCES_KEYS["\x1b\x7f"], tuple)
    assert isinstance(ANSI_SEQUENCES_KEYS["\x1b1"], str)
    assert list(inspect.signature(XTermParser.__init__).parameters) == ["self", "debug"]


def test_the_driver_still_calls_what_deck_driver_replaces() -> None:
    assert "self.run_input_thread()" in inspect.getsource(LinuxDriver._run_input_thread)
    source = inspect.getsource(LinuxDriver.__init__)
    assert "self.fileno" in source
    assert "self.exit_event" in source
    assert callable(Driver.send_message)
    assert callable(LinuxDriver.process_message)
    assert issubclass(ExitApp, Message)
    assert "self._loop" in inspect.getsource(Driver.__init__)


def test_a_pane_can_still_paint_without_waiting_for_the_screen_timer() -> None:
    app = App[None]()
    assert app._batch_count == 0
    assert app.ansi_theme_dark is MONOKAI  # the pane takes these for "no theme of its own"
    assert app.ansi_theme_light is ALABASTER
    assert Widget()._repaint_required is False
    screen = Screen[None]()
    assert screen._dirty_widgets == set()
    source = inspect.getsource(Screen._on_timer_update)
    for part in ("_update_timer.pause()", "is_current", "_dirty_widgets", "_compositor_refresh()"):
        assert part in source
