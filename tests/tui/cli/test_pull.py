"""``pull``: what is asked of the engine, and how progress is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def asked(deck, tmp_path):
    """The pull that a command line asks the engine for."""

    def run(*words: str, given: bytes = b"") -> dict[str, Any]:
        seen = tmp_path / "spec"
        ended = deck("pull", *words, given=given, env={"HOST_ENGINE_SPECS": str(seen)})
        assert ended.code == 0, ended.talk
        return json.loads(seen.read_text())

    return run


def test_the_name_of_what_was_made_is_all_of_stdout(deck) -> None:
    ended = deck("pull", "lab:5000/x", "--name", "mine")
    assert (ended.code, ended.text) == (0, "mine\n")
    assert "fetch 3.0 MB" in ended.talk
    assert "warning: one uid only" in ended.talk


def test_quiet_says_nothing_but_the_name_and_warnings(deck) -> None:
    ended = deck("pull", "lab:5000/x", "--name", "mine", "--quiet")
    assert (ended.text, ended.talk) == ("mine\n", "warning: one uid only\n")


def test_progress_for_a_program_is_the_job_on_each_line(deck) -> None:
    ended = deck("pull", "lab:5000/x", "--name", "mine", "--progress", "json")
    events = [json.loads(line) for line in ended.talk.splitlines()]
    assert {event["event"] for event in events} == {"job"}
    assert [event["done"] for event in events] == [0, 1_000_000, 3_000_000, 3_000_000]
    assert events[-1]["state"] == "done"


def test_the_result_in_json_is_the_distro(deck) -> None:
    document = deck("pull", "lab:5000/x", "--name", "mine", "--format", "json").document
    assert document["schema"] == "distrodeck.distros/1"
    assert document["items"][0]["name"] == "mine"


def test_a_reference_goes_to_the_engine_as_it_is(asked) -> None:
    spec = asked("127.0.0.1:5600/lib/dev", "--name", "dev", "--platform", "linux/arm64")
    assert (spec["source"], spec["name"]) == ("127.0.0.1:5600/lib/dev", "dev")
    assert spec["platform"] == "linux/arm64"
    assert spec["plain_http"] is False


def test_a_catalog_name_is_left_to_the_engine_to_look_up(asked) -> None:
    spec = asked("debian/12", "--plain-http")
    assert (spec["name"], spec["source"], spec["plain_http"]) == ("", "debian/12", True)


def test_a_path_is_made_absolute_for_an_engine_in_another_folder(asked) -> None:
    here = Path.cwd()
    assert asked("./rootfs.tar")["source"] == str(here / "rootfs.tar")
    assert asked("pyproject.toml")["source"] == str(here / "pyproject.toml")
    assert asked("tests")["source"] == "tests"


def test_credentials_come_from_the_flag_or_standard_input(asked) -> None:
    spec = asked("lab/x", "--creds", "alice:s3:cret")
    assert (spec["credentials"]["username"], spec["credentials"]["password"]) == (
        "alice",
        "s3:cret",
    )
    spec = asked("lab/x", "--creds", "alice", "--password-stdin", given=b"pass word\n")
    assert spec["credentials"]["password"] == "pass word"


def test_a_password_is_asked_for_on_a_terminal_only(deck, deck_tty) -> None:
    ended = deck("pull", "lab/x", "--creds", "alice")
    assert ended.code == 9
    assert "--password-stdin" in ended.talk
    tty = deck_tty("pull", "lab/x", "--creds", "alice")
    tty.until(rb"Password of alice: ")
    tty.type(b"s3cret\n")
    assert b"s3cret" not in tty.until(rb"\nx\r\n")
    assert tty.wait() == 0


def test_a_terminal_gets_bars_and_at_the_end_one_line(deck_tty) -> None:
    tty = deck_tty("pull", "slow")
    tty.until(rb" 1f1f1f1f1f1f +.* fetch")
    tty.process.send_signal(2)
    tty.until(rb"cancelled")
    assert tty.wait() == 130
    tty = deck_tty("pull", "lab/x")
    tty.until(rb"(?s)x: 3.0 MB in \d+:\d\d.*\nx\r\n")
    assert tty.wait() == 0


def test_a_job_that_does_not_stop_can_be_left(deck_tty) -> None:
    tty = deck_tty("pull", "slow-stubborn")
    tty.until(rb"fetch")
    tty.process.send_signal(2)
    tty.until(rb"stopping")
    tty.process.send_signal(2)
    assert tty.wait() == 130
