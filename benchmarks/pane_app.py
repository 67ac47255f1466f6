"""Shells on local PTYs in terminal panes, without an engine: for looking and for measuring.

``python -m benchmarks.pane_app [COMMAND …] [-- COMMAND …]`` runs each command (default: bash)
in a pane of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
from typing import TYPE_CHECKING

from textual.app import App

from tui.driver import DeckDriver
from widgets.terminal.pane import TerminalPane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult


class LocalPty:
    """A command on a PTY of this machine."""

    def __init__(self, argv: Sequence[str], rows: int, columns: int) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execvpe(argv[0], list(argv), environ)
        os.set_blocking(self.fd, False)
        self.resize(rows, columns)

    def resize(self, rows: int, columns: int) -> None:
        """Set the size of the PTY."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def read(self) -> bytes:
        """What the command wrote, up to 64 KiB; empty when it ended."""
        loop = asyncio.get_running_loop()
        data = b""
        while len(data) < 65536:
            try:
                piece = os.read(self.fd, 65536)
            except BlockingIOError:
                if data:
                    return data
                readable = loop.create_future()
                loop.add_reader(self.fd, _wake, readable)
                try:
                    await readable
                finally:
                    loop.remove_reader(self.fd)
                continue
            except OSError:
                return data
            data += piece
        return data

    def write(self, data: bytes) -> None:
        """Input for the command; what does not fit into the PTY's buffer is dropped."""
        try:
            os.write(self.fd, data)
        except BlockingIOError:
            sys.stderr.write("input dropped\n")

    def end(self) -> int:
        """Hang up and reap; the exit code."""
        os.close(self.fd)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class PaneApp(App[None], inherit_bindings=False):
    """Each command in a pane; the first one has the keys. The prefix ends the application."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { layout: vertical; }"

    def __init__(self, commands: Sequence[Sequence[str]]) -> None:
        super().__init__(driver_class=DeckDriver)
        self._commands = commands
        self._ptys: dict[TerminalPane, LocalPty] = {}

    def compose(self) -> ComposeResult:
        """One pane a command."""
        for _ in self._commands:
            yield TerminalPane()

    def on_mount(self) -> None:
        """Start the commands."""
        panes = list(self.query(TerminalPane))
        for pane, command in zip(panes, self._commands, strict=True):
            self._ptys[pane] = LocalPty(command, 24, 80)
            self.run_worker(self._show(pane))
        panes[0].focus()

    async def _show(self, pane: TerminalPane) -> None:
        process = self._ptys[pane]
        pane.set_answering(True)
        while data := await process.read():
            await pane.offer(data)
        pane.show_exit(process.end())
        del self._ptys[pane]

    def on_unmount(self) -> None:
        """End what still runs."""
        for process in self._ptys.values():
            process.end()

    def on_terminal_pane_input(self, event: TerminalPane.Input) -> None:
        """Type."""
        if process := self._ptys.get(event.pane):
            process.write(event.data)

    def on_terminal_pane_resized(self, event: TerminalPane.Resized) -> None:
        """Resize the PTY, then the emulator, as a session's log would."""
        if process := self._ptys.get(event.pane):
            process.resize(event.rows, event.columns)
            event.pane.replay_resize(event.rows, event.columns)

    def on_terminal_pane_prefix_pressed(self) -> None:
        """Leave."""
        self.exit()


def _commands(words: Sequence[str]) -> list[list[str]]:
    commands: list[list[str]] = [[]]
    for word in words:
        if word == "--":
            commands.append([])
        else:
            commands[-1].append(word)
    return [command or ["bash"] for command in commands]


if __name__ == "__main__":
    PaneApp(_commands(sys.argv[1:])).run()
