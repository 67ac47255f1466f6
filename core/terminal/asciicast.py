"""Recordings of a terminal: asciicast files, written as version 2, read as 2 or 3.

docs.asciinema.org/manual/asciicast: a JSON object in the first line, then one JSON array for
each event. Both ways hold one event at a time, so a file may be as long as the disk is large.
"""

from __future__ import annotations

import codecs
import json
import math
import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, TypeGuard

from core.errors import DeckError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LINE_LIMIT: Final = 16 << 20
"""Bytes of one event; a longer line is no recording of a terminal."""
TAIL: Final = 1 << 20
"""Bytes at the end of a file among which its last event is looked for."""
SIZE_LIMIT: Final = 4096
LONGEST: Final = 10 * 365 * 86400.0
"""Seconds a recording may take: a time beyond is a mistake."""


class NotARecording(DeckError):
    """A file is no asciicast, or is damaged at some line."""

    code = "recording"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a recording says of itself."""

    rows: int
    columns: int
    timestamp: int | None = None
    """Seconds since 1970 at which it began."""
    title: str = ""
    version: int = 2


@dataclass(frozen=True, slots=True)
class Event:
    """Output of the program, or a change of the size."""

    time: float
    """Seconds since the beginning; never less than that of the event before."""
    data: str = ""
    size: tuple[int, int] | None = None
    """Rows and columns."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place between two lines of a recording."""

    offset: int
    number: int
    time: float


class Writer:
    """Writes a recording; the caller tells the time and closes the file."""

    def __init__(
        self, file: IO[str], header: Header, environ: Mapping[str, str] | None = None
    ) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._time = 0.0
        first: dict[str, Any] = {"version": 2, "width": header.columns, "height": header.rows}
        if header.timestamp is not None:
            first["timestamp"] = header.timestamp
        if header.title:
            first["title"] = header.title
        if environ:
            first["env"] = {name: environ[name] for name in ("TERM", "SHELL") if name in environ}
        self._line(first)

    def _line(self, value: object) -> None:
        self._file.write(json.dumps(value, ensure_ascii=False) + "\n")

    def _event(self, time: float, kind: str, data: str) -> None:
        self._time = max(self._time, time)
        self._line([round(self._time, 6), kind, data])

    def output(self, time: float, data: bytes) -> None:
        """Output at ``time``, cut anywhere; part of a character waits for the rest."""
        if text := self._decode(data):
            self._event(time, "o", text)

    def resize(self, time: float, rows: int, columns: int) -> None:
        """Another size at ``time``."""
        self._event(time, "r", f"{columns}x{rows}")

    def end(self, time: float) -> None:
        """Write what waits for a rest that does not come."""
        if text := self._decode(b"", True):
            self._event(time, "o", text)


class Reader:
    """Reads a recording event by event.

    Args:
        file: Open for reading bytes, at its beginning.
        name: Of the file, for errors.

    Raises:
        NotARecording: what it begins with is no asciicast of a version that is known.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self._number = 0
        self._time = 0.0
        """Of the event read last."""
        self.header = self._read_header()

    def _fault(self, why: str) -> NotARecording:
        return NotARecording(f"{self._name}:{self._number}", why)

    def _read_line(self) -> object:
        """The next line's value; None at the end, and for a last line that is cut short."""
        while True:
            line = self._file.readline(LINE_LIMIT)
            self._number += 1
            if not line:
                return None
            if len(line) >= LINE_LIMIT:
                raise self._fault("a line is too long")
            if line.strip() and not line.startswith(b"#"):
                break
        try:
            value: object = json.loads(line)
        except (ValueError, RecursionError):
            if not line.endswith(b"\n") and self._number > 1:
                return None  # the recorder was killed while it wrote
            raise self._fault("not a line of an asciicast") from None
        return value

    def _read_header(self) -> Header:
        found = self._read_line()
        if not isinstance(found, dict) or found.get("version") not in (2, 3):
            raise self._fault("not an asciicast of version 2 or 3")
        terminal = found if found["version"] == 2 else found.get("term")
        names = ("height", "width") if found["version"] == 2 else ("rows", "cols")
        if not isinstance(terminal, dict):
            raise self._fault("the terminal's size is missing")
        rows, columns = (terminal.get(name) for name in names)
        if not (_is_size(rows) and _is_size(columns)):
            raise self._fault("the terminal's size is missing")
        begun, title = found.get("timestamp"), found.get("title")
        return Header(
            rows=rows,
            columns=columns,
            timestamp=int(begun) if _is_time(begun) else None,
            title=title if isinstance(title, str) else "",
            version=found["version"],
        )

    def __iter__(self) -> Iterator[Event]:
        """The events from the beginning, or from where it was left.

        Raises:
            NotARecording: a line that cannot be understood.
        """
        while (value := self._read_line()) is not None:
            event = self._event(value)
            if event is not None:
                yield event

    def place(self) -> Place:
        """Where in the file it is, for :meth:`go_to`."""
        return Place(self._file.tell(), self._number, self._time)

    def go_to(self, place: Place) -> None:
        """Go on reading there."""
        self._file.seek(place.offset)
        self._number, self._time = place.number, place.time

    def duration(self) -> float | None:
        """Time of the last event; None where only reading all of it would tell."""
        if self.header.version != 2:
            return None
        here = self._file.tell()
        end = self._file.seek(0, os.SEEK_END)
        self._file.seek(max(0, end - TAIL))
        lines = self._file.read(TAIL).splitlines()
        self._file.seek(here)
        for line in reversed(lines):
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue  # cut short at either end
            if isinstance(value, list) and value and _is_time(value[0]):
                return min(float(value[0]), LONGEST)
        return None

    def _event(self, value: object) -> Event | None:
        if not (isinstance(value, list) and len(value) >= 3 and _is_time(value[0])):
            raise self._fault("not an event")
        time, kind, data = value[:3]
        moment = self._time + time if self.header.version == 3 else time
        if moment > LONGEST:
            raise self._fault("a time that cannot be")
        self._time = max(self._time, float(moment))
        if not isinstance(data, str):
            raise self._fault("not an event")
        if kind == "o":
            return Event(self._time, data)
        if kind == "r":
            return Event(self._time, size=self._size(data))
        return None  # input, markers and what later versions may know

    def _size(self, text: str) -> tuple[int, int]:
        columns, _, rows = text.partition("x")
        for number in (rows, columns):
            if not (number.isascii() and number.isdigit() and len(number) <= 4):
                raise self._fault("not a size")
        if not (_is_size(int(rows)) and _is_size(int(columns))):
            raise self._fault("not a size")
        return int(rows), int(columns)


def _is_size(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= SIZE_LIMIT


def _is_time(value: Any) -> TypeGuard[float]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and value >= 0


def parse_speed(text: str) -> float:
    """A factor such as ``2`` or ``0.5``. Raises: InvalidInput."""
    try:
        speed = float(text)
    except ValueError:
        raise InvalidInput(text, "not a number") from None
    if not 0.01 <= speed <= 1000:
        raise InvalidInput(text, "a speed is between 0.01 and 1000")
    return speed
