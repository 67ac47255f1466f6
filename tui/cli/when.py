"""Read points in time as people write them: an age, a date, a time."""

from __future__ import annotations

import re
import time
from datetime import datetime

import click

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGE = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")


def parse_until(filters: tuple[str, ...]) -> float | None:
    """The time that ``until=TIME`` names, in seconds since the epoch; None if none does.

    Raises:
        click.UsageError: another filter, or no time.
    """
    found: float | None = None
    for text in filters:
        key, equals, value = text.partition("=")
        if key != "until" or not equals:
            raise click.UsageError(f"--filter {text}: there is until=TIME")
        found = parse_time(value)
    return found


def parse_time(text: str) -> float:
    """``90s``, ``1h30m``, ``7d`` ago; or ``2026-01-31``, ``2026-01-31T12:00:00Z``.

    Raises:
        click.UsageError: it is neither.
    """
    if _AGE.fullmatch(text):
        parts = re.findall(r"([\d.]+)([smhdw])", text)
        return time.time() - sum(float(number) * _UNITS[unit] for number, unit in parts)
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        hint = "an age such as 24h or 7d, or a date"
        raise click.UsageError(f"{text!r} is no time: {hint}") from None
