"""One line to type into: the filter of a list, a command, or what to search for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from widgets.field import Field

if TYPE_CHECKING:
    from textual.app import ComposeResult


Purpose = Literal["filter", "command", "search"]


class PromptLine(Horizontal, inherit_bindings=False):
    """Opens for a purpose, which it names, and closes with Enter or Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("ctrl+r", "toggle_regex", "Text or regular expression", show=False),
    ]
    DEFAULT_CSS = """
    PromptLine {
        height: 1;
        display: none;
        background: $panel;
        & Label {
            width: auto;
            padding: 0 1;
            background: $primary;
            color: $background;
            text-style: bold;
        }
        & Input { width: 1fr; background: $panel; }
    }
    """

    @dataclass
    class Changed(Message):
        """The text is another."""

        purpose: Purpose
        text: str
        regex: bool = False
        """Of a search: the text is a regular expression."""

    @dataclass
    class Entered(Message):
        """Enter was pressed."""

        purpose: Purpose
        text: str
        regex: bool = False
        """Of a search: the text is a regular expression."""

    @dataclass
    class Cancelled(Message):
        """Esc was pressed."""

        purpose: Purpose

    WORDS: ClassVar[dict[Purpose, str]] = {
        "filter": "FILTER /",
        "command": "COMMAND :",
        "search": "SEARCH text (^R regex) /",
    }
    """What the line says of itself: who gets the keys."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._purpose: Purpose = "filter"
        self._regex = False

    def compose(self) -> ComposeResult:
        """What for, and the text."""
        yield Label("", markup=False)
        yield Field()

    def open(self, purpose: Purpose, text: str = "") -> None:
        """Ask for a line, with ``text`` there already."""
        self._purpose = purpose
        self._say_what_for()
        field = self.query_one(Field)
        with field.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        self.display = True
        field.focus()

    def _say_what_for(self) -> None:
        word = self.WORDS[self._purpose]
        if self._purpose == "search" and self._regex:
            word = "SEARCH regex (^R text) /"
        self.query_one(Label).update(word)

    def action_toggle_regex(self) -> None:
        """Search for a text, or for a regular expression; it stays so for the next search."""
        if self._purpose == "search":
            self._regex = not self._regex
            self._say_what_for()
            self._tell(self.query_one(Field).value)

    def _tell(self, text: str) -> None:
        self.post_message(self.Changed(self._purpose, text, self._regex))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display:
            self._tell(event.value)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.display = False
        self.post_message(self.Entered(self._purpose, event.value, self._regex))

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.display = False
        self.post_message(self.Cancelled(self._purpose))
