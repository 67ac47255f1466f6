"""How many columns a character takes, and which characters join the cell before them.

Widths are wcwidth's, but for spacing marks (Mc), to which C libraries give a column. Joining by
grapheme (mode 2027) follows UAX #29 for the sequences people type: ZWJ, variation selector 16,
skin tones and flags.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import category

from wcwidth import wcswidth, wcwidth

ZWJ: Final = "\u200d"
VS16: Final = "\ufe0f"


_NARROW = "\\x20-\\x7e\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0377\u0391-\u03a1\u03a3-\u0482"
_NARROW_MORE = (
    "\u048a-\u052f\u2010-\u2027\u2030-\u205e\u2190-\u2319\u2400-\u2426\u2500-\u25fc\ufffd"
)
_WIDE = "\u3041-\u3096\u30a0-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60"
RUNS: Final = re.compile(f"([{_NARROW}{_NARROW_MORE}]+)|([{_WIDE}]+)|((?s:.))")
"""Runs of characters surely of one column, surely of two, or one to be looked up."""


class _Widths(dict[str, int]):
    """Width by character, looked up once each; unprintable counts as zero."""

    def __missing__(self, character: str) -> int:
        width = max(0, wcwidth(character))
        if character == "\u00ad" or category(character) == "Mc":
            width = 1
        if len(self) < 65536:
            self[character] = width
        return width


WIDTHS: Final = _Widths()


def is_regional(character: str) -> bool:
    """One half of a flag."""
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def joins(cell: str, character: str) -> bool:
    """Whether ``character`` belongs to the grapheme in ``cell`` although it has a width."""
    if not cell or cell == " ":
        return False
    if cell[-1] == ZWJ:
        return not character.isascii()
    if "\U0001f3fb" <= character <= "\U0001f3ff":
        return not cell.isascii()
    return len(cell) == 1 and is_regional(cell) and is_regional(character)


def widened(cell: str, character: str) -> bool:
    """Whether variation selector 16 turns the one-column ``cell`` into an emoji of two."""
    return character == VS16 and len(cell) == 1 and WIDTHS[cell] == 1 and wcswidth(cell + VS16) == 2
