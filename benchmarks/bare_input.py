"""The yardstick of :mod:`benchmarks.key_to_paint`: one Textual Input on Textual's own driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App
from textual.widgets import Input

if TYPE_CHECKING:
    from textual.app import ComposeResult


class BareInput(App[None]):
    """One field."""

    def compose(self) -> ComposeResult:
        """A field that does not blink."""
        field = Input()
        field.cursor_blink = False
        yield field


if __name__ == "__main__":
    BareInput().run()
