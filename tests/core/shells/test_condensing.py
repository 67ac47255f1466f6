"""Checkpoints that the condenser makes, and what happens when it cannot."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

import pytest

from core.shells.condensing import Condenser
from core.shells.log import SessionLog
from core.shells.loop import Loop
from core.terminal import logformat
from core.terminal.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path) -> SessionLog:
    log = SessionLog(str(tmp_path), 24, 80, cap=20_000)
    for number in range(300):
        log.append(logformat.OUTPUT, b"line %d of many, many lines to come\r\n" % number)
    return log


def condense(log: SessionLog, folder: Path, *, attended: bool = False) -> None:
    loop, done = Loop(), []
    condenser = Condenser(loop, log, str(folder), lambda: done.append(True))
    condenser.request(attended=attended, full=log.full)
    condenser.request(attended=attended, full=log.full)
    while not done:
        loop.turn()


def test_it_turns_a_log_into_a_checkpoint(log: SessionLog, tmp_path: Path) -> None:
    end = log.end
    condense(log, tmp_path)
    start = log.start()
    assert start.offset == end
    assert Terminal.restore(start.checkpoint).text()[-2].startswith("line 299 ")
    assert not list(tmp_path.glob("condense*"))


def test_a_condenser_that_fails_does_not_stop_the_session_for_ever(
    log: SessionLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append(logformat.OUTPUT, bytes(20_000))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    condense(log, tmp_path)
    assert not log.full
    assert log.start().checkpoint == b""


def test_stopping_leaves_no_process_and_no_file(log: SessionLog, tmp_path: Path) -> None:
    loop = Loop()
    condenser = Condenser(loop, log, str(tmp_path), lambda: None)
    condenser.request(attended=False, full=True)
    loop.turn()
    condenser.stop()
    condenser.stop()
    assert not list(tmp_path.glob("condense*"))


@pytest.mark.parametrize("missing", ["fork", "pidfd_open"])
def test_without_a_process_or_descriptor_the_session_goes_on(
    log: SessionLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, missing, refuse)
    condense(log, tmp_path)
    monkeypatch.undo()
    assert not log.full
    assert not list(tmp_path.glob("condense*"))
