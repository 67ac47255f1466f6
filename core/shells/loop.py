"""The holder's event loop: descriptors and timers, one thread, nothing else."""

from __future__ import annotations

import heapq
import itertools
import selectors
import time
from collections.abc import Callable

Callback = Callable[[], None]


class Timer:
    """Something to be done later, unless cancelled."""

    def __init__(self, callback: Callback) -> None:
        self._callback: Callback | None = callback

    def cancel(self) -> None:
        """Forget it; also fine when it has run."""
        self._callback = None

    def fire(self) -> None:
        """Do it, once."""
        callback, self._callback = self._callback, None
        if callback:
            callback()


class Loop:
    """Wait for descriptors and for time."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()

    def watch(
        self, fd: int, *, read: Callback | None = None, write: Callback | None = None
    ) -> None:
        """Call ``read`` or ``write`` whenever ``fd`` is ready; neither: leave it alone."""
        mask = (selectors.EVENT_READ if read else 0) | (selectors.EVENT_WRITE if write else 0)
        known = self._selector.get_map().get(fd)
        if not mask:
            if known:
                self._selector.unregister(fd)
        elif known:
            self._selector.modify(fd, mask, (read, write))
        else:
            self._selector.register(fd, mask, (read, write))

    def later(self, seconds: float, callback: Callback) -> Timer:
        """Call ``callback`` once, in ``seconds``."""
        timer = Timer(callback)
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), timer))
        return timer

    def turn(self) -> None:
        """Wait until something is ready, and do what it asks for."""
        timeout = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
        for key, mask in self._selector.select(timeout):
            # An earlier callback of this turn may have taken the descriptor away.
            current = self._selector.get_map().get(key.fd)
            if current is None or current.data is not key.data:
                continue
            read, write = key.data
            if mask & selectors.EVENT_READ and read:
                read()
            still = self._selector.get_map().get(key.fd)
            if mask & selectors.EVENT_WRITE and write and still and still.data is key.data:
                write()
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2].fire()
