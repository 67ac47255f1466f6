"""Character sets a program can designate: ASCII, UK and DEC special graphics.

VT220 programmer reference, chapter 2; line drawing also in UTF-8 mode, as xterm does.
"""

from __future__ import annotations

from typing import Final

ASCII: Final = "B"

_GRAPHICS = "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"

MAPS: Final[dict[str, dict[int, str]]] = {
    "0": dict(enumerate(_GRAPHICS, 0x60)) | {0x5F: " "},
    "A": {0x23: "£"},
}
"""Translation table by the designating character; what is not here is ASCII."""
