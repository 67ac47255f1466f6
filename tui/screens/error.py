"""What did not work, why, what was kept, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static
from typing_extensions import override

from tui.screens.dialog import CLOSE, Dialog
from widgets.state_line import Hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from core.errors import DeckError


class ErrorDialog(Dialog[Literal["again"]]):
    """An error a person can act on; the answer ``again`` asks for another try."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "again", "Try again", show=False),
        Binding("y", "copy", "Copy", show=False),
        Binding("enter", "close", "Close", show=False),
    ]

    def __init__(self, title: str, error: DeckError, *, again: bool = False) -> None:
        super().__init__(title, classes="-error")
        self._error = error
        self._again = again

    @override
    def body(self) -> ComposeResult:
        yield Static(_content(self._error), markup=False)

    @override
    def hints(self) -> Sequence[Hint]:
        again = (Hint("a", "try again", "again"),) if self._again else ()
        return (*again, Hint("y", "copy", "copy"), CLOSE)

    def action_again(self) -> None:
        """Ask for another try."""
        if self._again:
            self.dismiss("again")

    def action_copy(self) -> None:
        """Copy a report to the clipboard."""
        self.app.copy_to_clipboard(f"{self._title}\n{_content(self._error).plain}\n")
        self.notify("copied", timeout=2, markup=False)


def _content(error: DeckError) -> Content:
    why = f"{error.what}:\n{error.why}" if error.why else error.what
    parts: list[Content | tuple[str, str]] = [("x  ", "bold $text-error"), (why, "bold")]
    facts = [("Kept", error.kept), ("Next", error.hint)]
    if error.retry_after:
        facts.append(("Wait", f"{error.retry_after:.0f} s, as the other side asked"))
    facts = [fact for fact in facts if fact[1]]
    if facts:
        parts.append(("\n", ""))
    for name, text in facts:
        parts += [(f"\n{name}  ", "$foreground-muted"), (text, "")]
    return Content.assemble(*parts)
