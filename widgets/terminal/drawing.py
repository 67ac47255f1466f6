"""Lines of cells as Textual strips: one segment for each run of equal looks."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.terminal.attributes import Attributes
    from core.terminal.lines import Line
    from widgets.terminal.palette import Palette


def draw_line(line: Line, width: int, palette: Palette) -> Strip:
    """``line`` cut or padded to ``width`` columns."""
    characters, attributes = line.characters, line.attributes
    columns = len(characters)
    if columns > width:
        line = line.copy()
        line.fit(width)
        characters, attributes, columns = line.characters, line.attributes, width
    first = attributes[0]
    if attributes.count(first) == columns:
        segments = [Segment("".join(characters), palette.style(first))]
    else:
        segments = _runs(characters, attributes, palette.style)
    if columns < width:
        segments.append(Segment(" " * (width - columns), palette.base))
    return Strip(segments, width)


def draw_restyled(
    line: Line, strip: Strip, span: tuple[int, int], style: Callable[[Attributes], Style]
) -> Strip:
    """``strip`` of ``line`` with the looks of a range of columns drawn by ``style``."""
    width = strip.cell_length
    start, end = max(0, span[0]), min(span[1], width, len(line.characters))
    if start >= end:
        return strip
    segments = list(strip.crop(0, start))
    segments += _runs(line.characters[start:end], line.attributes[start:end], style)
    segments += strip.crop(end, width)
    return Strip(segments, width)


def draw_note(text: str, width: int, palette: Palette) -> Strip:
    """A line of the console's own words."""
    return Strip([Segment(text[:width].ljust(width), palette.faint)], width)


def draw_badge(strip: Strip, text: str, palette: Palette) -> Strip:
    """``strip`` with words of the console's own at its right end."""
    width = strip.cell_length
    text = text[:width]
    badge = Segment(text, palette.faint + Style(reverse=True))
    return Strip([*strip.crop(0, width - len(text)), badge], width)


def _runs(
    characters: list[str],
    attributes: list[Attributes],
    style: Callable[[Attributes], Style],
) -> list[Segment]:
    segments = []
    start = 0
    for look, group in groupby(attributes):
        end = start + len(list(group))
        segments.append(Segment("".join(characters[start:end]), style(look)))
        start = end
    return segments


def cell_span(line: Line, x: int) -> tuple[int, int]:
    """First column of the cell at ``x`` and the column after it (two for wide characters)."""
    characters = line.characters
    if 0 < x < len(characters) and characters[x] == "":
        x -= 1
    wide = x + 1 < len(characters) and characters[x + 1] == ""
    return x, x + 1 + wide
