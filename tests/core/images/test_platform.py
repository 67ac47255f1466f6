"""Which image of an index runs here."""

from __future__ import annotations

import pytest

from core.images.platform import choose, host_platform, suits
from core.images.reference import parse_platform


@pytest.mark.parametrize(
    ("wanted", "offered", "best"),
    [
        ("linux/amd64", ["linux/arm64/v8", "linux/amd64"], "linux/amd64"),
        ("linux/arm64/v8", ["linux/amd64", "linux/arm64"], "linux/arm64"),
        ("linux/arm64", ["linux/arm64/v8"], "linux/arm64/v8"),
        ("linux/arm/v7", ["linux/arm/v5", "linux/arm/v6", "linux/arm/v8"], "linux/arm/v6"),
        ("linux/arm/v7", ["linux/arm/v6", "linux/arm/v7"], "linux/arm/v7"),
        ("linux/amd64", ["linux/amd64/v3"], None),
        ("linux/amd64/v3", ["linux/amd64", "linux/amd64/v2"], "linux/amd64/v2"),
        ("linux/amd64", ["windows/amd64", "linux/386"], None),
        ("linux/amd64", [], None),
    ],
)
def test_the_nearest_variant_that_runs_is_chosen(
    wanted: str, offered: list[str], best: str | None
) -> None:
    position = choose(parse_platform(wanted), [parse_platform(text) for text in offered])
    assert (None if position is None else offered[position]) == best


def test_this_host_runs_its_own_platform() -> None:
    assert suits(host_platform(), host_platform())
