"""The whole main job by the command line: real registry, daemon, sandbox and terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.tui.cli.conftest import Ended, Tty, environment

if TYPE_CHECKING:
    from pathlib import Path

DECK = [sys.executable, "-P", "-m", "tui"]


@dataclass(frozen=True, slots=True)
class Deck:
    """``distrodeck --root R`` as one user of this machine."""

    prefix: list[str]
    root: Path

    def argv(self, *words: str) -> list[str]:
        return [*self.prefix, *DECK, "--root", str(self.root), *words]

    def __call__(self, *words: str, given: bytes = b"") -> Ended:
        done = subprocess.run(
            self.argv(*words),
            input=given,
            capture_output=True,
            cwd="/",
            timeout=100,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def done(self, *words: str, given: bytes = b"") -> Ended:
        ended = self(*words, given=given)
        assert ended.code == 0, ended.talk
        return ended

    def items(self, *words: str) -> list[dict[str, Any]]:
        return self.done(*words, "--format", "json").document["items"]


@pytest.fixture(params=["root", "ordinary user"])
def real(request: pytest.FixtureRequest, make_root, as_user) -> Deck:
    if request.param == "root":
        return Deck([], make_root())
    user = request.getfixturevalue("ordinary_user")
    return Deck(as_user(user), make_root(user))


@pytest.fixture
def plain(fix) -> str:
    return fix["registries"]["plain"]["host"]


@pytest.fixture
def tty_of():
    opened: list[Tty] = []

    def run(deck: Deck, *words: str, rows: int = 24, columns: int = 80) -> Tty:
        opened.append(Tty(deck.argv(*words), environment(), rows, columns))
        return opened[-1]

    yield run
    for one in opened:
        one.close()


def test_the_main_job(real: Deck, plain: str, leftovers) -> None:
    ended = real.done("pull", f"{plain}/lib/dev", "--name", "dev")
    assert ended.text == "dev\n"
    assert "fetch" in ended.talk
    (distro,) = real.items("ls")
    assert distro["name"] == "dev"
    assert distro["url"] == f"{plain}/lib/dev"
    assert distro["version"]
    assert distro["size"] > 10_000_000
    assert distro["path"].startswith(str(real.root))
    ended = real("run", "dev", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (ended.out, ended.err, ended.code) == (b"out\n", b"err\n", 7)
    assert real.done("run", "dev", "--", "cat", given=b"hi\n").out == b"hi\n"
    layers = [entry["layer"] for entry in real.items("history", "dev") if entry["layer"]]
    assert len(layers) == 2
    (image,) = real.items("images")
    assert image["distros"] == ["dev"]
    (told,) = real.items("inspect", "dev")
    assert told["image"]["digest"] == image["digest"] == distro["image_digest"]
    assert real.done("rm", "dev", "--yes").text == "dev\n"
    assert real.items("ls") == []
    real.done("serve", "--stop")
    deadline = time.monotonic() + 20
    while leftovers(real.root) and time.monotonic() < deadline:
        # Another test's sandbox that is being set up has this machine's mounts for a moment.
        time.sleep(0.1)
    assert leftovers(real.root) == []


def test_errors_end_as_the_list_of_exit_codes_says(deck_root, fix, plain: str) -> None:
    real = Deck([], deck_root)
    basic = fix["registries"]["basic"]["host"]
    for words, code, named in (
        (("pull", f"{plain}/lib/dev:nope", "--name", "x"), 3, "nope"),
        (("pull", "127.0.0.1:1/lib/dev", "--name", "x"), 6, "127.0.0.1:1"),
        (("pull", f"{basic}/private/busybox", "--name", "x"), 5, basic),
        (("pull", f"{plain}/UPPER//case", "--name", "x"), 2, "UPPER"),
        (("rm", "nope", "--yes"), 3, "nope"),
        (("history", "nope"), 3, "nope"),
        (("run", "nope", "--", "true"), 125, "nope"),
        (("attach", "99"), 9, "terminal"),
    ):
        ended = real("--format", "json", *words)
        assert ended.code == code, (words, ended.talk)
        error = json.loads(ended.talk.splitlines()[-1])["error"]
        assert named in error["message"]
    user = fix["credentials"]["username"]
    ended = real(
        *("pull", f"{basic}/private/busybox", "--name", "x", "--creds", user, "--password-stdin"),
        given=fix["credentials"]["password"].encode(),
    )
    assert (ended.code, ended.text) == (0, "x\n"), ended.talk
    ended = real("pull", f"{plain}/lib/edge", "--name", "x")
    assert ended.code == 4, ended.talk
    for argv, code in (
        (("/etc/passwd",), 126),
        (("nosuch",), 127),
        (("sh", "-c", "kill -9 $$"), 137),
    ):
        assert real("run", "x", "--", *argv).code == code
    assert real("run", "--workdir", "/nowhere", "x", "--", "true").code == 125
    ended = real("--format", "json", "run", "--bind", "/no/such:/x", "x", "--", "true")
    assert (ended.code, ended.error["code"]) == (125, "invalid_input")


def test_a_shell_is_left_and_found_again_with_its_screen(real: Deck, plain: str, tty_of) -> None:
    real.done("pull", f"{plain}/lib/busybox", "--name", "box")
    tty = tty_of(real, "shell", "box", rows=30, columns=100)
    tty.until(rb"[#$] ")
    tty.type(b"tty; stty size; echo mark-$((40+2))\r")
    told = tty.until(rb"\r\nmark-42\r\n")
    assert b"/dev/pts/" in told
    assert b"30 100" in told
    tty.type(b"\x1dd")
    tty.until(rb"back with: distrodeck attach \d+")
    assert tty.wait() == 0
    (session,) = real.items("sessions", "--running")
    assert (session["distro"], session["clients"]) == ("box", 0)
    info = real.items("serve", "--status")[0]
    subprocess.run([*real.prefix, "kill", "-9", str(info["pid"])], check=True)
    tty = tty_of(real, "attach", "box", rows=30, columns=100)
    tty.until(rb"mark-42")
    tty.type(b"echo after-$((40+3)); exit 6\r")
    tty.until(rb"after-43")
    assert tty.wait() == 6
    (session,) = real.items("sessions")
    assert (session["state"], session["exit_code"]) == ("exited", 6)


def test_a_shell_is_recorded_while_somebody_works_in_it(
    deck_root, plain: str, tty_of, tmp_path: Path
) -> None:
    deck = Deck([], deck_root)
    deck.done("pull", f"{plain}/lib/busybox", "--name", "box")
    file = tmp_path / "box.cast"
    shell = tty_of(deck, "shell", "box", rows=30, columns=100)
    shell.until(rb"[#$] ")
    recording = tty_of(deck, "record", "box", "-o", str(file))
    recording.until(rb"recording session \d+")
    shell.type(b"echo $((6*7))-recorded\r")
    shell.until(rb"42-recorded")
    shell.type(b"exit\r")
    assert shell.wait() == 0
    recording.until(rb"recorded [0-9.]+ s")
    assert recording.wait() == 0
    assert '"width": 100, "height": 30' in file.read_text()
    assert b"42-recorded" in deck.done("replay", str(file)).out


def test_a_lost_client_leaves_a_shell_but_ends_a_command(real: Deck, plain: str, tty_of) -> None:
    real.done("pull", f"{plain}/lib/busybox", "--name", "box")
    tty = tty_of(real, "shell", "box")
    tty.until(rb"[#$] ")
    tty.process.send_signal(signal.SIGKILL)
    tty.wait()
    command = subprocess.Popen(
        real.argv("run", "box", "--", "sh", "-c", "echo started; sleep 1000"),
        stdout=subprocess.PIPE,
        cwd="/",
    )
    assert command.stdout is not None
    assert command.stdout.readline() == b"started\n"
    command.kill()
    command.wait()
    command.stdout.close()
    tty = tty_of(real, "attach", "box")
    tty.until(rb"[#$] ")
    tty.type(b"while pidof sleep; do usleep 50000; done; echo gone-$((1+1)); exit\r")
    tty.until(rb"gone-2")
    tty.wait()


def test_a_hundred_megabytes_pass_unchanged(deck_root, plain: str) -> None:
    real = Deck([], deck_root)
    real.done("pull", f"{plain}/lib/busybox", "--name", "box")
    block = os.urandom(1 << 20)
    data = block * 100
    ended = real.done("run", "box", "--", "cat", given=data)
    assert ended.out == data


def test_a_signal_reaches_a_command_that_takes_no_input(deck_root, plain: str) -> None:
    real = Deck([], deck_root)
    real.done("pull", f"{plain}/lib/busybox", "--name", "box")
    with open("/dev/zero", "rb") as zeros:
        process = subprocess.Popen(
            real.argv("run", "box", "--", "sh", "-c", "echo ready; exec sleep 1000"),
            bufsize=0,
            stdin=zeros,
            stdout=subprocess.PIPE,
            cwd="/",
        )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.terminate()
    assert process.wait(60) > 128
    process.stdout.close()


def test_a_second_pull_tells_what_is_here_already(deck_root, plain: str) -> None:
    real = Deck([], deck_root)
    real.done("pull", f"{plain}/lib/app1", "--name", "one")
    ended = real.done("pull", f"{plain}/lib/app2", "--name", "two", "--progress", "json")
    last = json.loads(ended.talk.splitlines()[-1])
    assert [layer["phase"] for layer in last["layers"]].count("exists") == 2


def test_twenty_verbs_at_once_start_one_daemon(deck_root) -> None:
    real = Deck([], deck_root)
    started = [
        subprocess.Popen(real.argv("info", "--format", "json"), stdout=subprocess.PIPE, cwd="/")
        for _ in range(20)
    ]
    answers = [json.loads(one.communicate(timeout=100)[0]) for one in started]
    assert [one.returncode for one in started] == [0] * 20
    assert len({answer["items"][0]["pid"] for answer in answers}) == 1


def test_the_daemon_is_told_to_end_and_says_whether_it_runs(deck_root) -> None:
    real = Deck([], deck_root)
    assert real("serve", "--status").code == 8
    real.done("ls")
    assert "running" in real.done("serve", "--status").text
    real.done("serve", "--stop")
    assert real("serve", "--status").code == 8
    assert "no daemon runs" in real.done("serve", "--stop").talk


def test_without_a_verb_a_terminal_gets_the_console_and_is_given_back(deck_root, tty_of) -> None:
    tty = tty_of(Deck([], deck_root), rows=24, columns=80)
    before = tty.attributes()
    tty.until(rb"NORMAL")
    tty.type(b"\x11")
    assert tty.wait() == 0
    assert tty.attributes() == before


def test_this_host_is_a_distro_without_any_network(real: Deck, tty_of) -> None:
    assert real.done("pull", "host").text == "host\n"
    ended = real.done("run", "host", "--", "sh", "-c", "cat /etc/os-release; touch /tmp/x")
    assert ended.out.startswith(b"PRETTY_NAME")
    real.done("rm", "host", "-y")


def test_a_folder_named_core_where_the_daemon_is_started_is_not_run(deck_root, tmp_path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "__init__.py").write_text("raise SystemExit('not ours')")
    done = subprocess.run(
        [sys.executable, "-m", "tui", "--root", str(deck_root), "info", "--format", "json"],
        capture_output=True,
        cwd=tmp_path,
        env=environment(),
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout)["items"][0]["pid"] > 1


def test_a_root_longer_than_a_socket_name_may_be_is_fine(make_root) -> None:
    real = Deck([], make_root(length=130))
    assert real.items("ls") == []
    assert real("serve", "--status").code == 0
