"""Which addresses are found, where they end, and which may be opened."""

from __future__ import annotations

import pytest

from core.terminal.lines import Position
from core.terminal.links import is_safe, link_at, urls_in
from core.terminal.terminal import Terminal


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://example.com/a?b=c#d.", ["https://example.com/a?b=c#d"]),
        ("(http://example.com)", ["http://example.com"]),
        ("https://example.com/a_(b) c", ["https://example.com/a_(b)"]),
        (
            "<https://example.com>, mailto:a@example.com!",
            ["https://example.com", "mailto:a@example.com"],
        ),
        ('href="https://example.com/x"', ["https://example.com/x"]),
        ("│https://example.com│", ["https://example.com"]),
        ("https:// and javascript:alert(1) and file:///etc/passwd", []),
    ],
    ids=range(7),
)
def test_urls(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in urls_in(text)] == found


def test_a_url_that_wraps_is_whole_from_each_of_its_rows() -> None:
    terminal = Terminal(5, 20)
    terminal.feed("漢字 https://example.com/long/path end".encode())
    for place in (Position(0, 5), Position(0, 19), Position(1, 3)):
        assert link_at(terminal, place) == "https://example.com/long/path"
    assert link_at(terminal, Position(0, 0)) == ""
    assert link_at(terminal, Position(2, 10)) == ""


def test_a_hyperlink_of_the_program_wins_over_its_text() -> None:
    terminal = Terminal(5, 40)
    terminal.feed(b"\x1b]8;;https://example.com/real\x07https://example.org\x1b]8;;\x07")
    assert link_at(terminal, Position(0, 3)) == "https://example.com/real"


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://example.com", True),
        ("HTTPS://example.com", True),
        ("mailto:a@example.com", True),
        ("file:///etc/passwd", False),
        ("javascript:alert(1)", False),
        ("--help", False),
        ("https:", False),
        ("https://exämple.com", False),
        ("https://example.com/a b", False),
        ("https://example.com/\x1b[m", False),
        ("https://" + "a" * 4000, False),
    ],
    ids=range(11),
)
def test_only_known_schemes_in_plain_ascii_are_opened(address: str, safe: bool) -> None:
    assert is_safe(address) is safe
