"""What ``.dockerignore`` means; each case says what is left out of a list of paths."""

from __future__ import annotations

import pytest

from core.builds.ignore import Ignore, glob, parse_ignore
from core.errors import InvalidInput

PATHS = ["a.txt", "b.txt", "d", "d/a.txt", "d/e", "d/e/f.txt", "x/d/e", "x/y/z.md", ".git/HEAD"]

CASES = {
    "*.txt": ["a.txt", "b.txt"],
    "**/*.txt": ["a.txt", "b.txt", "d/a.txt", "d/e/f.txt"],
    "d": ["d", "d/a.txt", "d/e", "d/e/f.txt"],
    "/d/": ["d", "d/a.txt", "d/e", "d/e/f.txt"],
    "d/*": ["d/a.txt", "d/e", "d/e/f.txt"],
    "d/**": ["d/a.txt", "d/e", "d/e/f.txt"],
    "**/e": ["d/e", "d/e/f.txt", "x/d/e"],
    "**/d/e": ["d/e", "d/e/f.txt", "x/d/e"],
    "x/**/e": ["x/d/e"],
    "?.txt": ["a.txt", "b.txt"],
    "[a].txt": ["a.txt"],
    "[^a].txt": ["b.txt"],
    "*\n!b.txt": ["a.txt", "d", "d/a.txt", "d/e", "d/e/f.txt", "x/d/e", "x/y/z.md", ".git/HEAD"],
    "*.txt\n!*.txt": [],
    "!a.txt\n*.txt": ["a.txt", "b.txt"],
    "d\n!d/e": ["d", "d/a.txt"],
    "# a.txt\n\n  b.txt  ": ["b.txt"],
    "./d/../a.txt": ["a.txt"],
    "\\*.txt": [],
    "**": PATHS,
}


@pytest.mark.parametrize("text", CASES)
def test_a_file_is_left_out_as_its_last_matching_line_says(text: str) -> None:
    ignore = parse_ignore(text.encode(), ".dockerignore")
    left_out = [path for path in PATHS if ignore.leaves_out(tuple(path.encode().split(b"/")))]
    assert left_out == CASES[text]


def test_nothing_is_left_out_without_lines() -> None:
    assert not Ignore().leaves_out((b"a",))


@pytest.mark.parametrize("text", ["a\n[x", "a\nb\\", "x\n[b-a]", "x\n!"])
def test_a_malformed_line_is_named_by_its_number(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"\.dockerignore:2"):
        parse_ignore(text.encode(), ".dockerignore")


def test_no_pattern_takes_for_ever() -> None:
    assert not glob(b"*a" * 60 + b"b").fullmatch(b"a" * 4000)
    ignore = parse_ignore(b"**/a/" * 60 + b"b", "x")
    assert not ignore.leaves_out((b"a",) * 100)
