"""The sizes of window at which the layout changes; ``deck.tcss`` says how."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.geometry import Size

WIDTHS = [(0, "-slim"), (60, "-narrow"), (118, "-medium"), (174, "-wide")]
"""Columns from which a class holds; a shell has 80 of them from 80 on."""
HEIGHTS = [(0, "-flat"), (16, "-low"), (30, "-tall"), (50, "-high")]
"""Rows from which a class holds."""


def size_classes(size: Size) -> tuple[str, str]:
    """The classes for a window of this size."""
    wide = max(point for point in WIDTHS if point[0] <= size.width)
    high = max(point for point in HEIGHTS if point[0] <= size.height)
    return wide[1], high[1]
