"""libghostty-vt as an oracle: the screen it shows after the same bytes, cell by cell.

Its C interface is called through pyghostty's declarations; only what a program can see is
compared, in a form both emulators are brought to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyghostty import Terminal as Ghostty
from pyghostty import ffi, lib
from pyghostty.core import init_sized

from core.terminal.attributes import (
    BLINK,
    BOLD,
    CONCEAL,
    DEFAULT,
    DIM,
    ITALIC,
    OVERLINE,
    REVERSE,
    STRIKE,
    UNDERLINE_SHIFT,
    Attributes,
)
from tests.core.terminal.looks import Look, shown

if TYPE_CHECKING:
    from core.terminal.attributes import Color

_FLAGS = {
    "bold": BOLD, "faint": DIM, "italic": ITALIC, "blink": BLINK, "inverse": REVERSE,
    "invisible": CONCEAL, "strikethrough": STRIKE, "overline": OVERLINE,
}  # fmt: skip


def start(rows: int, columns: int) -> Ghostty:
    """A fresh terminal of libghostty's."""
    return Ghostty(columns, rows, scrollback=1000, fg=(0xD0, 0xD0, 0xD0), bg=(0, 0, 0))


def _color(color: Any) -> Color:
    if color.tag == lib.GHOSTTY_STYLE_COLOR_PALETTE:
        return int(color.value.palette)
    if color.tag == lib.GHOSTTY_STYLE_COLOR_RGB:
        return (color.value.rgb.r, color.value.rgb.g, color.value.rgb.b)
    return None


class _Cells:
    """Reads the cells of one terminal with buffers made once."""

    def __init__(self, terminal: Ghostty) -> None:
        self.terminal = terminal
        self.cell = ffi.new("GhosttyCell*")
        self.value = ffi.new("uint32_t*")
        self.rgb = ffi.new("GhosttyColorRgb*")
        self.style = init_sized("GhosttyStyle")
        self.codes = ffi.new("uint32_t[64]")
        self.count = ffi.new("size_t*")

    def _get(self, data: int) -> int:
        self.value[0] = 0
        lib.ghostty_cell_get(self.cell[0], data, self.value)
        return int(self.value[0])

    def read(self, y: int, x: int) -> tuple[str, Attributes]:
        """Character and look of a cell."""
        reference = self.terminal.ref(x, y)
        lib.ghostty_grid_ref_cell(reference, self.cell)
        wide = self._get(lib.GHOSTTY_CELL_DATA_WIDE)
        if wide == lib.GHOSTTY_CELL_WIDE_SPACER_TAIL:
            text = ""
        else:
            lib.ghostty_grid_ref_graphemes(reference, self.codes, 64, self.count)
            text = "".join(map(chr, self.codes[0 : self.count[0]])) or " "
        return text, self._look(reference)

    def _look(self, reference: Any) -> Attributes:
        tag = self._get(lib.GHOSTTY_CELL_DATA_CONTENT_TAG)
        if tag == lib.GHOSTTY_CELL_CONTENT_BG_COLOR_PALETTE:
            return Attributes(background=self._get(lib.GHOSTTY_CELL_DATA_COLOR_PALETTE) & 255)
        if tag == lib.GHOSTTY_CELL_CONTENT_BG_COLOR_RGB:
            lib.ghostty_cell_get(self.cell[0], lib.GHOSTTY_CELL_DATA_COLOR_RGB, self.rgb)
            return Attributes(background=(self.rgb.r, self.rgb.g, self.rgb.b))
        if not self._get(lib.GHOSTTY_CELL_DATA_HAS_STYLING) & 1:
            return DEFAULT
        lib.ghostty_grid_ref_style(reference, self.style)
        style = self.style
        flags = sum(bit for name, bit in _FLAGS.items() if getattr(style, name))
        return Attributes(
            _color(style.fg_color),
            _color(style.bg_color),
            flags | style.underline << UNDERLINE_SHIFT,
            _color(style.underline_color),
        )


def look_of_ghostty(terminal: Ghostty) -> Look:
    """What libghostty shows."""
    columns, rows = terminal.size
    cells = _Cells(terminal)
    grid = [[cells.read(y, x) for x in range(columns)] for y in range(rows)]
    x, y = terminal.cursor
    return Look(
        [shown("".join(text for text, _look in row)) for row in grid],
        (y, x),
        bool(terminal.get("cursor_pending_wrap", "bool")),
        [[look for _text, look in row] for row in grid],
    )
