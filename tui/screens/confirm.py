"""Questions before something is lost: Enter for little, the name typed out for much."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Label, Static
from typing_extensions import override

from tui.screens.dialog import Dialog
from widgets.field import Field
from widgets.state_line import Hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult


class ConfirmDialog(Dialog[Literal["yes"]]):
    """Says what will happen; with ``word``, that must be typed before Enter counts."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "yes", "Yes", show=False)]

    def __init__(
        self, title: str, facts: Sequence[tuple[str, str]], *, verb: str, word: str = ""
    ) -> None:
        super().__init__(title, classes="-warning" if word else "")
        self._facts = facts
        self._verb = verb
        self._word = word

    @override
    def body(self) -> ComposeResult:
        width = max((len(name) for name, _ in self._facts), default=0) + 2
        parts: list[tuple[str, str]] = []
        for number, (name, text) in enumerate(self._facts):
            end = "\n" if number + 1 < len(self._facts) else ""
            parts += [(f"{name:<{width}}", "$foreground-muted"), (f"{text}{end}", "")]
        yield Static(Content.assemble(*parts), markup=False)
        if self._word:
            ask = Content.assemble(("Type ", ""), (self._word, "bold"), (" to go on:", ""))
            yield Label(ask, markup=False, classes="ask")
            yield Field(id="word")

    @override
    def hints(self) -> Sequence[Hint]:
        return (Hint("Enter", self._verb, "yes"), Hint("Esc", "cancel", "close"))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_yes()

    def action_yes(self) -> None:
        """Answer yes, if the word is there."""
        if self._word and self.query_one(Field).value.strip() != self._word:
            self.query_one(".ask").add_class("-wrong")
            return
        self.dismiss("yes")
