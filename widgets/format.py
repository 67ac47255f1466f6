"""Figures as people read them: sizes, rates, ages, durations, short digests."""

from __future__ import annotations

from humanize import naturalsize

DASH = "-"


def size(count: float | None) -> str:
    """``78.1 MB``: three figures at most, decimal units; a dash for an unknown size."""
    if count is None:
        return DASH
    text, _, unit = naturalsize(count, format="%.1f").partition(" ")
    if unit.startswith("Byte"):
        return f"{int(count)} B"
    return f"{text.split('.')[0] if float(text) >= 100 else text} {unit}"


def progress(done: int, total: int) -> str:
    """``61/118 MB``: both in the unit of the total."""
    whole = size(total)
    number, _, unit = whole.partition(" ")
    exponent = {"B": 0, "kB": 1, "MB": 2, "GB": 3, "TB": 4}.get(unit, 0)
    part = done / 1000**exponent
    digits = 0 if "." not in number else 1
    return f"{part:.{digits}f}/{whole}"


def rate(bytes_per_second: float) -> str:
    """``4.2 MB/s``."""
    return f"{size(bytes_per_second)}/s"


def percent(done: int, total: int) -> str:
    """``52 %``; never 100 before it is complete."""
    if total <= 0:
        return ""
    return f"{min(100 * done // total, 100)} %"


def duration(seconds: float | None) -> str:
    """``0:18``, ``12:05``, ``1:02:09``; a dash for an unknown one."""
    if seconds is None:
        return DASH
    minutes, second = divmod(round(max(seconds, 0)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def age(seconds: float) -> str:
    """``now``, ``5 min``, ``2 h``, ``3 d``, ``4 mo``, ``2 y``."""
    steps = ((365 * 86400, "y"), (30 * 86400, "mo"), (86400, "d"), (3600, "h"), (60, "min"))
    for length, unit in steps:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return "now"


def short(digest: str, length: int = 10) -> str:
    """The first figures of a digest, without its algorithm."""
    return digest.partition(":")[2][:length] or DASH


def plural(count: int, word: str) -> str:
    """``1 pull``, ``2 pulls``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
