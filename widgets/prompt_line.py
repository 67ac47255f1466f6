"""One line to type into: the filter of a list, or a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from widgets.field import Field

if TYPE_CHECKING:
    from textual.app import ComposeResult


class PromptLine(Horizontal, inherit_bindings=False):
    """Opens with a sigil (``/`` or ``:``), closes with Enter or Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", show=False)]
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

        sigil: str
        text: str

    @dataclass
    class Entered(Message):
        """Enter was pressed."""

        sigil: str
        text: str

    @dataclass
    class Cancelled(Message):
        """Esc was pressed."""

        sigil: str

    WORDS: ClassVar[dict[str, str]] = {"/": "FILTER", ":": "COMMAND"}
    """What the line says of itself: who gets the keys."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._sigil = ""

    def compose(self) -> ComposeResult:
        """The sigil and the text."""
        yield Label("", markup=False)
        yield Field()

    def open(self, sigil: str, text: str = "") -> None:
        """Ask for a line, with ``text`` there already."""
        self._sigil = sigil
        self.query_one(Label).update(f"{self.WORDS.get(sigil, '')} {sigil}")
        field = self.query_one(Field)
        with field.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        self.display = True
        field.focus()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display:
            self.post_message(self.Changed(self._sigil, event.value))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.display = False
        self.post_message(self.Entered(self._sigil, event.value))

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.display = False
        self.post_message(self.Cancelled(self._sigil))
