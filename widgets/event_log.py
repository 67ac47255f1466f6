"""What happened lately, newest last."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget
from typing_extensions import override

from widgets.line_list import fit

if TYPE_CHECKING:
    from collections.abc import Callable


class EventLog(Widget, inherit_bindings=False):
    """A line each; only the last ones are kept."""

    KEPT = 200

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._clock = clock
        self._lines: deque[tuple[float, str]] = deque(maxlen=self.KEPT)

    def add(self, text: str) -> None:
        """Add a line."""
        self._lines.append((self._clock(), text))
        self.refresh()

    @override
    def render_line(self, y: int) -> Strip:
        width, height = self.size
        shown = list(self._lines)[-height:]
        if y >= len(shown):
            return Strip.blank(width, self.rich_style)
        when, text = shown[y]
        clock = time.strftime("%H:%M:%S", time.localtime(when))
        return Strip([Segment(fit(f"{clock}  {text}", width), self.rich_style)])
