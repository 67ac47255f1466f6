"""One line of parts, some of which can be clicked: headers, tabs, hints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the line."""

    text: str
    """Data, never markup."""
    look: str = ""
    """Suffix of a component class of the line; empty: plain."""
    action: str = ""
    """What a click asks for; empty: nothing."""


class PartLine(Widget, inherit_bindings=False):
    """Parts from the left, parts from the right; those without room are left out whole."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "part-line--key",
        "part-line--dim",
        "part-line--strong",
        "part-line--mode",
        "part-line--ok",
        "part-line--warn",
        "part-line--bad",
    }
    DEFAULT_CSS = """
    PartLine {
        height: 1;
        width: 1fr;
        & > .part-line--key { color: $text-primary; text-style: bold; }
        & > .part-line--dim { color: $foreground-muted; }
        & > .part-line--strong { text-style: bold; }
        & > .part-line--mode { background: $primary; color: $background; text-style: bold; }
        & > .part-line--ok { color: $text-success; }
        & > .part-line--warn { color: $text-warning; }
        & > .part-line--bad { color: $text-error; }
    }
    """

    @dataclass
    class Pressed(Message):
        """A part with an action was clicked."""

        line: PartLine
        action: str

        @property
        @override
        def control(self) -> PartLine:
            return self.line

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._left: Sequence[Part] = ()
        self._right: Sequence[Part] = ()

    def show(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Show these parts."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    @property
    def text(self) -> str:
        """What can be read."""
        return "".join(part.text for part in self._placed())

    def on_click(self, event: events.Click) -> None:
        """Ask for the action of the part under the pointer."""
        start = 0
        for part in self._placed():
            end = start + cell_len(part.text)
            if part.action and start <= event.x < end:
                self.post_message(self.Pressed(self, part.action))
            start = end

    def _placed(self) -> list[Part]:
        right = self._right if _length(self._right) < self.size.width else ()
        room = self.size.width - _length(right)
        left = list(self._left)
        while left and _length(left) > room:
            gone = left.pop()
            # A key without its word says nothing: what belongs together goes together.
            while left and gone.action and left[-1].action == gone.action:
                left.pop()
        return [*left, Part(" " * (room - _length(left))), *right]

    @override
    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        segments = [
            Segment(
                part.text,
                base + self.get_component_rich_style(f"part-line--{part.look}")
                if part.look
                else base,
            )
            for part in self._placed()
        ]
        return Strip(segments if y == 0 else []).adjust_cell_length(self.size.width, base)


def _length(parts: Sequence[Part]) -> int:
    return sum(cell_len(part.text) for part in parts)
