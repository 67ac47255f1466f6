"""What is asked for in one line: a filter, a command, something to search for in a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.screen import Screen

from core.errors import DeckError, InvalidInput
from core.terminal.search import compile_pattern
from tui.screens.error import ErrorDialog
from widgets.prompt_line import PromptLine
from widgets.state_line import StateLine
from widgets.terminal.pane import TerminalPane

if TYPE_CHECKING:
    import re

    from tui.panes import Panes
    from tui.shells import ShellDeck
    from widgets.prompt_line import Purpose


class PromptScreen(Screen[None], inherit_bindings=False):
    """A screen with panes, whose prompt takes the place of its state line."""

    panes: Panes

    @property
    def shells(self) -> ShellDeck:
        """The shell tabs."""
        return self.panes.shells

    def give_keys_back(self) -> None:
        """Let who had the keys before the prompt have them again."""
        raise NotImplementedError

    async def carry_out(self, line: str) -> None:
        """Do what a command says. Raises: DeckError."""
        raise NotImplementedError

    def action_filter(self) -> None:
        """Filter the active list while typing."""
        if (rows := self.panes.active_list) is not None:
            self._prompt("filter", rows.filter_text)

    def action_clear(self) -> None:
        """Clear the filter."""
        self._filter("")

    def action_command(self) -> None:
        """Ask for a command."""
        self._prompt("command")

    def action_look_back(self, command: str = "") -> None:
        """Begin copy mode in the shell in front, with a command of it."""
        if tab := self.shells.tab:
            tab.pane.copying.begin()
            if command:
                tab.pane.copying.carry_out(command)

    def action_paste(self) -> None:
        """Type what was copied last into the shell in front."""
        if tab := self.shells.tab:
            tab.pane.paste(self.app.clipboard)

    @on(TerminalPane.SearchWanted)
    def _search_wanted(self) -> None:
        self._prompt("search")

    def _prompt(self, purpose: Purpose, text: str = "") -> None:
        self.query_one(StateLine).display = False
        self.query_one(PromptLine).open(purpose, text)

    def _prompted(self) -> None:
        self.query_one(StateLine).display = True
        self.give_keys_back()

    def _filter(self, text: str) -> None:
        if (rows := self.panes.active_list) is not None:
            rows.filter_text = text
            self.panes.titles()

    def _look_for(self, text: str, *, regex: bool, done: bool) -> None:
        pattern: re.Pattern[str] | None = None
        try:
            pattern = compile_pattern(text, regex=regex) if text else None
        except InvalidInput as error:
            # While it is being typed an expression is rarely whole.
            if done:
                self.app.notify(error.message, severity="warning", markup=False)
        if tab := self.shells.tab:
            tab.pane.copying.look_for(pattern, done=done)

    @on(PromptLine.Changed)
    def _prompt_changed(self, event: PromptLine.Changed) -> None:
        if event.purpose == "filter":
            self._filter(event.text)
        elif event.purpose == "search":
            self._look_for(event.text, regex=event.regex, done=False)

    @on(PromptLine.Cancelled)
    def _prompt_cancelled(self, event: PromptLine.Cancelled) -> None:
        if event.purpose == "filter":
            self._filter("")
        elif event.purpose == "search":
            self._look_for("", regex=False, done=True)
        self._prompted()

    @on(PromptLine.Entered)
    async def _prompt_entered(self, event: PromptLine.Entered) -> None:
        self._prompted()
        if event.purpose == "search":
            self._look_for(event.text, regex=event.regex, done=True)
        elif event.purpose == "command":
            try:
                await self.carry_out(event.text)
            except DeckError as error:
                self.app.push_screen(ErrorDialog("Not a command", error))
