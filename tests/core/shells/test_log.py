"""The log of a session: positions stay, the file does not grow."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from core.shells import frames
from core.shells.log import SessionLog
from core.terminal import logformat

if TYPE_CHECKING:
    from pathlib import Path

KIB = 1024


@pytest.fixture
def log(tmp_path: Path) -> SessionLog:
    return SessionLog(str(tmp_path), 24, 80, cap=64 * KIB)


def fill(log: SessionLog, size: int, *, each: int = KIB) -> None:
    for number in range(size // each):
        log.append(logformat.OUTPUT, bytes([number % 256]) * (each - logformat.HEADER_SIZE))


def test_what_was_appended_is_read(log: SessionLog) -> None:
    first = log.append(logformat.OUTPUT, b"one")
    second = log.append(logformat.STDERR, b"two")
    assert log.read(0, 1000) == first + second
    assert log.read(len(first), 1000) == second
    assert log.read(0, len(first) + 2) == first
    assert log.read(0, 1) == b""


def test_a_record_longer_than_asked_for_comes_whole(log: SessionLog) -> None:
    record = log.append(logformat.OUTPUT, bytes(5000))
    assert log.read(0, 100) == record


def test_without_a_checkpoint_one_starts_blank_at_the_first_size(log: SessionLog) -> None:
    log.append(logformat.OUTPUT, b"x")
    assert log.start() == (0, 24, 80, b"")


def test_one_starts_at_the_newest_checkpoint_with_its_size(log: SessionLog) -> None:
    log.append(logformat.OUTPUT, b"before")
    log.append(logformat.RESIZE, frames.SIZE_BODY.pack(30, 100))
    at = log.end
    log.append(logformat.OUTPUT, b"after")
    assert log.hand_in(at, b"state")
    assert log.start() == (at, 30, 100, b"state")


def test_two_checkpoints_are_kept_and_the_log_from_the_older_one(
    log: SessionLog, tmp_path: Path
) -> None:
    ends = []
    for number in range(4):
        fill(log, 30 * KIB)
        ends.append(log.end)
        assert log.hand_in(log.end, b"state %d" % number)
    assert log.start().offset == ends[-1]
    kept = sorted(path.name for path in tmp_path.glob("checkpoint-*"))
    assert kept == sorted(f"checkpoint-{end}" for end in ends[-2:])
    assert not log.full


def test_full_and_ripe_are_told(log: SessionLog) -> None:
    fill(log, 31 * KIB)
    assert not log.ripe
    fill(log, 2 * KIB)
    assert log.ripe
    assert not log.full
    fill(log, 40 * KIB)
    assert log.full
    middle = 40 * KIB
    assert log.hand_in(middle, b"a")
    assert log.full
    assert log.hand_in(log.end, b"b")
    assert (log.base, log.full, log.ripe) == (middle, False, False)


@pytest.mark.parametrize("offset", [-1, 0, 10**9])
def test_a_checkpoint_from_nowhere_is_refused(log: SessionLog, offset: int) -> None:
    log.append(logformat.OUTPUT, b"x")
    assert not log.hand_in(offset, b"state")


def test_an_older_checkpoint_is_refused(log: SessionLog) -> None:
    log.append(logformat.OUTPUT, b"x")
    old = log.end
    log.append(logformat.OUTPUT, b"y")
    assert log.hand_in(log.end, b"new")
    assert not log.hand_in(old, b"old")


def test_positions_stay_when_the_head_is_cut(log: SessionLog, tmp_path: Path) -> None:
    first = log.append(logformat.OUTPUT, b"one")
    second = log.append(logformat.OUTPUT, b"two")
    log.append(logformat.RESIZE, frames.SIZE_BODY.pack(10, 20))
    log.cut(len(first))
    assert log.read(len(first), len(second)) == second
    assert log.size_at(log.end) == (10, 20)
    assert log.size_at(log.base) == (24, 80)
    log.cut(log.end)
    assert (tmp_path / "log").stat().st_size == 0
    third = log.append(logformat.OUTPUT, b"three")
    assert log.read(log.end - len(third), 100) == third
    assert log.start()[1:] == (10, 20, b"")


def test_the_tail_keeps_what_a_reader_still_needs(log: SessionLog) -> None:
    fill(log, 64 * KIB)
    assert log.end - log.tail(3 * KIB) == 3 * KIB
    assert 31 * KIB <= log.end - log.tail(0) <= 32 * KIB


def test_a_full_disk_costs_the_history_not_the_session(log: SessionLog) -> None:
    log.append(logformat.OUTPUT, b"x")

    def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    log._write = full  # type: ignore[method-assign]
    record = log.append(logformat.OUTPUT, b"y")
    assert log.base == log.end == len(record) * 2


def test_a_disk_that_fills_up_while_the_log_is_cut_costs_nothing(
    log: SessionLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(log, 8 * KIB)
    before = log.read(0, 8 * KIB)
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[: len(data) // 2]))
    log.cut(4 * KIB)
    monkeypatch.undo()
    assert log.base == 0
    assert log.read(0, 8 * KIB) == before
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
