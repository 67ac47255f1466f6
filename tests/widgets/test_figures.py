"""Sizes, rates, ages, bars: what the figures say."""

from __future__ import annotations

import pytest
from rich.style import Style

from core.domain import Layer, LayerState
from widgets import format as fmt
from widgets.layer_bar import BarStyles, bar, layer_line
from widgets.rate import Rate

PLAIN = BarStyles(text=Style(), dim=Style(), full=Style(), done=Style(), rest=Style())


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (312, "312 B"),
        (4_000, "4.0 kB"),
        (78_100_000, "78.1 MB"),
        (401_000_000, "401 MB"),
        (2_500_000_000, "2.5 GB"),
    ],
)
def test_size(count: int | None, text: str) -> None:
    assert fmt.size(count) == text


def test_progress_is_in_the_unit_of_the_total() -> None:
    assert fmt.progress(61_000_000, 118_000_000) == "61/118 MB"
    assert fmt.progress(500_000, 84_000_000) == "0.5/84.0 MB"


@pytest.mark.parametrize(
    ("done", "total", "text"), [(52, 100, "52 %"), (999, 1000, "99 %"), (5, 5, "100 %"), (1, 0, "")]
)
def test_percent_is_not_100_before_the_end(done: int, total: int, text: str) -> None:
    assert fmt.percent(done, total) == text


def test_durations_and_ages() -> None:
    assert [fmt.duration(s) for s in (None, 18, 725, 3729)] == ["-", "0:18", "12:05", "1:02:09"]
    assert [fmt.age(s) for s in (3, 300, 7200, 3 * 86400, 65 * 86400)] == [
        "now",
        "5 min",
        "2 h",
        "3 d",
        "2 mo",
    ]


def test_rate_looks_back_a_few_seconds_only() -> None:
    rate = Rate(0.0)
    for second in range(1, 11):
        rate.add(float(second), second * 100)
    for second in range(11, 21):
        rate.add(float(second), 1000 + (second - 10) * 500)
    assert rate.per_second == 500
    assert rate.remaining(6000, 7000) == 2.0


def test_rate_starts_anew_when_the_count_goes_back() -> None:
    rate = Rate(0.0)
    rate.add(1.0, 1000)
    rate.add(2.0, 100)
    assert rate.per_second == 0.0
    assert rate.remaining(100, 1000) is None


def test_rate_of_a_stalled_pull_falls_to_nothing() -> None:
    rate = Rate(0.0)
    rate.add(1.0, 1000)
    for second in range(2, 9):
        rate.add(float(second), 1000)
    assert rate.per_second == 0.0


def test_bar_has_half_cells_and_exactly_its_width() -> None:
    for done in range(21):
        assert sum(len(segment.text) for segment in bar(done, 20, 10, PLAIN)) == 10
    assert "".join(segment.text for segment in bar(5, 20, 10, PLAIN)) == "━━╸───────"


@pytest.mark.parametrize("phase", ["waiting", "fetch", "verify", "unpack", "done", "exists"])
@pytest.mark.parametrize("width", [40, 50, 78, 118])
def test_layer_line_fits_and_says_its_phase_in_words(phase: str, width: int) -> None:
    layer = Layer(digest="sha256:" + "ab" * 32, diff_id="", size=100)
    state = LayerState(digest=layer.digest, phase=phase, done=52, total=100)  # type: ignore[arg-type]
    text = "".join(segment.text for segment in layer_line(state, width, PLAIN))
    assert len(text) <= width
    words = {"fetch": "52 %", "exists": "have it"}
    assert words.get(phase, phase) in text
