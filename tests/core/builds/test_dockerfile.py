"""The shape of Dockerfiles: what is one instruction, and where an error is."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.builds.dockerfile import KEYWORDS, Heredoc, Instruction, parse_dockerfile
from core.builds.stages import plan
from core.builds.state import State
from core.domain import Platform
from core.errors import DeckError, InvalidInput
from core.images.changes import apply_change, changes_config


def parse(text: str) -> list[Instruction]:
    return parse_dockerfile(text.encode())


def one(text: str) -> Instruction:
    (found,) = parse(text)
    return found


def test_a_continued_line_is_one_instruction_with_the_line_it_begins_on() -> None:
    steps = parse("# a comment\n\nFROM x\nRUN a \\\n  # inside\n\n  && b \\  \n && c\nUSER d")
    assert [(step.keyword, step.line) for step in steps] == [("FROM", 3), ("RUN", 4), ("USER", 9)]
    assert steps[1].text.split() == ["a", "&&", "b", "&&", "c"]


def test_keywords_may_be_small_and_lines_end_as_on_windows() -> None:
    assert [step.keyword for step in parse("from x\r\nrun a \\\r\n b\r\n")] == ["FROM", "RUN"]
    assert parse("\ufeffFROM x")[0].text == "x"


def test_a_doubled_escape_does_not_continue_a_line() -> None:
    assert [step.text for step in parse("RUN a \\\\\nRUN b")] == ["a \\\\", "b"]


def test_the_escape_directive_changes_what_continues() -> None:
    (step,) = parse("# escape=`\nRUN dir c:\\ `\n more")
    assert step.text.split() == ["dir", "c:\\", "more"]
    assert step.escape == "`"


def test_a_directive_after_anything_else_is_a_comment() -> None:
    assert one("# syntax=docker/dockerfile:1\n# a comment\n# escape=`\nRUN a `").text == "a `"


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("# escape=x\nFROM y", "Dockerfile:1", "escape has to be"),
        ("# escape=`\n# escape=`\nFROM y", "Dockerfile:2", "twice"),
        ("FROM x\n\nRUNN y", "Dockerfile:3", "no such instruction: RUNN"),
        ("FROM x\nRUN", "Dockerfile:2", "RUN needs something"),
        ("FROM x\nCOPY --From=a b c", "Dockerfile:2", "malformed flag"),
        ("FROM x\nRUN <<EOF\nno end\n", "Dockerfile:2", "here-document EOF has no end"),
        ("FROM x\nRUN a\0b", "Dockerfile:2", "NUL"),
        ("# nothing", "Dockerfile", "no instructions"),
    ],
)
def test_an_error_names_file_and_line(text: str, where: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as raised:
        parse(text)
    assert raised.value.what == where


def test_bytes_that_are_no_text_are_named_by_their_line() -> None:
    with pytest.raises(InvalidInput, match="UTF-8") as raised:
        parse_dockerfile(b"FROM x\n# \xff\xfe")
    assert raised.value.what == "Dockerfile:2"


def test_flags_are_told_from_the_rest() -> None:
    step = one('COPY --from=a --chown="x y:z" --link -- --b c')
    assert step.flags == (("from", "a"), ("chown", "x y:z"), ("link", ""))
    assert step.text == "--b c"


def test_exec_form_is_json_and_nothing_near_it() -> None:
    assert one('CMD ["a", "b c"]').words() == ["a", "b c"]
    for text in ("CMD ['a']", 'CMD ["a", 1]', "CMD [a]", "CMD a", 'CMD ["a"'):
        assert one(text).words() is None


def test_here_documents_follow_the_line_that_names_them() -> None:
    step, after = parse("COPY <<A <<-'B' /x\n$one\nA\n\ttwo\n\tB\nUSER z")
    assert step.heredocs == (
        Heredoc(name="A", text="$one\n", expand=True),
        Heredoc(name="B", text="two\n", expand=False),
    )
    assert (after.keyword, after.line) == ("USER", 6)


def test_a_shift_in_a_command_is_no_here_document() -> None:
    assert one("RUN echo $((1 << 2))x").heredocs == ()
    assert one('RUN echo "<<EOF"').heredocs == ()
    assert one("CMD cat <<EOF").heredocs == ()


PIECES = (
    *("AS", "--from=", "--chown=", "\\", "\\\n", "\n", "<<EOF", "<<-'E'", "EOF", "E"),
    *('"', "'", "$", "${", "}", ":-", ":+", "$A", "${A}", "[", '["a"]', "#", "`", "=", "a=b", "x"),
    *("# escape=`\n", "\t", " ", "\r\n", "\0", "http://x/y", "NONE", "80/tcp"),
)
WORDS = st.sampled_from([*KEYWORDS, *PIECES])
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.tuples(WORDS, st.sampled_from(["", " ", "\n"])), max_size=40).map(
        lambda pairs: "".join(word + gap for word, gap in pairs)
    ),
)


@settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(TEXTS)
@example("FROM x\nENV a ${a:-${b:-${c:-'}}}")
@example("FROM x\nONBUILD RUN <<a\nb")
def test_no_text_does_more_than_a_typed_error(text: str) -> None:
    with suppress(DeckError):
        found = plan(parse(text), {"A": "1"}, {})
        state = State.scratch(Platform())
        for stage in found.stages:
            for step in stage.steps:
                if changes_config(step.keyword):
                    apply_change(state.config, step, state.lookup)
