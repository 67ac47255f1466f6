"""Generated output against libghostty: what both draw must be the same, cell by cell.

Left out is where the two differ on purpose (:mod:`tests.core.terminal.differences`), and insert
mode: libghostty does not insert a wide character that wraps first.
"""

from __future__ import annotations

import random
import zlib
from typing import Final

import pytest
from hypothesis import example, given, seed, settings
from hypothesis import strategies as st

from core.terminal.terminal import Terminal
from tests.core.terminal.ghostty import look_of_ghostty, start
from tests.core.terminal.looks import look_of
from tests.core.terminal.test_recordings import FOLDER

ROWS, COLUMNS = 5, 12


def _csi(params: str, finals: str) -> st.SearchStrategy[str]:
    return st.builds(
        "\x1b[{}{}".format, st.sampled_from(params.split(",")), st.sampled_from(finals)
    )


NUMBERS: Final = ",1,2,3,5,13"
NARROW: Final = st.one_of(
    st.text("abcxyz ─éж", min_size=1, max_size=14),
    st.sampled_from(["word ", "x" * 30, "e\u0301", "\r\n", "\n", "\r", "\x1bM", "\x1bD", "\x1bE"]),
)
"""libghostty keeps the look of a half when a margin cuts a wide character."""
TEXT: Final = st.one_of(st.text("abcxyz 漢字カ─éж", min_size=1, max_size=14), NARROW)
MOVES: Final = st.one_of(
    _csi(NUMBERS, "ABCEF"),
    _csi("1;1,2;4,4;12,9;99,;3,3", "Hf"),
    st.sampled_from(["\x1b7", "\x1b8"]),
)
PLAIN_MOVES: Final = st.one_of(
    _csi(NUMBERS, "DG`ade"),
    st.sampled_from(["\t", "\b", "\x1bH", "\x1b[0g", "\x1b[3g", "\x1b[s", "\x1b[u"]),
)
CHANGES: Final = st.one_of(
    _csi(",0,1,2", "JK"),
    _csi("?,?0,?1,?2", "JK"),
    _csi(NUMBERS, "X@PLMST"),
    st.builds("a\x1b[{}b".format, st.sampled_from("123")),
)
LOOKS: Final = st.builds(
    "\x1b[{}m".format,
    st.sampled_from(
        [
            "0",
            "1",
            "2",
            "3",
            "4",
            "4:3",
            "5",
            "7",
            "8",
            "9",
            "21",
            "22",
            "23",
            "24",
            "27",
            "39",
            "49",
            "53",
            "55",
            "31",
            "42",
            "97",
            "104",
            "38;5;9",
            "48;5;200",
            "38;2;1;2;3",
            "48:2::4:5:6",
            "58:5:3",
            "59",
            "1;31;44",
            "4:2;58;5;1",
        ]
    ),
)
MODES: Final = st.sampled_from(
    [
        "\x1b[20h",
        "\x1b[20l",
        "\x1b[?25l",
        '\x1b[1"q',
        '\x1b[0"q',
        "\x1b(0qx\x1b(B",
    ]
)
SCREENS: Final = st.sampled_from(
    [
        "\x1b[?1049h",
        "\x1b[?1049l",
        "\x1b[?47h",
        "\x1b[?47l",
        "\x1b[?1047h",
        "\x1b[?1047l",
        "\x1b#8",
        "\x1bc",
    ]
)
REGIONS: Final = st.builds("\x1b[{}r".format, st.sampled_from(["", "2;4", "1;3", "3;5", ";2"]))
ORIGINS: Final = st.sampled_from(["\x1b[?6h", "\x1b[?6l"])
SIDES: Final = st.sampled_from(
    ["\x1b[?69h", "\r\x1b[?69l", "\x1b[?69h\x1b[3;9s", "\x1b[2;6s", "\x1b[4;11s"]
)

PLAIN: Final = st.lists(
    st.one_of(TEXT, MOVES, PLAIN_MOVES, CHANGES, LOOKS, MODES, SCREENS, REGIONS), max_size=30
)
IN_MARGINS: Final = st.lists(
    st.one_of(NARROW, MOVES, CHANGES, LOOKS, MODES, REGIONS, ORIGINS, SIDES), max_size=30
)


def differ(data: bytes, rows: int, columns: int) -> None:
    """Assert that both show the same."""
    terminal, other = Terminal(rows, columns), start(rows, columns)
    terminal.feed(data)
    other.feed(data)
    mine, ghostty = look_of(terminal), look_of_ghostty(other)
    other.close()
    assert mine == ghostty


def _check(strategy: st.SearchStrategy[list[str]], count: int, seeds: list[list[str]]) -> None:
    @settings(max_examples=count, deadline=None, database=None)
    @seed(20)
    @given(strategy)
    def check(pieces: list[str]) -> None:
        differ("".join(pieces).encode(), ROWS, COLUMNS)

    for pieces in seeds:
        check = example(pieces)(check)
    check()


SEEDS: Final = [
    ["漢字かな", "\x1b[100m", "\x1b[2;4r", "\x1b[1J"],
    ["e\u0301", "e\u0301", "\x1b[44m", "aa", "\b", "漢", "\x1b[2;4r", "a", "\x1b[3P"],
    ["\x1b[53m", "漢字かな", "\x1b[u", "e\u0301", "\x1b[3b"],
    ["\x1b[41m", "abc", "\x1b[?1049h", "x", "\x1b[?1049l"],
    ["\x1b[44m", "\x1b[3;9s", "\x1b8", "\x1b[2M"],
    ["\x1b[?69h", "x" * 30, "\x1b[3;9s", "\x1b[?69h", "\x1b[2S"],
]
"""What once differed."""


@pytest.mark.soak
def test_generated_output_looks_as_in_libghostty(soak: bool) -> None:
    _check(PLAIN, 30_000 if soak else 400, SEEDS)


@pytest.mark.soak
def test_generated_output_in_margins_looks_as_in_libghostty(soak: bool) -> None:
    _check(IN_MARGINS, 30_000 if soak else 300, SEEDS)


@pytest.mark.soak
def test_ten_megabytes_of_noise_break_nothing_and_stay_small(soak: bool) -> None:
    pick = random.Random(11)
    recordings = [zlib.decompress(path.read_bytes()) for path in sorted(FOLDER.glob("*.z"))]
    terminal = Terminal(24, 80, scrollback=500)
    terminal.answering = True
    fed = 0
    while fed < (10 << 20 if soak else 400_000):
        data = bytearray(pick.choice(recordings) if pick.random() < 0.5 else pick.randbytes(8192))
        for _ in range(len(data) // 40):
            data[pick.randrange(len(data))] = pick.randrange(256)
        terminal.feed(bytes(data))
        fed += len(data)
        assert len(terminal.take_replies()) < 1 << 17
    assert terminal.history_size <= 500
    assert len(terminal.checkpoint()) < 4 << 20
    assert sum(map(len, terminal.stream.parts)) <= 2 << 20
