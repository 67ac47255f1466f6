"""All that is known of one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from typing_extensions import override

from tui.screens.dialog import CLOSE, Dialog
from widgets.inspector import Fact, Inspector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from widgets.state_line import Hint


class InspectDialog(Dialog[None]):
    """Names and values, wrapped, never cut."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i,q,enter", "close", "Close", show=False),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, title: str, facts: Sequence[Fact]) -> None:
        super().__init__(title, classes="-wide")
        self._facts = facts

    @override
    def body(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Inspector(wrap=True)

    @override
    def hints(self) -> Sequence[Hint]:
        return (CLOSE,)

    def on_mount(self) -> None:
        """Show the facts."""
        super().on_mount()
        self.query_one(Inspector).show(self._facts)

    def action_scroll(self, lines: int) -> None:
        """Scroll."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
