"""The console's driver: Textual's Linux driver with byte-exact keys and a prompt Esc.

Replaces the input loop of ``textual.drivers.linux_driver.LinuxDriver`` (Textual 8.2), which
looks for an expired Esc only every 0.1 s. Install it with ``App(driver_class=DeckDriver)``.
"""

from __future__ import annotations

import os
import selectors
import sys
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING

from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key
from textual.messages import ExitApp
from typing_extensions import override

from tui.input_parser import InputParser
from widgets.terminal.turns import hush

if TYPE_CHECKING:
    from collections.abc import Mapping

POLL = 0.1
"""Seconds between two looks at ``exit_event``; input itself wakes the loop at once."""

SWITCH_INTERVAL = 0.001
"""Seconds a thread may keep the interpreter from another one; Python's own value is 0.005."""

READ_SIZE = 64 * 1024


def escape_wait(environ: Mapping[str, str]) -> float:
    """Seconds a trailing Esc may wait for the rest of a sequence: longer over SSH."""
    return 0.05 if environ.get("SSH_CONNECTION") else 0.02


class DeckDriver(LinuxDriver):
    """Reads the keyboard; ends the application when the terminal has gone away."""

    @override
    def run_input_thread(self) -> None:
        """Read, parse and post events until :attr:`exit_event` is set."""
        # Parsing a flood of output holds the interpreter; a key waits for it twice.
        sys.setswitchinterval(SWITCH_INTERVAL)
        parser = InputParser(escape_wait(os.environ), self._debug)
        decode = getincrementaldecoder("utf-8")("surrogateescape").decode
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                wait = parser.wait
                if selector.select(POLL if wait is None else min(POLL, wait)):
                    data = self._read()
                    if not data:
                        self.send_message(ExitApp())
                        return
                    messages = list(parser.feed(text)) if (text := decode(data)) else []
                else:
                    messages = list(parser.tick())
                if any(isinstance(message, Key) for message in messages):
                    self._loop.call_soon_threadsafe(hush)
                for message in messages:
                    self.process_message(message)

    def _read(self) -> bytes:
        """What the terminal sent; empty when it has hung up."""
        try:
            return os.read(self.fileno, READ_SIZE)
        except OSError:
            return b""
