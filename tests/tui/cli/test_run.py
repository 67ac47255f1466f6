"""``run`` is a wire: bytes, signals and the exit code pass as if nothing were between."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.tui.cli.conftest import CHECKOUT, DECK, environment
from tui.cli.sandbox import parse_bind


def start(*words: str, **streams) -> subprocess.Popen[bytes]:
    argv = [*DECK, *words]
    return subprocess.Popen(argv, bufsize=0, cwd=CHECKOUT, env=environment(), **streams)


def test_streams_stay_apart_and_the_exit_code_is_the_commands(deck) -> None:
    ended = deck("run", "dev", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (ended.out, ended.err, ended.code) == (b"out\n", b"err\n", 7)


def test_every_byte_of_the_input_arrives(deck) -> None:
    data = bytes(range(256)) * 4096
    ended = deck("run", "dev", "--", "cat", given=data)
    assert (ended.out == data, ended.code) == (True, 0)


def test_the_input_may_be_a_file(tmp_path) -> None:
    given = tmp_path / "given"
    given.write_bytes(b"from a file\n" * 100_000)
    with given.open("rb") as stdin:
        process = start("run", "dev", "--", "wc", "-c", stdin=stdin, stdout=subprocess.PIPE)
        out, _ = process.communicate(timeout=60)
    assert (out.strip(), process.returncode) == (b"1200000", 0)


def test_input_that_nobody_reads_is_no_error(deck) -> None:
    ended = deck("run", "dev", "--", "true", given=b"x" * 1_000_000)
    assert (ended.code, ended.err) == (0, b"")


def test_a_command_that_closes_early_does_not_wait_for_its_input(deck) -> None:
    reader, writer = os.pipe()  # never written to, never closed
    try:
        process = start("run", "dev", "--", "echo", "done", stdin=reader, stdout=subprocess.PIPE)
        out, _ = process.communicate(timeout=60)
        assert (out, process.returncode) == (b"done\n", 0)
    finally:
        os.close(reader)
        os.close(writer)


def test_flags_end_where_the_command_begins(deck) -> None:
    assert deck("run", "dev", "echo", "-q", "--format", "json").out == b"-q --format json\n"
    assert deck("run", "-q", "dev", "--", "echo", "--", "-y").out == b"-- -y\n"
    assert deck("exec", "--env", "A=1", "dev", "-e", "B=2", "env").out.count(b"=") > 2
    assert deck("run", "dev", "--workdir", "/tmp", "pwd").out == b"/tmp\n"


def test_an_empty_argument_stays_one(deck) -> None:
    assert deck("run", "dev", "--", "sh", "-c", 'echo "$#:$1"', "sh", "").out == b"1:\n"


def test_variables_are_set_or_passed_on(deck) -> None:
    show = ("--", "sh", "-c", "echo $A/$HERE/${NOT_HERE-unset}")
    flags = ("-e", "A=x=y", "-e", "HERE", "-e", "NOT_HERE")
    assert deck("run", *flags, "dev", *show, env={"HERE": "h"}).out == b"x=y/h/unset\n"


@pytest.mark.parametrize("text", ["nocolon", ":/x", "/x:", "/x:relative", "/x:/y:rx", "/x:/y:"])
def test_a_malformed_bind_is_a_usage_error(deck, text: str) -> None:
    if text == "/x:/y:":
        assert parse_bind(text).target == "/y"
        return
    ended = deck("run", "--bind", text, "dev", "true")
    assert (ended.code, ended.out) == (2, b"")
    assert "HOST:GUEST[:ro]" in ended.talk


def test_a_bind_names_an_absolute_source(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    mount = parse_bind("sub/../here:/there:ro")
    assert (mount.source, mount.target) == (str(tmp_path / "here"), "/there")
    assert mount.read_only


def test_without_a_command_it_is_a_usage_error(deck) -> None:
    assert deck("run", "dev").code == 2
    assert deck("run").code == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_is_the_commands_to_handle(number: signal.Signals) -> None:
    script = (
        f"trap 'echo got it; exit 3' {number.name[3:]}; echo ready; while :; do sleep 0.05; done"
    )
    process = start("run", "dev", "--", "sh", "-c", script, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert (out, process.returncode) == (b"got it\n", 3)


def test_a_command_ended_by_a_signal_is_128_and_its_number(deck) -> None:
    assert deck("run", "dev", "--", "sh", "-c", "kill -9 $$").code == 137


@pytest.mark.parametrize("script", ["yes", "trap '' PIPE; yes 2>/dev/null"])
def test_a_reader_that_goes_away_ends_the_command(script: str) -> None:
    process = start(
        "run", "dev", "--", "sh", "-c", script, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.read(4) == b"y\ny\n"
    process.stdout.close()
    assert process.wait(30) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_gigabyte_passes_in_little_memory() -> None:
    count = 1 << 30
    source = subprocess.Popen(["head", "-c", str(count), "/dev/zero"], stdout=subprocess.PIPE)
    process = start("run", "dev", "--", "cat", stdin=source.stdout, stdout=subprocess.PIPE)
    assert source.stdout is not None
    source.stdout.close()
    assert process.stdout is not None
    seen = peak = 0
    while piece := process.stdout.read(1 << 20):
        seen += len(piece)
        if seen > count // 2 and not peak:
            # Not rusage: that counts what this process had when it forked.
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])
    process.stdout.close()
    source.wait()
    assert (seen, process.wait(30)) == (count, 0)
    assert 0 < peak < 100_000


def test_a_slow_reader_makes_the_command_wait() -> None:
    script = "i=0; while [ $i -lt 200 ]; do head -c 65536 /dev/zero; i=$((i+1)); echo $i >&2; done"
    process = start(
        "run", "dev", "--", "sh", "-c", script, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1)
    told = 0
    while told < 5:
        told = int(process.stderr.readline())
    out, err = process.communicate(timeout=60)
    assert len(out) == 200 * 65536 - 1
    assert err.endswith(b"200\n")
    assert process.returncode == 0


def test_a_terminal_as_input_is_read_too(deck_tty) -> None:
    tty = deck_tty("run", "dev", "--", "cat")
    tty.type(b"hello\n\x04")
    tty.until(rb"hello\r\nhello\r\n")
    assert tty.wait() == 0


def test_a_signal_does_not_wait_for_input_that_nobody_takes() -> None:
    with open("/dev/zero", "rb") as zeros:
        process = start(
            *("run", "dev", "--", "sh", "-c", "echo ready; exec sleep 1000"),
            stdin=zeros,
            stdout=subprocess.PIPE,
        )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.terminate()
    assert process.wait(30) > 128
    process.stdout.close()
