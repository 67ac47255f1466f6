"""The main job by the command line, for every kind of user; afterwards nothing is left."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.deck import new_deck
from tests.host import leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.deck import Deck

SPEAK = "echo out; echo err >&2; exit 7"


def _nothing_left(root: Path) -> None:
    """Nothing refers to ``root`` any more; a process that was told to end takes its time."""
    deadline = time.monotonic() + 20
    while left := leftovers(root):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


@pytest.fixture(scope="module", params=["root", "subuids", "one uid"])
def dev(request: pytest.FixtureRequest, plain: str) -> Iterator[Deck]:
    """``lib/dev`` installed as ``dev``."""
    users = {"subuids": "ordinary_user", "one uid": "single_uid_user"}
    name = users.get(request.param)
    with new_deck(request.getfixturevalue(name) if name else None) as deck:
        pulled = deck.done("pull", f"{plain}/lib/dev", "--name", "dev")
        assert pulled.out == "dev\n"
        yield deck


def test_ls_tells_what_a_program_wants_to_know(dev: Deck, plain: str, fix: dict[str, Any]) -> None:
    (distro,) = dev.items("ls")
    assert distro["name"] == "dev"
    assert distro["url"] == f"{plain}/lib/dev"
    assert distro["version"] == "12"
    assert distro["path"].startswith(str(dev.root))
    assert distro["size"] == fix["images"]["dev"]["tree"]["file_bytes"] or distro["size"] > 10**8
    assert distro["image_digest"] == fix["images"]["dev"]["digest"]
    assert json.loads(dev.done("ls", "--format", "json").out)["schema"] == "distrodeck.distros/1"
    assert dev.done("ls", "--quiet").out == "dev\n"


def test_streams_stay_apart_and_the_exit_code_is_the_commands(dev: Deck) -> None:
    ended = dev("run", "dev", "--", "sh", "-c", SPEAK)
    assert (ended.code, ended.out, ended.talk) == (7, "out\n", "err\n")


def test_input_is_the_commands_byte_for_byte(dev: Deck) -> None:
    assert dev.done("run", "dev", "--", "cat", given="hi\n").out == "hi\n"
    long = "".join(f"{n}\n" for n in range(100_000))
    assert dev.done("run", "dev", "--", "cat", given=long).out == long


def test_a_quick_command_is_never_lost(dev: Deck) -> None:
    for _ in range(5):
        assert dev.done("run", "dev", "--", "echo", "here").out == "here\n"


def test_history_has_a_line_for_each_step(dev: Deck, fix: dict[str, Any]) -> None:
    steps = dev.items("history", "dev")
    layers = [step for step in steps if step["layer"]]
    assert len(layers) == len(fix["images"]["dev"]["layers"]) == 2
    assert "fixture layer 0" in layers[-1]["created_by"]


def test_changes_stay_over_stop_and_start(dev: Deck) -> None:
    dev.done("run", "dev", "--", "sh", "-c", "echo kept > /root/kept; rm /etc/motd")
    dev.done("stop", "dev")
    assert dev.done("run", "dev", "--", "cat", "/root/kept").out == "kept\n"
    assert dev("run", "dev", "--", "test", "-e", "/etc/motd").code == 1


def test_a_shell_is_a_terminal_with_job_control(dev: Deck) -> None:
    with dev.terminal("shell", "dev") as tty:
        prompt = rb"root@dev:~#"
        seen = tty.until(prompt)
        tty.type(b"tty\n")
        seen += tty.until(rb"\r/dev/pts/\d+\r\n.*" + prompt)
        for key, told in ((b"\x03", b"ended 130"), (b"\x1a", b"ended 148")):
            tty.type(b"sh -c 'echo up; exec sleep 100'\n")
            tty.until(rb"\rup\r\n")
            tty.type(key)
            tty.until(prompt)
            tty.type(b"echo ended $?\n")
            tty.until(rb"\r" + told + rb"\r\n.*" + prompt)
        assert b"cannot set terminal process group" not in seen
        tty.type(b"exec sh -c 'exit 9'\n")
        assert tty.wait() == 9


def test_removing_can_be_undone_but_for_good_needs_a_yes_and_leaves_nothing(dev: Deck) -> None:
    assert dev.done("rm", "dev").talk.count("\n") <= 1
    assert dev.items("ls") == []
    assert dev.done("undo").out == "dev\n"
    assert [distro["name"] for distro in dev.items("ls")] == ["dev"]
    refused = dev.refused("rm", "dev", "--now")
    assert (refused.code, refused.error["code"]) == (9, "refused")
    assert dev.done("rm", "dev", "--now", "--yes").talk.count("\n") <= 1
    assert dev.items("ls") == []
    assert dev.items("images") == []
    assert dev.items("undo", "--list") == []
    dev.done("serve", "--stop")
    _nothing_left(dev.root)


def test_without_a_daemon_the_same_holds(plain: str) -> None:
    with new_deck(flags=("--embedded",)) as deck:
        assert deck.done("pull", f"{plain}/lib/busybox", "--name", "bb").out == "bb\n"
        shown, files = deck.shown(), deck.files()
        ended = deck("run", "bb", "--", "sh", "-c", SPEAK)
        assert (ended.code, ended.out, ended.talk) == (7, "out\n", "err\n")
        assert deck.done("run", "bb", "--", "cat", given="hi\n").out == "hi\n"
        for words, code in (
            (("pull", f"{plain}/lib/nope"), 3),
            (("pull", f"{plain}/lib/UPPER"), 2),
            (("pull", f"{plain}/lib/minbase", "--name", "bb"), 4),
            (("pull", "127.0.0.1:1/lib/x"), 6),
            (("run", "bb", "--", "nope"), 127),
            (("run", "bb", "--", "/etc/passwd"), 126),
            (("run", "bb", "--workdir", "/nope", "--", "pwd"), 125),
            (("history", "nope"), 3),
        ):
            assert deck.refused(*words).code == code
        assert (deck.shown(), deck.files()) == (shown, files)
        deck.done("rm", "--now", "bb", "--yes")
        _nothing_left(deck.root)
