"""Variables and quotes: every case is a word and what becomes of it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.builds.words import expand, expand_words, raw_words, unquote
from core.errors import DeckError, InvalidInput

VARIABLES = {"A": "1", "TWO": "x y", "EMPTY": "", "TRICK": "$A ${A}"}

CASES = {
    "plain": "plain",
    "$A": "1",
    "${A}b": "1b",
    "$Ab": "",
    "$NONE": "",
    "${NONE:-d}": "d",
    "${EMPTY:-d}": "d",
    "${EMPTY-d}": "",
    "${A:-d}": "1",
    "${A:+set}": "set",
    "${EMPTY:+set}": "",
    "${EMPTY+set}": "set",
    "${NONE:-${A}${NONE:-deep}}": "1deep",
    "${NONE:-'a b'}": "a b",
    "\\$A": "$A",
    "\\\\$A": "\\1",
    "'$A'": "$A",
    '"$A"': "1",
    '"\\$A \\"x\\""': '$A "x"',
    "'a'\"b\"c": "abc",
    "$": "$",
    "a$": "a$",
    "$.": "$.",
    "$TRICK": "$A ${A}",
    "a\\ b": "a b",
}


@pytest.mark.parametrize("text", CASES)
def test_a_word_is_expanded_once_and_unquoted(text: str) -> None:
    assert expand(text, VARIABLES.get) == CASES[text]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a  b\tc", ["a", "b", "c"]),
        ("$TWO", ["x", "y"]),
        ('"$TWO"', ["x y"]),
        ("a$TWO", ["ax", "y"]),
        ("$EMPTY a", ["a"]),
        ('""', [""]),
        ("a\\ b", ["a b"]),
    ],
)
def test_a_bare_variable_may_hold_several_words(text: str, words: list[str]) -> None:
    assert expand_words(text, VARIABLES.get) == words


@pytest.mark.parametrize(
    "text", ["${", "${}", "${A", "${A:-", "${A:x}", "${A^^}", "'a", '"a', "${1x}", "${NONE:?gone}"]
)
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        expand(text, VARIABLES.get)


def test_a_reason_of_ones_own_is_told() -> None:
    with pytest.raises(InvalidInput, match="NONE: give it"):
        expand("${NONE:?give it}", VARIABLES.get)


def test_quotes_of_here_documents_stay() -> None:
    text = 'it\'s "$A" \\$A \\n'
    assert expand(text, VARIABLES.get, keep_quotes=True) == 'it\'s "1" $A \\n'


def test_raw_words_keep_what_was_written() -> None:
    assert raw_words("a='b c' \"d\\\" e\" f\\ g 'h") == ["a='b c'", '"d\\" e"', "f\\ g", "'h"]
    assert unquote("a='b c'") == ("a=b c", True)


@settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(st.text(alphabet="$\\{}:-+?'\" ab\n", max_size=80), st.sampled_from("\\`"))
def test_expansion_ends_with_text_or_a_typed_error(text: str, escape: str) -> None:
    for function in (expand, expand_words):
        with suppress(DeckError):
            function(text, VARIABLES.get, escape)


def test_nesting_has_a_bottom() -> None:
    with pytest.raises(InvalidInput, match="nested"):
        expand("${N:-" * 5000 + "}" * 5000, VARIABLES.get)
