"""A full history fits in the memory it is meant to take."""

from __future__ import annotations

import pytest

from benchmarks.emulator import MEMORY_TARGET, coloured_line, full_line, history_megabytes


@pytest.mark.parametrize("make", [full_line, coloured_line])
def test_ten_thousand_wide_lines_stay_within_their_memory(make) -> None:
    assert history_megabytes(make) <= MEMORY_TARGET
