"""The console's application: opens the engine, shows the main screen, says goodbye."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on, work
from typing_extensions import override

from core.errors import DeckError, deck_error
from core.paths import find_paths
from tui.bridge import Bridge
from tui.browser import open_address
from tui.clipboard import Clipboard
from tui.driver import DeckDriver
from tui.safe_text import SafeText
from tui.screens.deck import DeckScreen
from tui.screens.error import ErrorDialog
from tui.themes import DEFAULT, THEMES
from tui.type_ahead import TypeAhead
from widgets.terminal.pane import TerminalPane

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from textual.driver import Driver

    from core.engine import Engine

    OpenEngine = Callable[[], AbstractAsyncContextManager[Engine]]

PAUSES = (0.1, 0.5, 2.0)
"""Seconds before each try to get the engine back; the failure after the last one is told."""
STEADY = 5.0
"""Seconds after which a connection that is lost was a good one."""


class DeckApp(TypeAhead[int], inherit_bindings=False):
    """The console. Its result is how many shells keep running.

    None of Textual's own keys is inherited: in a shell ctrl+q and ctrl+c are the shell's.
    """

    TITLE = "distrodeck"
    CSS_PATH = Path(__file__).with_name("deck.tcss")
    ENABLE_COMMAND_PALETTE = False
    ESCAPE_TO_MINIMIZE = False
    AUTO_FOCUS = ""

    def __init__(
        self,
        open_engine: OpenEngine,
        *,
        driver_class: type[Driver] | None = None,
        clock: Callable[[], float] = time.time,
        state: Path | None = None,
    ) -> None:
        super().__init__(driver_class=driver_class)
        folder = state or find_paths().state
        self._copies = Clipboard(self._write_out, os.environ, folder)
        self._filters.append(SafeText())
        self._open_engine = open_engine
        self.bridge = Bridge()
        self.failure: DeckError | None = None
        """Why there was no engine, if the person left for that reason."""
        self.deck = DeckScreen(self.bridge, clock=clock)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DEFAULT

    def get_default_screen(self) -> DeckScreen:
        """The main screen is always at the bottom of the stack."""
        return self.deck

    def on_mount(self) -> None:
        """Connect; the screen is there meanwhile."""
        self._serve()

    @work(group="engine")
    async def _serve(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            try:
                async with self._open_engine() as engine:
                    await self.bridge.follow(engine, self.deck.panes)
            except (DeckError, ExceptionGroup) as caught:
                error = deck_error(caught)
                if error is None:
                    raise
                # Shells go on without an engine, so whoever types in one is not disturbed.
                failures = 0 if time.monotonic() - began > STEADY else failures
                again = self.bridge.connected_before and failures < len(PAUSES)
                self.deck.disconnected("no engine, reconnecting …" if again else "no engine")
                if again:
                    await asyncio.sleep(PAUSES[failures])
                    failures += 1
                    continue
                failures = 0
                dialog = ErrorDialog("No engine", error, again=True)
                if await self.push_screen_wait(dialog) != "again":
                    self.failure = error
                    self.exit(len(self.bridge.live_sessions), return_code=error.exit_code)
                    return

    async def on_event(self, event: events.Event) -> None:
        """Give the stroke after the prefix to the main screen, everything else its way.

        Here and not in a widget: keys typed faster than messages travel must not reach the
        shell, and the pane must not lose the focus (programs see that).
        """
        if (
            isinstance(event, events.Key)
            and not event.is_forwarded
            and self.screen is self.deck
            and self.deck.prefix_pending
        ):
            await self.deck.take_prefixed(event.key)
            return
        await super().on_event(event)

    def _write_out(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)

    @override
    def copy_to_clipboard(self, text: str) -> None:
        self._clipboard = text
        self._copies.put(text)

    @on(TerminalPane.Copied)
    def _copied(self, event: TerminalPane.Copied) -> None:
        self._clipboard = event.text
        self.notify(self._copies.put(event.text), markup=False)

    @on(TerminalPane.Notice)
    def _noticed(self, event: TerminalPane.Notice) -> None:
        self.notify(event.text, markup=False)

    @on(TerminalPane.LinkWanted)
    @work(group="links")
    async def _open(self, event: TerminalPane.LinkWanted) -> None:
        if await open_address(event.address, os.environ):
            self.notify(f"opened {event.address}", markup=False)
        else:
            self._clipboard = event.address
            told = self._copies.put(event.address)
            self.notify(f"no browser here for {event.address}: {told}", markup=False)

    async def action_leave(self) -> None:
        """Leave; every shell lives on."""
        await self.deck.detach()
        self.exit(len(self.bridge.live_sessions))


def run_console(
    open_engine: OpenEngine,
    *,
    driver_class: type[Driver] = DeckDriver,
    clock: Callable[[], float] = time.time,
    state: Path | None = None,
) -> int:
    """Show the console until the person leaves it; the exit code of the process."""
    app = DeckApp(open_engine, driver_class=driver_class, clock=clock, state=state)
    shells = app.run()
    if app.failure:
        print(f"distrodeck: {app.failure}", file=sys.stderr)  # noqa: T201
    if shells:
        verb = "shell keeps" if shells == 1 else "shells keep"
        print(f"{shells} {verb} running; distrodeck brings them back", file=sys.stderr)  # noqa: T201
    return app.return_code or 0
