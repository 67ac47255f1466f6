"""How fast something grows, and when it will be complete."""

from __future__ import annotations

from collections import deque


class Rate:
    """The rate over the last few seconds of an absolute count; times are given, never read."""

    WINDOW = 5.0
    """Seconds looked back."""

    def __init__(self, started: float, count: int = 0) -> None:
        self._samples: deque[tuple[float, int]] = deque([(started, count)])

    def add(self, when: float, count: int) -> None:
        """Note that ``count`` was reached at ``when``."""
        if count < self._samples[-1][1]:
            self._samples.clear()
        elif when <= self._samples[-1][0]:
            self._samples[-1] = (self._samples[-1][0], count)
            return
        self._samples.append((when, count))
        while len(self._samples) > 2 and self._samples[1][0] <= when - self.WINDOW:
            self._samples.popleft()

    @property
    def per_second(self) -> float:
        """Growth per second; 0 while too little is known."""
        (first, low), (last, high) = self._samples[0], self._samples[-1]
        return (high - low) / (last - first) if last > first else 0.0

    def remaining(self, count: int, total: int) -> float | None:
        """Seconds until ``total`` at this rate; None: unknown."""
        speed = self.per_second
        return (total - count) / speed if speed > 0 and total > 0 else None
