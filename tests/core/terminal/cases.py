# ruff: noqa: E501 (a table of sequences)
"""Sequences to hold against other terminals, by family.

A case is what stands on the screen before, the sequence, and a letter that shows where the
cursor is and what it draws with. All on 6 rows of 20 columns.
"""

from __future__ import annotations

from typing import Final, NamedTuple

ROWS: Final = 6
COLUMNS: Final = 20

PAGE = "".join(
    f"\x1b[{row + 1};1H" + chr(65 + row) * 3 + "0123456789" + chr(97 + row) * 7 for row in range(6)
)
"""Every cell written."""
MIDDLE = PAGE + "\x1b[3;9H"
WIDE = "漢字漢字漢字漢字漢字\r\n" * 3 + "\x1b[2;5H"
REGION = PAGE + "\x1b[2;4r\x1b[3;9H"
BOX = PAGE + "\x1b[?69h\x1b[2;5r\x1b[5;14s\x1b[3;9H"
"""Margins on all four sides."""
ORIGIN = PAGE + "\x1b[2;5r\x1b[?6h\x1b[2;9H"
BOX_ORIGIN = PAGE + "\x1b[?69h\x1b[2;5r\x1b[5;14s\x1b[?6h\x1b[2;3H"
EDGE = "\x1b[3;1H01234567890123456789"
"""A wrap is pending."""
COLOURED = "\x1b[1;3;4;31;44m" + MIDDLE + "\x1b[42m"
PROTECTED = '\x1b[1"q' + "keep" * 10 + '\x1b[0"q' + "lose" * 10 + "\x1b[2;9H"
ISO = "\x1bV" + "keep" * 10 + "\x1bW" + "lose" * 10 + "\x1b[2;9H"


class Case(NamedTuple):
    """One sequence and what stands before it."""

    family: str
    before: str
    sequence: str
    after: str = "X"

    @property
    def data(self) -> bytes:
        """All of it."""
        return (self.before + self.sequence + self.after).encode()


def _csi(finals: str, params: str = "") -> list[str]:
    """Each final with each of the parameters, which are separated by blanks."""
    return [f"\x1b[{param}{final}" for final in finals.split() for param in ["", *params.split()]]


_MOVES = _csi("A B C D E F G ` a d e", "0 1 2 5 99") + _csi(
    "H f", "1 3;4 ;4 3; 0;0 6;20 99;99 3;4;5"
)
_TABS = [
    "\t",
    "\t\t",
    "\t\t\t",
    *_csi("I Z", "0 1 2 99"),
    "\x1b[3g\t",
    "\x1b[0g\x1b[G\t",
    "\x1bH\x1b[G\t",
    "\x1b[3g\x1b[5G\x1bH\x1b[G\t",
    "\x1b[2g\x1b[G\t",
]
_ERASES = _csi("J K", "0 1 2 4 9") + _csi("X", "0 1 3 99")
_SHIFTS = _csi("@ P", "0 1 3 99") + _csi("L M S T", "0 1 2 99")
_CONTROLS = [
    "\n",
    "\r",
    "\r\n",
    "\b",
    "\b\b\b",
    "\v",
    "\f",
    "\x07",
    "\x00",
    "\x7f",
    "\x1bD",
    "\x1bM",
    "\x1bE",
    "\x1b6",
    "\x1b9",
]
_PRINTS = ["a", "漢", "e\u0301", "漢字", "ab漢"]

_LOOKS = [
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "7",
    "8",
    "9",
    "21",
    "53",
    "1;22",
    "2;22",
    "3;23",
    "4;24",
    "21;24",
    "5;25",
    "7;27",
    "8;28",
    "9;29",
    "53;55",
    "30",
    "37",
    "39",
    "40",
    "47",
    "49",
    "90",
    "97",
    "100",
    "107",
    "31;39",
    "41;49",
    "38;5;0",
    "38;5;15",
    "38;5;16",
    "38;5;255",
    "48;5;7",
    "48;5;200",
    "38;2;1;2;3",
    "48;2;255;0;128",
    "38:5:9",
    "48:5:9",
    "38:2:1:2:3",
    "38:2::1:2:3",
    "48:2::4:5:6",
    "4:0",
    "4:1",
    "4:2",
    "4:3",
    "4:4",
    "4:5",
    "4;58:5:9",
    "4;58;5;9",
    "4;58:2::1:2:3",
    "4;58;2;1;2;3",
    "4;58;5;9;59",
    "1;31;0",
    "1;;31",
    ";1",
    "1;",
    "38;5;1;48;5;2;1",
    "38;2;1;2;3;1",
    "1;4:3;31",
    "38:5:1;4",
    "1;2;3;4;5;7;8;9;53",
    "22;23;24;25;27;28;29;39;49;55;59",
]

