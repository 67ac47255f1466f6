"""A line to type into, as the console has them: one row, a cursor that stands still."""

from __future__ import annotations

from textual.widgets import Input


class Field(Input):
    """Textual's input without a frame; a blinking cursor costs a redraw twice a second over SSH."""

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(value, placeholder=placeholder, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False
