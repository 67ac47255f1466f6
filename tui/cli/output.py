"""Write values to standard output: a table for a person, JSON for a program.

``json`` is one document ``{"schema": "distrodeck.NAME/1", "items": […]}``, ``jsonl`` one item a
line. Keys are the fields of :mod:`core.domain`; bytes are integers, times RFC 3339 UTC, digests
whole. JSON is ASCII: nothing in it can move a cursor, and odd file names survive.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.domain import Platform
from core.text import clean
from widgets import format as figures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui.cli.options import Settings

_GAP = "  "
_NARROWEST = 8
"""A column is never cut below this, however small the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of plain text under headings."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()
    """Columns set flush right (sizes, counts)."""
    spare: tuple[int, ...] = ()
    """Columns to leave out of a window that is too narrow for all, in this order."""


def plain(value: Any) -> Any:
    """``value`` as JSON types. A float field of the domain is a time; 0 and None are ``null``."""
    if isinstance(value, Platform):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: rfc3339(getattr(value, field.name))
            if str(field.type).startswith("float")
            else plain(getattr(value, field.name))
            for field in fields(value)
        }
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def rfc3339(seconds: float | None) -> str | None:
    """Seconds since the epoch as ``2026-01-31T12:00:00Z``; None for a time that never was."""
    if not seconds:
        return None
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def write_json(
    settings: Settings, schema: str, items: Sequence[Any], more: Mapping[str, Any] | None = None
) -> bool:
    """Write ``items`` if JSON is asked for; False: it is not, nothing was written."""
    if settings.format == "jsonl":
        for item in items:
            write_line(json.dumps(plain(item)))
        return True
    if settings.format == "json":
        document = {"schema": f"distrodeck.{schema}/1", "items": plain(list(items))}
        document |= {key: plain(value) for key, value in (more or {}).items()}
        write_line(json.dumps(document, indent=2))
        return True
    return False


def write_line(text: str) -> None:
    """One line on standard output, as it is."""
    print(text)  # noqa: T201


def write_names(names: Sequence[str]) -> None:
    """One name a line."""
    for name in names:
        write_line(clean(name))


def write_table(settings: Settings, table: Table) -> None:
    """The rows in columns, fitted to the window only if that is a terminal."""
    rows = [table.headings, *(tuple(clean(cell) for cell in row) for row in table.rows)]
    widths = [max(cell_width(row[at]) for row in rows) for at in range(len(table.headings))]
    shown = list(range(len(widths)))
    if sys.stdout.isatty() and not settings.no_trunc:
        window = shutil.get_terminal_size().columns
        shown = _without_spare(table, widths, window)
        widths = _fit([widths[at] for at in shown], window)
    for row in rows:
        cells = [
            _pad(row[at], width, right=at in table.right)
            for at, width in zip(shown, widths, strict=False)
        ]
        write_line(_GAP.join(cells).rstrip())


def write_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """``Name   value`` lines; names are ours, values are cleaned."""
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        write_line(f"{name:<{width}}{_GAP}{clean(value)}".rstrip())


def short_digest(settings: Settings, digest: str) -> str:
    """Twelve hex digits for a person, the whole digest with ``--no-trunc``."""
    if settings.no_trunc:
        return digest
    return digest.partition(":")[2][:12] or digest


def size(count: int | None) -> str:
    """``78.1 MB``; empty for an unknown size."""
    return "" if count is None else figures.size(count)


def age(seconds: float | None) -> str:
    """``2 h``: how long ago that was; empty for a time that never was."""
    return figures.age(time.time() - seconds) if seconds else ""


def left(until: float) -> str:
    """``23 h``: how long it is until then."""
    return figures.age(max(until - time.time(), 0))


def cell_width(text: str) -> int:
    """Columns that ``text`` takes in a terminal."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    return max(wcswidth(text), 0)


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` columns, with an ellipsis where something is missing."""
    if cell_width(text) <= width:
        return text
    while text and cell_width(text) >= width:
        text = text[:-1]
    return text + "\N{HORIZONTAL ELLIPSIS}"


def _pad(text: str, width: int, *, right: bool) -> str:
    text = cut(text, width)
    blank = " " * (width - cell_width(text))
    return blank + text if right else text + blank


def _without_spare(table: Table, widths: list[int], window: int) -> list[int]:
    """The columns that are shown; empty ones go first."""
    shown = list(range(len(widths)))
    empty = [at for at in shown if not any(row[at] for row in table.rows)] if table.rows else []
    for at in dict.fromkeys((*empty, *table.spare)):
        if sum(widths[one] + len(_GAP) for one in shown) - len(_GAP) <= window:
            break
        shown.remove(at)
    return shown


def _fit(widths: list[int], window: int) -> list[int]:
    """``widths`` reduced, widest first, until a row fits; too many columns lose the last ones.

    The first column is what a person copies: it is cut when no other can be.
    """
    fitted = list(widths)
    while sum(fitted) > (room := window - len(_GAP) * (len(fitted) - 1)):
        if (widest := max(fitted[1:], default=0)) > _NARROWEST:
            fitted[fitted.index(widest, 1)] -= 1
        elif fitted[0] > _NARROWEST:
            fitted[0] -= 1
        elif len(fitted) > 1:
            fitted = _fit(widths[: len(fitted) - 1], window)
        else:
            return [max(room, 1)]
    return fitted
