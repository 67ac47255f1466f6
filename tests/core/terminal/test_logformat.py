from __future__ import annotations

import subprocess
import sys

from core.terminal import logformat as log


def test_records_come_back_as_they_were_packed() -> None:
    data = log.pack_record(log.OUTPUT, b"hello") + log.pack_resize(24, 80)
    assert data[:5] == b"\x01\x00\x00\x00\x05"
    first, second = log.unpack_records(data)
    assert first == log.Record(log.OUTPUT, b"hello")
    assert second.size == (24, 80)


def test_torn_last_record_is_left_out_wherever_it_is_cut() -> None:
    whole = log.pack_record(log.OUTPUT, b"one")
    torn = log.pack_record(log.STDERR, b"two")
    for cut in range(len(torn)):
        assert list(log.unpack_records(whole + torn[:cut])) == [log.Record(log.OUTPUT, b"one")]
        assert log.whole_length(whole + torn[:cut]) == len(whole)


def test_malformed_size_is_zero_by_zero() -> None:
    assert log.Record(log.RESIZE, b"\x00").size == (0, 0)


def test_log_format_loads_nothing_but_the_standard_library() -> None:
    code = (
        "import sys, core.terminal.logformat;"
        "print([m for m in sys.modules if m.split('.')[0] in ('pyte', 'wcwidth', 'msgspec')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
