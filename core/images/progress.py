"""Tell how far a pull or push has come, no more often than somebody could see."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from core.domain import LayerState

if TYPE_CHECKING:
    from collections.abc import Iterable

Phase = Literal["resolve", "fetch", "verify", "unpack", "commit", "push", "write"]
LayerPhase = Literal["waiting", "fetch", "verify", "unpack", "push", "write", "done", "exists"]
Report = Callable[[Phase, tuple[LayerState, ...]], None]
"""Takes the phase of the whole and the state of each layer; absolute, called in the loop."""

_PERIOD = 0.05


def ignore(phase: Phase, layers: tuple[LayerState, ...]) -> None:
    """A :data:`Report` for nobody."""


class Progress:
    """The states of one pull; reports every change of a phase at once, bytes 20 times a second."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._phase: Phase = "resolve"
        self._states: dict[str, LayerState] = {}
        self._told = 0.0

    def enter(self, phase: Phase) -> None:
        """The whole enters a phase."""
        self._phase = phase
        self._tell()

    def expect(self, layers: Iterable[tuple[str, int]]) -> None:
        """What there is to do: digest and size of each layer."""
        self._states = {
            digest: LayerState(digest=digest, phase="waiting", total=size)
            for digest, size in layers
        }
        self._tell()

    def layer(self, digest: str, phase: LayerPhase, done: int, *, total: int | None = None) -> None:
        """One layer's new state; ``total`` where it was not known before."""
        old = self._states[digest]
        self._states[digest] = replace(
            old, phase=phase, done=done, total=old.total if total is None else total
        )
        if phase != old.phase or time.monotonic() - self._told >= _PERIOD:
            self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        self._report(self._phase, tuple(self._states.values()))


class Several:
    """One :data:`Report` for several pulls in a row: the layers of all of them."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._states: dict[str, LayerState] = {}

    def __call__(self, phase: Phase, layers: tuple[LayerState, ...]) -> None:
        """Pass on a state of the pull that runs now."""
        for layer in layers:
            there = self._states.get(layer.digest)
            if there is None or there.phase not in ("done", "exists"):
                self._states[layer.digest] = layer
        self._report(phase, tuple(self._states.values()))
