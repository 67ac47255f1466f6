"""What all dialogs share: a frame with a title, a row of keys, Esc closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from widgets.part_line import PartLine
from widgets.state_line import Hint, KeyRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

Answer = TypeVar("Answer")

CLOSE = Hint("Esc", "close", "close")


class Dialog(ModalScreen[Answer | None], Generic[Answer], inherit_bindings=False):
    """A dialog that gives an answer, or None when it was closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False),
        Binding("tab", "app.focus_next", "Next field", show=False),
        Binding("shift+tab", "app.focus_previous", "Previous field", show=False),
    ]

    AUTO_FOCUS = "Input"
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (16, "-roomy")]  # noqa: RUF012

    def __init__(self, title: str, *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self._title = title

    def body(self) -> ComposeResult:
        """What stands in the frame."""
        raise NotImplementedError

    def hints(self) -> Sequence[Hint]:
        """The keys along the lower edge."""
        return (CLOSE,)

    def compose(self) -> ComposeResult:
        """The frame."""
        with Vertical(classes="dialog") as frame:
            frame.border_title = Content(self._title)
            yield from self.body()
            yield KeyRow()

    def on_mount(self) -> None:
        """Show the keys."""
        self.query_one(KeyRow).update(self.hints())

    @on(PartLine.Pressed)
    async def _pressed(self, event: PartLine.Pressed) -> None:
        event.stop()
        await self.run_action(event.action)

    def action_close(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
