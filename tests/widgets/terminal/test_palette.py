"""Colours and attributes become Rich styles, once each."""

from __future__ import annotations

import pytest
from rich.color import Color, ColorType

from core.terminal.attributes import (
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
from widgets.terminal.palette import STANDARD, Palette

INK = Color.from_rgb(200, 200, 200)
PAPER = Color.from_rgb(0, 0, 0)


@pytest.fixture
def palette() -> Palette:
    return Palette(INK, PAPER)


def test_defaults_are_the_colours_of_the_theme(palette: Palette) -> None:
    style = palette.style(DEFAULT)
    assert (style.color, style.bgcolor) == (INK, PAPER)


def test_the_sixteen_colours_come_from_the_theme(palette: Palette) -> None:
    style = palette.style(Attributes(foreground=1, background=12))
    assert style.color
    assert style.bgcolor
    assert style.color.triplet == STANDARD.ansi_colors[1]
    assert style.bgcolor.triplet == STANDARD.ansi_colors[12]


def test_without_a_theme_the_sixteen_are_left_to_the_terminal() -> None:
    style = Palette(Color.default(), Color.default(), None).style(Attributes(foreground=1))
    assert style.color
    assert style.color.type is ColorType.STANDARD
    assert style.bgcolor
    assert style.bgcolor.is_default


def test_indices_above_sixteen_stay_indices(palette: Palette) -> None:
    style = palette.style(Attributes(foreground=208, background=232))
    assert style.color
    assert style.color.number == 208
    assert style.bgcolor
    assert style.bgcolor.number == 232


def test_true_colour_is_exact(palette: Palette) -> None:
    style = palette.style(Attributes(foreground=(1, 2, 3)))
    assert style.color
    assert style.color.triplet == (1, 2, 3)


def test_attributes_are_drawn(palette: Palette) -> None:
    style = palette.style(Attributes(flags=BOLD | ITALIC | STRIKE | OVERLINE))
    assert style.bold
    assert style.italic
    assert style.strike
    assert style.overline
    assert palette.style(Attributes(flags=1 << UNDERLINE_SHIFT)).underline
    assert palette.style(Attributes(flags=2 << UNDERLINE_SHIFT)).underline2


def test_reverse_exchanges_the_colours(palette: Palette) -> None:
    style = palette.style(Attributes(flags=REVERSE))
    assert (style.color, style.bgcolor) == (PAPER, INK)
    assert palette.inverse(Attributes(flags=REVERSE)) == palette.style(DEFAULT)


def test_dim_is_between_ink_and_paper(palette: Palette) -> None:
    style = palette.style(Attributes(flags=DIM))
    assert style.color
    assert style.color.triplet
    assert 0 < style.color.triplet.red < 200
    assert not style.dim


def test_concealed_text_is_the_colour_of_its_paper(palette: Palette) -> None:
    style = palette.style(Attributes(flags=CONCEAL))
    assert style.color == style.bgcolor


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://example.com/a", True),
        ("javascript:alert(1)", False),
        ("https://a/\x1b]52;c;eA==\x07", False),
        ("https://a/\u202e", False),
    ],
)
def test_only_plain_addresses_become_links(palette: Palette, link: str, kept: bool) -> None:
    assert (palette.style(Attributes(link=link)).link == link) is kept


def test_a_style_is_made_once_and_the_table_is_bounded(palette: Palette) -> None:
    look = Attributes(foreground=(9, 9, 9))
    assert palette.style(look) is palette.style(look)
    for red in range(100):
        for green in range(100):
            palette.style(Attributes(foreground=(red, green, 0)))
    assert len(palette._styles) <= 4096
