"""The command line of the console and the key table: words, usage, no clashes."""

from __future__ import annotations

from collections import Counter

import pytest
from textual.geometry import Size

from core.errors import InvalidInput, NotFound
from tui.breakpoints import size_classes
from tui.commands import Command, parse
from tui.keymap import NORMAL, PREFIXED, pane_bindings, prefixed_action, screen_bindings
from tui.screens.run import command_argv


def test_words_of_the_cli() -> None:
    assert parse("pull docker.io/library/debian:sid sid") == Command(
        word="pull", target="docker.io/library/debian:sid", name="sid"
    )
    assert parse("pull alpine --name a") == Command(word="pull", target="alpine", name="a")
    assert parse("remove 'my dev'") == Command(word="rm", target="my dev")
    assert parse("  ") is None
    assert parse("q") == Command(word="quit")


@pytest.mark.parametrize("line", ["shell", "rm a b", "refresh now", "pull 'a"])
def test_wrong_usage_says_the_usage(line: str) -> None:
    with pytest.raises(InvalidInput):
        parse(line)


def test_unknown_word_lists_the_known_ones() -> None:
    with pytest.raises(NotFound) as caught:
        parse("pul alpine")
    assert "pull" in caught.value.hint


def test_no_key_has_two_meanings() -> None:
    for bindings in ([*pane_bindings(), *screen_bindings()],):
        keys = Counter(key for binding in bindings for key in binding.key.split(","))
        assert [key for key, count in keys.items() if count > 1] == []
    keys = Counter(key for item in PREFIXED if item.keys for key in item.keys.split(","))
    assert [key for key, count in keys.items() if count > 1] == []


def test_destructive_keys_are_not_a_shift_away_from_safe_ones() -> None:
    assert not {"X"} & {key for item in NORMAL for key in item.keys.split(",")}


def test_after_the_prefix() -> None:
    assert prefixed_action("3") == "tab(3)"
    assert prefixed_action("c") == prefixed_action("n") == "new_shell"
    assert prefixed_action("f") is None


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("uname -a", ("uname", "-a")),
        ("echo 'a b'", ("echo", "a b")),
        ("ls | wc -l", ("sh", "-c", "ls | wc -l")),
        ("echo $HOME", ("sh", "-c", "echo $HOME")),
    ],
)
def test_lines_with_shell_characters_go_to_a_shell(line: str, argv: tuple[str, ...]) -> None:
    assert command_argv(line) == argv


@pytest.mark.parametrize("line", ["", "   ", "echo 'a"])
def test_lines_without_a_command_are_refused(line: str) -> None:
    with pytest.raises(InvalidInput):
        command_argv(line)


@pytest.mark.parametrize(
    ("size", "classes"),
    [
        ((59, 15), ("-slim", "-flat")),
        ((80, 24), ("-narrow", "-low")),
        ((120, 40), ("-medium", "-tall")),
        ((200, 60), ("-wide", "-high")),
    ],
)
def test_breakpoints(size: tuple[int, int], classes: tuple[str, str]) -> None:
    assert size_classes(Size(*size)) == classes
