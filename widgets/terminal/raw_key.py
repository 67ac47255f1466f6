"""Key events that remember the bytes they came from.

Textual's key names lose information (``alt+.`` is reported as ``full_stop``), and a shell
must be sent what the keyboard sent. Only a driver that reads a real terminal can know it.
"""

from __future__ import annotations

from textual import events


class RawKey(events.Key):
    """A key event with the exact input it was parsed from."""

    def __init__(self, key: str, character: str | None, raw: bytes) -> None:
        super().__init__(key, character)
        self.raw = raw
        """What the terminal sent; empty when an earlier event of one sequence carries it."""


# Textual derives the handler's name from the class: a RawKey is handled wherever a Key is.
RawKey.handler_name = events.Key.handler_name


def raw_bytes(event: events.Key) -> bytes | None:
    """The input ``event`` was parsed from, or None if its driver keeps none (tests, the web)."""
    return event.raw if isinstance(event, RawKey) else None
