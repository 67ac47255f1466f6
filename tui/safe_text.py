"""The last guard: no control character of a name or a label reaches the terminal.

Text from images and registries is cleaned where it enters the engine; a line filter sees
every line on its way out, whoever drew it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.filter import LineFilter
from typing_extensions import override

from core.text import REPLACEMENT

if TYPE_CHECKING:
    from textual.color import Color

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")


class SafeText(LineFilter):
    """Replace C0 and C1 control characters in what is drawn."""

    @override
    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if not any(_CONTROLS.search(text) for text, _, control in segments if not control):
            return segments
        return [
            segment
            if segment.control
            else Segment(_CONTROLS.sub(REPLACEMENT, segment.text), segment.style)
            for segment in segments
        ]
