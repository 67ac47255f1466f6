"""Addresses on the screen: hyperlinks that programs made (OSC 8), and what looks like a URL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.terminal.lines import Position
from core.terminal.lookback import first_row, logical_line

if TYPE_CHECKING:
    from core.terminal.lookback import Lines

SCHEMES = ("http", "https", "ftp", "mailto")
"""What may be opened; a file's address means another machine's file."""
ADDRESS_LIMIT = 2048
_URL = re.compile(
    r"(?:https?://|ftp://|mailto:)[^\s\x00-\x20\x7f<>\"`{}|\\^\u2018-\u201f\u2500-\u259f]+"
)
_TRAILING = ".,;:!?'*"
_PAIRS = {")": "(", "]": "["}


def is_safe(address: str) -> bool:
    """Whether an address may be handed to another program: a known scheme, plain ASCII."""
    scheme, colon, rest = address.partition(":")
    return bool(
        colon
        and rest
        and scheme.lower() in SCHEMES
        and len(address) <= ADDRESS_LIMIT
        and address.isascii()
        and address.isprintable()
        and " " not in address
    )


def urls_in(text: str) -> list[tuple[int, int]]:
    """Where URLs begin and end in a text; what ends the sentence around one is not its own."""
    found: list[tuple[int, int]] = []
    for match in _URL.finditer(text):
        url = match.group()
        while url:
            last = url[-1]
            unpaired = last in _PAIRS and url.count(last) > url.count(_PAIRS[last])
            if last not in _TRAILING and not unpaired:
                break
            url = url[:-1]
        if url.partition(":")[2].strip("/"):
            found.append((match.start(), match.start() + len(url)))
    return found


def link_at(lines: Lines, place: Position) -> str:
    """The address a cell belongs to; empty if to none."""
    line = lines.line_at(place.line)
    if line is None or not 0 <= place.column < len(line.characters):
        return ""
    if link := line.attributes[place.column].link:
        return link
    whole = logical_line(lines, first_row(lines, place.line))
    if whole is None:
        return ""
    offset = whole.offset(place)
    return next((whole.text[a:b] for a, b in urls_in(whole.text) if a <= offset < b), "")


def link_before(lines: Lines, place: Position) -> Position | None:
    """Where the nearest link above or left of a cell begins; None if there is none."""
    number = first_row(lines, place.line)
    while number >= lines.first_line and (whole := logical_line(lines, number)):
        starts = [whole.position(start) for start, _end in urls_in(whole.text)]
        for row in range(whole.number, whole.end):
            line = lines.line_at(row)
            if line is None:
                continue
            before = ""
            for column, look in enumerate(line.attributes):
                if look.link and look.link != before:
                    starts.append(Position(row, column))
                before = look.link
        if earlier := [start for start in starts if start < place]:
            return max(earlier)
        if number == lines.first_line:
            return None
        number = first_row(lines, number - 1)
    return None
