"""Play a recording in an emulator: forwards at any pace, and to any moment of it.

A checkpoint is kept every so often, so that going back costs no more than going on from the one
before. There is a bounded number of them: when there are too many, every other one is dropped.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from core.terminal.asciicast import Reader
from core.terminal.terminal import Terminal

if TYPE_CHECKING:
    from core.terminal.asciicast import Event, Place

KEPT = 64
"""Checkpoints kept at most."""
FIRST_INTERVAL = 256 * 1024
"""Characters of output between two checkpoints, at first."""
SCROLLBACK = 1000
"""Lines of history of a replay; each checkpoint holds them."""


@dataclass(frozen=True, slots=True)
class _Keyframe:
    time: float
    place: Place
    checkpoint: bytes


class Player:
    """One recording and the terminal it is played in.

    Args:
        file: Open for reading bytes, and seekable; the caller closes it.
        name: Of the file, for errors.

    Raises:
        NotARecording: it is none.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._reader = Reader(file, name)
        self.header = self._reader.header
        self.duration = self._reader.duration()
        """Seconds it takes; None as long as its end was not reached."""
        self.terminal = Terminal(self.header.rows, self.header.columns, scrollback=SCROLLBACK)
        self.time = 0.0
        """The moment of the recording that is shown."""
        self._interval = FIRST_INTERVAL
        self._since = 0
        self._next: Event | None = None
        self._place = self._reader.place()
        self._keyframes = [_Keyframe(0.0, self._place, self.terminal.checkpoint())]
        self._read()

    @property
    def ended(self) -> bool:
        """Whether everything was played."""
        return self._next is None

    @property
    def wait(self) -> float | None:
        """Seconds of the recording until something happens; None at its end."""
        return None if self._next is None else max(0.0, self._next.time - self.time)

    def _read(self) -> None:
        self._place = self._reader.place()
        self._next = next(iter(self._reader), None)
        if self._next is None:
            self.duration = max(self._reader.place().time, self.duration or 0.0)

    def play(self, moment: float, budget: float) -> bool:
        """Play to ``moment``, for ``budget`` seconds at most; whether it got there.

        Raises:
            NotARecording: a line that cannot be understood.
        """
        until = time.monotonic() + budget
        while self._next is not None and self._next.time <= moment:
            self._show(self._next)
            self.time = max(self.time, self._next.time)
            self._read()
            self._keep()
            if time.monotonic() > until:
                return False
        end = moment if self.duration is None else min(moment, self.duration)
        self.time = max(self.time, end)
        return True

    def _show(self, event: Event) -> None:
        if event.size:
            self.terminal.resize(*event.size)
        else:
            self.terminal.feed(event.data.encode("utf-8", "surrogatepass"))
            self._since += len(event.data)

    def _keep(self) -> None:
        if self._since < self._interval or self._place.offset <= self._keyframes[-1].place.offset:
            return
        self._since = 0
        if len(self._keyframes) >= KEPT:
            del self._keyframes[1::2]
            self._interval *= 2
        self._keyframes.append(_Keyframe(self.time, self._place, self.terminal.checkpoint()))

    def go_back(self, moment: float) -> None:
        """Take the newest checkpoint that is not after ``moment``; :meth:`play` does the rest."""
        index = bisect_right([frame.time for frame in self._keyframes], max(moment, 0.0)) - 1
        frame = self._keyframes[max(index, 0)]
        self._reader.go_to(frame.place)
        self.terminal = Terminal.restore(frame.checkpoint)
        self.time = frame.time
        self._since = 0
        self._read()
