"""Input is cut into whole keys, reports and pastes, however it was chopped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.input_splitter import SEQUENCE_WAIT, InputSplitter

WAIT = 0.02


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def make() -> tuple[InputSplitter, Clock]:
    clock = Clock()
    return InputSplitter(WAIT, clock), clock


def test_a_lone_esc_is_held_for_the_wait_and_no_longer() -> None:
    splitter, clock = make()
    assert list(splitter.feed("\x1b")) == []
    assert splitter.wait == pytest.approx(WAIT)
    assert list(splitter.expire()) == []
    clock.now += WAIT
    assert list(splitter.expire()) == ["\x1b"]
    assert splitter.wait is None


def test_an_alt_chord_needs_no_wait() -> None:
    splitter, _ = make()
    assert list(splitter.feed("\x1b.x")) == ["\x1b.", "x"]
    assert splitter.wait is None


def test_two_escs_are_two_keys_the_second_one_held() -> None:
    splitter, _ = make()
    assert list(splitter.feed("\x1b\x1b")) == ["\x1b"]
    assert list(splitter.feed("[A")) == ["\x1b[A"]


def test_a_mouse_report_is_waited_for_much_longer_than_an_esc() -> None:
    splitter, clock = make()
    assert list(splitter.feed("\x1b[<35;1")) == []
    clock.now += SEQUENCE_WAIT / 2
    assert list(splitter.expire()) == []
    assert list(splitter.feed("0;7M")) == ["\x1b[<35;10;7M"]


@pytest.mark.parametrize("given_up", ["\x1b", "\x1b["])
def test_a_report_whose_esc_was_given_up_is_put_together_again(given_up: str) -> None:
    splitter, clock = make()
    list(splitter.feed(given_up))
    clock.now += WAIT
    assert list(splitter.expire()) == [given_up]
    rest = "\x1b[<35;10;7M".removeprefix(given_up)
    assert list(splitter.feed(rest)) == ["\x1b[<35;10;7M"]


def test_a_bracket_typed_after_esc_is_text() -> None:
    splitter, clock = make()
    list(splitter.feed("\x1b"))
    clock.now += WAIT
    list(splitter.expire())
    assert list(splitter.feed("[x")) == ["[", "x"]


def test_half_a_mouse_report_is_dropped() -> None:
    splitter, clock = make()
    list(splitter.feed("\x1b[<35;10"))
    clock.now += SEQUENCE_WAIT
    assert list(splitter.expire()) == []
    assert list(splitter.feed("x")) == ["x"]


def test_a_paste_is_one_unit_and_waits_for_its_end() -> None:
    splitter, _ = make()
    assert list(splitter.feed("a\x1b[200~one\x1b[A \x1b[20")) == ["a"]
    assert splitter.wait is None
    assert list(splitter.feed("1~b")) == ["\x1b[200~one\x1b[A \x1b[201~", "b"]


def test_a_sequence_broken_off_by_another_is_not_mixed_with_it() -> None:
    splitter, _ = make()
    assert list(splitter.feed("\x1b[1;\x1b[B")) == ["\x1b[1;", "\x1b[B"]


@given(
    st.text(alphabet="\x1b[]OM<0159;~uAZRab\x00\xff \x7fé", max_size=40),
    st.lists(st.integers(1, 5), max_size=40),
)
def test_nothing_is_lost_or_added_however_the_input_is_chopped(text: str, cuts: list[int]) -> None:
    splitter, clock = make()
    units = []
    position = 0
    for cut in [*cuts, len(text)]:
        units += splitter.feed(text[position : position + cut])
        position += cut
    whole = "".join(units)
    assert text.startswith(whole)
    clock.now += 2 * SEQUENCE_WAIT
    rest = "".join(splitter.expire())
    assert text[len(whole) :] == rest or "\x1b[<" in text or "\x1b[200~" in text


@given(
    st.text(alphabet="\x1b[]OM<0159;~uAZRab\x00\xff \x7fé", max_size=30),
    st.lists(st.integers(1, 5), max_size=30),
)
def test_chopping_changes_nothing_when_the_line_is_quick(text: str, cuts: list[int]) -> None:
    whole, _ = make()
    chopped, _ = make()
    units = []
    position = 0
    for cut in [*cuts, len(text)]:
        units += chopped.feed(text[position : position + cut])
        position += cut
    assert units == list(whole.feed(text))
