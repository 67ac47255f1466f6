"""Every case against two other terminals: libghostty, asked now, and tmux, asked once.

Accepted is what one of the two shows, and where both show the same, that. Looks are compared
with libghostty alone: tmux drops backgrounds when it is asked.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from core.terminal.terminal import Terminal
from tests.core.terminal.cases import CASES, COLUMNS, ROWS, Case
from tests.core.terminal.differences import DIFFERENCES
from tests.core.terminal.ghostty import look_of_ghostty, start
from tests.core.terminal.looks import Look, look_of
from tests.core.terminal.tmux import key_of, shown_by, stored

FAMILIES = sorted({case.family for case in CASES})


class Verdict(NamedTuple):
    """How a case compares; each is empty where all is well."""

    text: str = ""
    looks: str = ""


def ours(data: bytes, step: int = 0) -> Terminal:
    terminal = Terminal(ROWS, COLUMNS)
    terminal.answering = True
    for start_at in range(0, len(data), step or len(data)):
        terminal.feed(data[start_at : start_at + (step or len(data))])
    return terminal


def theirs(data: bytes) -> Look:
    terminal = start(ROWS, COLUMNS)
    terminal.feed(data)
    look = look_of_ghostty(terminal)
    terminal.close()
    return look


def judge(case: Case, tmux: Look) -> Verdict:
    mine, ghostty = look_of(ours(case.data)), theirs(case.data)
    place = (mine.rows, mine.cursor)
    others = [(other.rows, other.cursor) for other in (ghostty, tmux)]
    text = looks = ""
    if place not in others or (others[0] == others[1] != place):
        text = f"\nours    {place}\nghostty {others[0]}\ntmux    {others[1]}"
    elif place == others[0] and mine.attributes != ghostty.attributes:
        looks = "\n".join(
            f"{y},{x}: ours {one}, ghostty {other}"
            for y, rows in enumerate(zip(mine.attributes, ghostty.attributes, strict=True))
            for x, (one, other) in enumerate(zip(*rows, strict=True))
            if one != other
        )
    return Verdict(text, looks)


@pytest.mark.parametrize("family", FAMILIES)
def test_sequence_shows_what_other_terminals_show(family: str) -> None:
    answers = stored()
    for case in CASES:
        if case.family != family:
            continue
        verdict = judge(case, shown_by(answers[key_of(case.data)]))
        if (case.family, case.sequence) in DIFFERENCES:
            assert verdict != Verdict(), f"{case} differs no more: take it off the list"
        else:
            assert verdict == Verdict(), case


@pytest.mark.parametrize("family", FAMILIES)
def test_sequence_fed_byte_by_byte_ends_the_same(family: str) -> None:
    for case in CASES:
        if case.family == family:
            whole, bytewise = ours(case.data), ours(case.data, 1)
            assert whole.checkpoint() == bytewise.checkpoint(), case
            assert whole.take_replies() == bytewise.take_replies(), case


def test_every_difference_is_of_a_case() -> None:
    assert set(DIFFERENCES) <= {(case.family, case.sequence) for case in CASES}
