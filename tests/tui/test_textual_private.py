"""The canary: every symbol of Textual without a promise that tui and widgets rely on."""

from __future__ import annotations

import inspect

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._parser import Parser
from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.messages import ExitApp


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
