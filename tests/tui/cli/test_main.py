"""The command line as a whole: usage, flags in either place, errors, exit codes."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from click.testing import CliRunner

from tests.tui.cli.conftest import CHECKOUT, DECK, environment
from tui.cli.main import cli
from tui.cli.verbs import ALIASES, ENTRIES, SECTIONS


def test_without_a_terminal_and_a_verb_the_usage_goes_to_stderr(deck) -> None:
    ended = deck()
    assert (ended.code, ended.out) == (2, b"")
    assert "Usage: distrodeck" in ended.talk


@pytest.mark.parametrize("name", [*ENTRIES, *ALIASES])
def test_every_verb_has_help_that_starts_like_its_summary(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert f"Usage: cli {name}" in result.output


def test_the_help_lists_every_verb_in_its_section(deck) -> None:
    text = deck("--help").text
    for title, section in SECTIONS.items():
        assert f"{title}:" in text
        for name, entry in section.items():
            assert f"{name} " in text
            assert entry.summary in text


def test_an_unknown_verb_is_a_usage_error_with_the_nearest_one(deck) -> None:
    ended = deck("imags")
    assert ended.code == 2
    assert "did you mean images" in ended.talk


def test_an_unknown_flag_is_a_usage_error_also_in_json(deck) -> None:
    ended = deck("ls", "--nope", "--format", "json")
    assert (ended.code, ended.out) == (2, b"")
    assert ended.error["code"] == "usage"
    assert "--nope" in ended.error["message"]


@pytest.mark.parametrize(
    "words",
    [
        ("--format", "json", "ls"),
        ("ls", "--format", "json"),
        ("--format=json", "ls"),
        ("--format", "table", "ls", "--format", "json"),
        ("--embedded", "ls", "--root", "/tmp/x", "--format", "json", "-q"),
    ],
)
def test_global_flags_stand_before_or_after_the_verb(deck, words) -> None:
    ended = deck(*words)
    assert ended.code == 0, ended.talk
    assert ended.document["schema"] == "distrodeck.distros/1"


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (("inspect", "nope"), 3, "not_found"),
        (("rm", "dev", "--yes"), 4, "conflict"),
        (("pull", "lab/private"), 5, "login_needed"),
        (("start", "gone"), 8, "daemon_unreachable"),
        (("rm", "base", "--now"), 9, "refused"),
        (("start", "hang", "--timeout", "0.2"), 124, "timed_out"),
        (("run", "nope", "--", "true"), 125, "not_found"),
        (("run", "gone", "--", "true"), 125, "daemon_unreachable"),
        (("run", "dev", "--", "/etc/passwd"), 126, "command_not_executable"),
        (("run", "dev", "--", "nosuch-command"), 127, "command_not_found"),
        (("run", "hang", "--timeout", "0.2", "--", "true"), 124, "timed_out"),
    ],
)
def test_an_error_has_its_exit_code_and_in_json_its_own_code(deck, words, code, name) -> None:
    ended = deck("--format", "json", *words)
    assert ended.code == code, ended.talk
    last = ended.talk.splitlines()[-1]
    error = json.loads(last)["error"]
    assert error["code"] == name
    assert set(error) >= {"code", "message", "hint"}
    assert ended.out == b""


def test_an_error_for_a_person_says_what_why_and_the_next_step(deck) -> None:
    ended = deck("inspect", "nope")
    assert ended.talk == "distrodeck: nope: no such image\n"
    ended = deck("start", "nope")
    assert ended.talk == "distrodeck: nope: no such distro\n  try: distrodeck ls\n"


def test_control_characters_in_an_error_do_not_reach_the_terminal(deck) -> None:
    ended = deck("start", "\x1b]0;title\x07")
    assert b"\x1b" not in ended.err
    assert b"\x07" not in ended.err


def test_a_reader_that_goes_away_is_no_drama(deck) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*DECK, "ls", "--format", "json"],
        stdout=writer,
        stderr=subprocess.PIPE,
        cwd=CHECKOUT,
        env=environment(),
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_behind_stdout_is_told(deck) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*DECK, "ls"],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=CHECKOUT,
            env=environment(),
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert b"standard output: no space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_closed_standard_files_are_survived() -> None:
    done = subprocess.run(
        ["sh", "-c", f"exec {' '.join(DECK)} run dev -- cat <&- 2>&-"],
        stdout=subprocess.PIPE,
        cwd=CHECKOUT,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_ctrl_c_ends_with_130(deck_tty) -> None:
    tty = deck_tty("pull", "slow")
    tty.until(rb"fetch")
    tty.process.send_signal(2)
    tty.until(rb"kept: 1 MB")
    assert tty.wait() == 130


def test_debug_shows_where_an_error_came_from(deck) -> None:
    assert "Traceback" not in deck("start", "nope").talk
    assert "Traceback" in deck("start", "nope", "--debug").talk
