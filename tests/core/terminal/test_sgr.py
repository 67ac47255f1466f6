from __future__ import annotations

import pytest

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
from core.terminal.sgr import apply_sgr, quick_color, sgr_of


@pytest.mark.parametrize(
    ("params", "look"),
    [
        ("", DEFAULT),
        ("1;2;3", Attributes(flags=BOLD | DIM | ITALIC)),
        ("5;7;8;9;53", Attributes(flags=BLINK | REVERSE | CONCEAL | STRIKE | OVERLINE)),
        ("6", Attributes(flags=BLINK)),
        ("1;2;22", DEFAULT),
        ("3;4;5;7;8;9;53;23;24;25;27;28;29;55", DEFAULT),
        ("4", Attributes(flags=1 << UNDERLINE_SHIFT)),
        ("21", Attributes(flags=2 << UNDERLINE_SHIFT)),
        ("4:3", Attributes(flags=3 << UNDERLINE_SHIFT)),
        ("4:3;4:0", DEFAULT),
        ("31;42", Attributes(1, 2)),
        ("95;105", Attributes(13, 13)),
        ("31;42;39;49", DEFAULT),
        ("38;5;3;48;5;255", Attributes(3, 255)),
        ("38;2;1;2;3", Attributes((1, 2, 3))),
        ("38:2:1:2:3", Attributes((1, 2, 3))),
        ("38:2::1:2:3", Attributes((1, 2, 3))),
        ("38:5:200", Attributes(200)),
        ("58;5;1", Attributes(underline_color=1)),
        ("58;2;1;2;3;1", Attributes(flags=BOLD, underline_color=(1, 2, 3))),
        ("58:5:1;59", DEFAULT),
        ("38;5;256", DEFAULT),
        ("38;5", DEFAULT),
        ("38;2;1;2", DEFAULT),
        ("38", DEFAULT),
        ("38;5;1:0", Attributes(1)),
        ("1;0", DEFAULT),
        ("1;", DEFAULT),
        ("999;31", Attributes(1)),
    ],
)
def test_parameters_change_the_look(params: str, look: Attributes) -> None:
    assert apply_sgr(DEFAULT, params) == look


@pytest.mark.parametrize(
    "params",
    [
        "38;2;1;2;3", "48;2;255;0;9", "38;2;1;2;3;48;2;4;5;6", "38;5;9", "48;5;255",
        "38;5;1;48;5;2", "58;5;1", "38;2;1;2;300", "38;5;", "38;2;01;2;3", "1;31", "48;5;1;38;5;2",
    ],
)  # fmt: skip
def test_quick_way_agrees_with_the_general_one(params: str) -> None:
    pen = Attributes(7, (1, 1, 1), BOLD, 3, "link")
    quick = quick_color(pen, f"\x1b[{params}m")
    assert quick is None or quick == apply_sgr(pen, params)


@pytest.mark.parametrize("params", ["1;4:3;38:2::1:2:3", "31;102;58:5:9", "0;2;3;5;7;8;9;53"])
def test_reported_parameters_bring_the_look_back(params: str) -> None:
    look = apply_sgr(DEFAULT, params)
    assert apply_sgr(DEFAULT, sgr_of(look)) == look
