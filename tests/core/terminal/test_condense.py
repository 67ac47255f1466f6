from __future__ import annotations

import subprocess
import sys

from core.terminal import logformat as log
from core.terminal.condense import condense, pack_request
from core.terminal.terminal import Terminal

RECORDS = (
    log.pack_record(log.OUTPUT, b"hello \x1b[31")
    + log.pack_record(log.OUTPUT, b"mred\x1b[6n")
    + log.pack_resize(5, 20)
    + log.pack_record(99, b"of another version")
    + log.pack_record(log.OUTPUT, b"\r\nmore")
)


def direct() -> Terminal:
    terminal = Terminal(4, 10)
    terminal.feed(b"hello \x1b[31mred\x1b[6n")
    terminal.resize(5, 20)
    terminal.feed(b"\r\nmore")
    return terminal


def test_log_becomes_the_checkpoint_the_terminal_would_have_made() -> None:
    assert condense(Terminal(4, 10).checkpoint(), 1, 1, RECORDS) == direct().checkpoint()


def test_without_a_checkpoint_it_starts_at_the_given_size() -> None:
    assert condense(b"", 4, 10, RECORDS) == direct().checkpoint()


def test_torn_record_and_damaged_checkpoint_lose_only_themselves() -> None:
    assert condense(b"damaged", 4, 10, RECORDS + b"\x01\x00") == direct().checkpoint()


def test_program_reads_a_request_and_writes_a_checkpoint() -> None:
    request = pack_request(Terminal(4, 10).checkpoint(), 4, 10, RECORDS)
    command = [sys.executable, "-P", "-m", "core.terminal.condense"]
    done = subprocess.run(command, input=request, capture_output=True, check=True)
    assert done.stdout == direct().checkpoint()
    cut = subprocess.run(command, input=request[:20], capture_output=True, check=False)
    assert cut.returncode == 2
