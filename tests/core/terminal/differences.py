"""Cases in which no other terminal, or not both of them, are followed, each with its reason."""

from __future__ import annotations

from typing import Final

_ZERO = "zero means one, as ECMA-48 and xterm have it; libghostty does nothing at zero"
_LEFT = (
    "CUB that begins right of the left margin ends at it (DEC STD 070, xterm); neither other does"
)
_ORIGIN = "libghostty adds the margins twice in origin mode, tmux has neither VPR nor side margins"
_VT420 = "DECIC, DECDC, DECBI and DECFI of the VT420 and xterm; neither other has them"
_SOFT = "DECSTR as xterm and the VT220; neither other has it"
_EMPTY = "an empty parameter at the end is zero, as in xterm and tmux; libghostty drops it"

_GROUPS: Final[tuple[tuple[str, str, str], ...]] = (
    (_ZERO, "move move-region move-box", "0a 0e"),
    (_ZERO, "move-edge", "0e"),
    (_ZERO, "tab", "0I"),
    (_ZERO, "shift shift-coloured shift-region", "0L 0M"),
    (_ZERO, "shift-edge shift-wide shift-half shift-box", "0P 0L 0M"),
    (_ZERO, "shift-box shift-outside-box", "0S 0T"),
    (_LEFT, "move-box", "5D 99D"),
    (_LEFT, "move-outside-box", "99D"),
    (_ORIGIN, "move-origin", "e 1e"),
    (_ORIGIN, "move-box-origin", "d 0d 1d 2d 99d e 0e 1e 2e 99e"),
    (_VT420, "shift-columns", "'} 2'} 99'} '~ 2'~ 99'~"),
    (_EMPTY, "look look-again", "1;m"),
    (_SOFT, "soft-reset", "!p"),
    ("SD in the form of ECMA-48, as xterm has it; neither other does", "old", "3^"),
)

_CONTROLS = (
    "control", "control-edge", "control-region-top", "control-region-bottom", "control-top",
    "control-bottom", "control-box-top", "control-box-bottom", "control-box-outside",
)  # fmt: skip
_SOFT_RESETS = (
    "\x1b[2;4r\x1b[!p\x1b[6;1H\n", "\x1b[4h\x1b[!pb", "\x1b[?6h\x1b[!p\x1b[H",
    "\x1b[?69h\x1b[5;14s\x1b[!p\x1b[2P", "\x1b[3g\x1b[!p\t", "\x1b7\x1b[!p\x1b8",
)  # fmt: skip

DIFFERENCES: Final[dict[tuple[str, str], str]] = {
    (family, f"\x1b[{end}"): reason
    for reason, families, ends in _GROUPS
    for family in families.split()
    for end in ends.split()
}
DIFFERENCES.update({(family, f"\x1b{end}"): _VT420 for family in _CONTROLS for end in "69"})
DIFFERENCES.update({("soft-reset", sequence): _SOFT for sequence in _SOFT_RESETS})