_GRAPHEMES = [
    "e\u0301", "漢\u0301", "\u0301", "a\u0301\u0302\u0303", "❤\ufe0f", "❤", "👍🏽", "👨\u200d👩\u200d👧", "🇩🇪", "🇩🇪🇫🇷", "1\ufe0f\u20e3",
    "ไทย", "हिन्दी", "한글", "ｱｲｳ", "\u200b", "a\u200bb", "\u00ad", "Ａ", "─│┌", "🙂", "🏳\ufe0f\u200d🌈", "क्ष", "\u1100\u1161", "☺\ufe0e",
]  # fmt: skip

_FAMILIES: Final[dict[str, tuple[str, list[str]]]] = {
    "move": (MIDDLE, _MOVES),
    "move-region": (REGION, _MOVES),
    "move-above-region": (REGION + "\x1b[1;9H", _csi("A B E F", "1 9")),
    "move-below-region": (REGION + "\x1b[6;9H", _csi("A B E F", "1 9")),
    "move-box": (BOX, _MOVES),
    "move-outside-box": (BOX + "\x1b[3;17H", [*_csi("A B C D E F", "1 99"), "\r", "\t", "\x08"]),
    "move-left-of-box": (BOX + "\x1b[3;2H", [*_csi("A B C D E F", "1 99"), "\r", "\t", "\x08"]),
    "move-origin": (ORIGIN, _csi("A B C D E F d e", "0 1 2 99") + _csi("H", "1 3;4 99;99")),
    "move-box-origin": (BOX_ORIGIN, _csi("A B C E F d e", "0 1 2 99") + _csi("H", "1 3;4 99;99")),
    "move-edge": (EDGE, _MOVES),
    "tab": (MIDDLE, _TABS),
    "tab-edge": (EDGE, ["\t", "\x1b[I"]),
    "tab-box": (BOX, ["\t", "\t\t", "\x1b[2I"]),
    "erase": (MIDDLE, _ERASES),
    "erase-edge": (EDGE, _ERASES),
    "erase-coloured": (COLOURED, _ERASES),
    "erase-wide": (WIDE, _ERASES),
    "erase-half": (WIDE + "\x1b[6G", _ERASES),
    "erase-box": (BOX, _ERASES),
    "erase-wrapped": ("x" * 50 + "\x1b[2;5H", _ERASES),
    "erase-selected": (PROTECTED, [*_csi("J K", "0 1 2"), "\x1b[?J", "\x1b[?1J", "\x1b[?2J", "\x1b[?K", "\x1b[?1K", "\x1b[?2K", "\x1b[9X"]),
    "erase-iso": (ISO, [*_csi("J K", "0 1 2"), "\x1b[?J", "\x1b[?1J", "\x1b[?2J", "\x1b[?K", "\x1b[?1K", "\x1b[?2K", "\x1b[9X"]),
    "erase-mixed": ("", ['\x1b[1"qa\x1b[0"qb\x1b[1"qc\x1b[mcc\x1b[2"qd\x1b[?2K', '\x1b[1"qa\x1b7\x1b[0"qb\x1b8c\x1b[?2K']),
    "shift": (MIDDLE, _SHIFTS),
    "shift-edge": (EDGE, _SHIFTS),
    "shift-coloured": (COLOURED, _SHIFTS),
    "shift-wide": (WIDE, _SHIFTS),
    "shift-half": (WIDE + "\x1b[6G", _SHIFTS),
    "shift-region": (REGION, _SHIFTS),
    "shift-outside-region": (REGION + "\x1b[6;9H", _SHIFTS),
    "shift-box": (BOX, _SHIFTS),
    "shift-outside-box": (BOX + "\x1b[3;17H", _SHIFTS),
    "shift-columns": (BOX, ["\x1b['}", "\x1b[2'}", "\x1b[99'}", "\x1b['~", "\x1b[2'~", "\x1b[99'~"]),
    "control": (MIDDLE, _CONTROLS),
    "control-edge": (EDGE, _CONTROLS),
    "control-region-top": (REGION + "\x1b[2;9H", _CONTROLS),
    "control-region-bottom": (REGION + "\x1b[4;9H", _CONTROLS),
    "control-top": (PAGE + "\x1b[H", _CONTROLS),
    "control-bottom": (PAGE + "\x1b[6;9H", _CONTROLS),
    "control-box-top": (BOX + "\x1b[2;9H", _CONTROLS),
    "control-box-bottom": (BOX + "\x1b[5;9H", _CONTROLS),
    "control-box-outside": (BOX + "\x1b[5;17H", _CONTROLS),
    "print": (MIDDLE, _PRINTS),
    "print-edge": (EDGE, _PRINTS),
    "print-before-edge": (EDGE + "\x1b[19G", _PRINTS),
    "print-at-edge": (EDGE + "\x1b[20G", _PRINTS),
    "print-box": (BOX + "\x1b[14G", [*_PRINTS, "a" * 40]),
    "print-before-box-edge": (BOX + "\x1b[13G", _PRINTS),
    "print-outside-box": (BOX + "\x1b[19G", _PRINTS),
    "print-wide": (WIDE, _PRINTS),
    "print-half": (WIDE + "\x1b[6G", _PRINTS),
    "print-insert": (MIDDLE + "\x1b[4h", _PRINTS),
    "print-insert-wide": (WIDE + "\x1b[4h", _PRINTS),
    "print-insert-box": (BOX + "\x1b[4h", _PRINTS),
    "print-unwrapped": (EDGE + "\x1b[?7l", ["a", "ab", "漢"]),
    "print-bottom": (PAGE, _PRINTS),
    "repeat": (MIDDLE, ["a\x1b[b", "a\x1b[3b", "漢\x1b[2b", "a\x1b[40b", "ab\x1b[2b", "a\r\x1b[2b", "a\x1b[31m\x1b[2b", "a\x1b[0b", "\x1b(0q\x1b(B\x1b[2b"]),
    "look": ("", [f"\x1b[{params}m" for params in _LOOKS]),
    "look-again": ("\x1b[1;2;3;4;5;7;8;9;53;31;42;58;5;9m", [f"\x1b[{params}m" for params in _LOOKS]),
    "region": (PAGE, [f"\x1b[{params}r" for params in ("", "2;4", ";4", "2;", "0;0", "4;2", "3;3", "2;99", "99;2", "1;6")]),
    "region-scroll": (PAGE, [f"\x1b[{params}r\x1b[6;1H\n\n" for params in ("1;3", "2;4", "4;6", "1;6")]),
    "sides": (PAGE + "\x1b[?69h", [f"\x1b[{params}s\x1b[3;10H\x1b[2P\n" for params in ("5;14", ";14", "5;", "14;5", "5;5", "5;99", "0;0", "1;20", "19;20")]),
    "sides-off": (BOX, ["\x1b[?69l", "\x1b[?69l\x1b[?69h\x1b[2P", "\x1b[?69h\x1b[2P", "\x1b[r\x1b[2P"]),
    "save": (MIDDLE, ["\x1b7\x1b[H\x1b8", "\x1b[s\x1b[H\x1b[u", "\x1b8", "\x1b[u", "\x1b7\x1b[H\x1b8\x1b[H\x1b8", "\x1b[31m\x1b7\x1b[m\x1b[H\x1b8",
             "\x1b(0\x1b7\x1b(B\x1b8q", "\x1b[2;5r\x1b[?6h\x1b7\x1b[?6l\x1b8\x1b[H", "\x1b[?1048h\x1b[H\x1b[?1048l", "\x1b[5;20Hx\x1b7\x1b[H\x1b8"]),
    "alternate": (MIDDLE, ["\x1b[?1049h", "\x1b[?47h", "\x1b[?1047h", "\x1b[?1049hfull\x1b[?1049l", "\x1b[?47hfull\x1b[?47l", "\x1b[?1047hfull\x1b[?1047l",
                  "\x1b[?1049h\x1b[?1049h\x1b[?1049l", "\x1b[41m\x1b[?1049h", "\x1b[?1049h\x1b[2;4r\x1b[?1049l", "\x1b[?1049l", "\x1b[?47hfull\x1b[?47l\x1b[?47h", "\x1b[?1047hfull\x1b[?1047l\x1b[?1047h"]),
    "charset": (MIDDLE, ["\x1b(0lqk\x1b(B", "\x1b)0\x0elqk\x0f", "\x1b*0\x1bnlqk\x0f", "\x1b+0\x1bolqk\x0f", "\x1b(A#", "\x1b(0`afgjklmnopqrstuvwxyz{|}~", "\x1b(0\x1b[!p", "\x1b(0漢", "\x1b*0\x1bNqq", "\x1b+0\x1bOqq", "\x1b(0\x1bcq"]),
    "grapheme": ("", _GRAPHEMES),
    "grapheme-mode": ("\x1b[?2027h", _GRAPHEMES),
    "grapheme-edge": ("0123456789012345678", _GRAPHEMES),
    "grapheme-mode-edge": ("\x1b[?2027h0123456789012345678", _GRAPHEMES),
    "align": (COLOURED, ["\x1b#8", "\x1b[2;4r\x1b#8\n", "\x1b[2;4r\x1b[?6h\x1b#8", "\x1b[?69h\x1b[5;14s\x1b#8"]),
    "reset": (COLOURED, ["\x1bc", "\x1b[2;4r\x1bc\x1b[6;1H\n", "\x1b[?7l\x1bc" + "y" * 25, "\x1b[4h\x1bca\x1b[Gb", "\x1b[?69h\x1b[5;14s\x1bc", "\x1b[3g\x1bc\t", "\x1b[?1049h\x1bc", "\x1b[?6h\x1bc"]),
    "soft-reset": (COLOURED, ["\x1b[!p", "\x1b[2;4r\x1b[!p\x1b[6;1H\n", "\x1b[4h\x1b[!pb", "\x1b[?6h\x1b[!p\x1b[H", "\x1b[?69h\x1b[5;14s\x1b[!p\x1b[2P", "\x1b[3g\x1b[!p\t", "\x1b7\x1b[!p\x1b8"]),
    "width": (MIDDLE, ["\x1b[?3h", "\x1b[?3l", "\x1b[?5h", "\x1b[?5h\x1b[?5l"]),
    "newline": (MIDDLE + "\x1b[20h", ["\n", "\v", "\f", "\r", "\x1bD"]),
    "wrap-back": ("x" * 45 + "\x1b[?45h", ["\b" * 9, "\x1b[9D", "\x1b[99D", "\r\b", "\x1b[2;1H\b", "\x1b[20Gy\b", "\x1b[1;1H\b"]),
    "wrap-back-far": (MIDDLE + "\x1b[?1045h", ["\r\b", "\x1b[30D", "\x1b[1;1H\b"]),
    "broken": (MIDDLE, ["\x1b[1\x1b[31m", "\x1b[3\x18m", "\x1b[3\x1am", "\x1b[\n2C", "\x1b[1\r0C", "\x1b[?4m", "\x1b[>4m", "\x1b[=4h", "\x1b[1$z", "\x1b[;;;;;m", "\x1b[99999999999C", "\x1b[<1m", "\x1b[000000000002;00000000003H", "\x1b[00000000031m",
               "\x1b F", "\x1b%G", "\x1b#3", "\x1b\x1b[C", "\x1b[1:2C", "\x1b[!!p", "\x1b[1 2C", "\x1b[C\x7fC", "\x1b[3;\x7f4H", "\x1b]0;t\x1b[C", "\x1bPq\x1b[C\x1b\\"]),
    "string": (MIDDLE, ["\x1bPq#0;2;0;0;0~\x1b\\", "\x1bP$qm\x1b\\", "\x1b_Gi=1;AAAA\x1b\\", "\x1b^secret\x1b\\", "\x1bXsos\x1b\\", "\x1b]0;t\x07", "\x1b]0;t\x1b\\", "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
               "\x1b]7;file:///\x07", "\x1b]9;note\x07", "\x1b]52;c;aGk=\x07", "\x1b]133;B\x07", "\x1b]777;notify;a;b\x07", "\x1b]1337;File=x:AAAA\x07", "\x1bP1;2{qdata\x1b\\", "\x1bPtmux;\x1b\x1b[C\x1b\\", "\x1b]4;1;#123456\x07", "\x1bktitle\x1b\\"]),
    "old": (MIDDLE, ["\x1b[?2K", "\x1b[3^", "\x1b[1;2;3;4;5T", "\x1b[?1J", "\x1b[5 @", "\x1b[5 A", "\x1b[2+T", "\x1b[4 q", "\x1b[?25l\x1b[?25h", "\x1b[8;5;30t", "\x1b[1;2y", "\x1b[5i", "\x1b[?1;2;3S"]),
}  # fmt: skip

CASES: Final = [
    Case(family, before, sequence)
    for family, (before, sequences) in _FAMILIES.items()
    for sequence in dict.fromkeys(sequences)
]
