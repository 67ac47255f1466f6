"""Write the screen of an emulator to a real terminal, as escape sequences.

A session's history is not sent to the terminal as it was: the terminal would answer questions
that were answered long ago. The history goes into :mod:`core.terminal`, and what that shows is
painted: the primary screen, the alternate one over it, then modes, margins, pen and cursor.
xterm control sequences (ctlseqs); DECSCUSR and the kitty keyboard protocol for cursor and keys.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import pyte.modes as mo

from core.terminal.attributes import DEFAULT
from core.terminal.modes import PRIVATE, SHAPES
from core.terminal.screen import SavedCursor
from core.terminal.sgr import sgr_of
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.terminal.attributes import Attributes
    from core.terminal.lines import Line
    from core.terminal.screen import Screen
    from core.terminal.terminal import Terminal

_ON = (1, 5, 1000, 1002, 1003, 1004, 1006, 2004)
"""Private modes to switch on in the terminal if they are on in the session."""


def paint(terminal: Terminal, *, whole: bool) -> bytes:
    """What makes a real terminal show what ``terminal`` shows.

    Args:
        terminal: The session's screen; the real terminal should have its size.
        whole: Take the whole window, so that rows mean the same on both sides; else only as
            many lines from the cursor on as there is text, as a program that starts to write.
    """
    screen = terminal.screen
    out = ["\x1b[0m", *(_scroll_away(screen) if whole else ())]
    if screen.alternate:
        primary = screen.saved[False] or SavedCursor()
        if screen.hidden_grid:
            out += _flow(screen.hidden_grid, primary.y, primary.x, whole=whole)
        out += ["\x1b[?1049h", *_rows(screen.grid)]
        out.append(_place(screen.cursor.y, screen.cursor.x))
    else:
        out += _flow(screen.grid, screen.cursor.y, screen.cursor.x, whole=whole)
    if whole or screen.alternate:
        out += _region(screen)
    out += _modes(screen)
    out.append(f"\x1b[{sgr_of(screen.cursor.pen)}m")
    return "".join(out).encode("utf-8", "replace")


def _scroll_away(screen: Screen) -> list[str]:
    """Push what is in the window into its scrollback, to be found there later."""
    return [f"\x1b[{screen.lines};1H", "\n" * screen.lines, "\x1b[H"]


def _flow(grid: Sequence[Line], y: int, x: int, *, whole: bool) -> list[str]:
    """Lines one after the other from where the cursor stands, then the cursor at its place."""
    used = max((at for at, line in enumerate(grid) if line.text.strip()), default=0)
    last = len(grid) - 1 if whole else max(used, y)
    lines = "\r\n".join(
        f"\x1b[K{_text(line, x if at == y else 0)}" for at, line in enumerate(grid[: last + 1])
    )
    up = f"\x1b[{last - y}A" if last > y else ""
    return [lines, "\r", up, *_column(grid[y], x)]


def _column(line: Line, x: int) -> list[str]:
    """Move right to ``x``; past the last column, write that again, so that a wrap is pending."""
    if x < len(line.characters):
        return [f"\x1b[{x}C" if x else ""]
    cell = slice(x - 1, x)
    again = line.of(line.characters[cell], line.attributes[cell])
    return [f"\x1b[{x - 1}C" if x > 1 else "", _text(again)]


def _rows(grid: Sequence[Line]) -> list[str]:
    """Every row at its own place."""
    return [f"\x1b[{at + 1};1H\x1b[K{_text(line)}" for at, line in enumerate(grid)]


def _text(line: Line, least: int = 0) -> str:
    """The cells of a row as text with SGR; blanks after the first ``least`` cells may go."""
    cells = list(zip(line.characters, line.attributes, strict=True))
    while len(cells) > least and cells[-1] == (" ", DEFAULT):
        cells.pop()
    parts: list[str] = []
    for look, run in groupby(cells, key=_look):
        parts.append(f"\x1b[{sgr_of(look)}m" if look != DEFAULT else "")
        parts += [character for character, _ in run]
        parts.append("\x1b[0m" if look != DEFAULT else "")
    return "".join(parts)


def _look(cell: tuple[str, Attributes]) -> Attributes:
    return cell[1]


def _place(y: int, x: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H"


def _region(screen: Screen) -> list[str]:
    """Margins, and the cursor saved by DECSC; setting margins moves the cursor."""
    saved = screen.saved[screen.alternate]
    out: list[str] = []
    if saved and not screen.alternate:
        out += [_place(saved.y, saved.x), f"\x1b[{sgr_of(saved.pen)}m\x1b7"]
    if screen.margins:
        out.append(f"\x1b[{screen.margins.top + 1};{screen.margins.bottom + 1}r")
    if out:
        out.append(_place(screen.cursor.y, min(screen.cursor.x, screen.columns - 1)))
    return out


def _modes(screen: Screen) -> list[str]:
    """Modes of screen and keyboard that differ from a terminal's start."""
    private = {mode for mode in _ON if mode << PRIVATE in screen.mode}
    modes = screen.modes()
    out = [f"\x1b[?{mode}h" for mode in sorted(private)]
    if mo.DECAWM not in screen.mode:
        out.append("\x1b[?7l")
    if screen.cursor.hidden:
        out.append("\x1b[?25l")
    if mo.IRM in screen.mode:
        out.append("\x1b[4h")
    if modes.newline:
        out.append("\x1b[20h")
    if modes.application_keypad:
        out.append("\x1b=")
    if modes.kitty_flags:
        out.append(f"\x1b[>{modes.kitty_flags}u")
    if modes.modify_other_keys:
        out.append(f"\x1b[>4;{modes.modify_other_keys}m")
    if screen.cursor_shape != "block":
        out.append(f"\x1b[{2 * SHAPES.index(screen.cursor_shape) + 2} q")
    if screen.charsets[0] != "B":
        out.append(f"\x1b({clean(screen.charsets[0])}")
    if screen.active_charset == 1:
        out.append(f"\x1b){clean(screen.charsets[1])}\x0e")
    if screen.title:
        out.append(f"\x1b]2;{clean(screen.title)}\x07")
    return out
