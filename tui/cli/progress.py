"""Show how far a job is, on standard error: live bars, lines, JSON or nothing.

A reporter is given every state of the job and draws when told to. States are absolute, so it
may leave out as many as it likes.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, Protocol

from core.text import clean
from tui.cli import output, report
from widgets import format as figures
from widgets.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.domain import Job, LayerState
    from tui.cli.options import Settings

_BAR = 24
_MOVING = ("fetch", "push")
"""Phases in which bytes go over the network."""

_PATIENCE = 2.0
"""Seconds between two lines on the fetch of a build's base."""

_STOPPING = "stopping; ctrl+C again leaves it to itself"
_RANK = {
    **dict.fromkeys(("fetch", "verify", "unpack", "push", "write"), 0),
    "waiting": 1,
    **dict.fromkeys(("done", "exists"), 2),
}
"""Which layers to leave out first where a window is too low for all."""


class Reporter(Protocol):
    """Tells a person or a program how a job goes."""

    def show(self, job: Job) -> None:
        """Take a newer state."""
        ...

    def stopping(self) -> None:
        """The person asked for a stop, and the job was told."""
        ...

    def draw(self) -> None:
        """Bring what is on the screen up to date; called often."""
        ...

    def close(self) -> None:
        """Leave the terminal as a line-oriented program should."""
        ...


def reporter_for(settings: Settings) -> Reporter:
    """The reporter that the flags and the terminal ask for."""
    kind = settings.progress
    if kind == "auto":
        kind = "tty" if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" else "plain"
        kind = "none" if settings.quiet else kind
    made: dict[str, type[Reporter]] = {"tty": Live, "plain": Lines, "json": Events, "none": Silent}
    return made[kind]()


class Silent:
    """Says nothing."""

    def show(self, job: Job) -> None:
        """Nothing."""

    def stopping(self) -> None:
        """Nothing."""

    def draw(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Events(Silent):
    """One JSON object a line: the whole job each time it changed."""

    def show(self, job: Job) -> None:
        """Write it."""
        print(json.dumps({"event": "job", **output.plain(job)}), file=sys.stderr)  # noqa: T201


class Lines(Silent):
    """A line for each new phase of the job and each layer that is complete; for logs."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def show(self, job: Job) -> None:
        """Write what is new in it."""
        if job.state in {"queued", "paused"}:
            self._say(job.state, job.state, job)
        if job.steps:
            self._say(f"step {job.step}/{job.steps}: {job.doing}", f"step {job.step}", job)
        elif job.phase:
            total = f" {output.size(job.total)}" if job.phase in _MOVING and job.total else ""
            self._say(f"{job.phase}{total}" if total else job.phase, job.phase, job)
        for layer in job.layers:
            if layer.phase in ("done", "exists"):
                what = "already here" if layer.phase == "exists" else "done"
                text = f"layer {figures.short(layer.digest, 12)} {what} {output.size(layer.total)}"
                self._say(text, layer.digest, job)

    def stopping(self) -> None:
        """Say what the next ctrl+C does."""
        report.note(_STOPPING)

    def _say(self, text: str, key: str, job: Job) -> None:
        if key not in self._said:
            self._said.add(key)
            report.note(f"{job.title}: {text}")


class Fetching(Silent):
    """Now and then a line on how far a fetch is, between the lines of a build."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = clock() + _PATIENCE

    def show(self, job: Job) -> None:
        """Write it if something comes over the network and nothing was said for a while."""
        if job.state == "running" and job.phase in _MOVING and self._clock() >= self._next:
            self._next = self._clock() + _PATIENCE
            report.note(f"  {job.phase} {figures.progress(job.done, job.total)}")

    def stopping(self) -> None:
        """Say what the next ctrl+C does."""
        report.note(_STOPPING)


def _doing(job: Job) -> str:
    """The phase of a job that runs, else that it waits or is paused."""
    return job.phase if job.phase and job.state == "running" else job.state


class Live(Silent):
    """Bars redrawn in place, one line a layer under one line for the whole."""

    def __init__(self) -> None:
        self._job: Job | None = None
        self._stopping = False
        self._rate = Rate(time.monotonic())
        self._drawn = 0
        encoding = (sys.stderr.encoding or "").lower()
        self._full, self._empty = ("━", " ") if encoding.startswith("utf") else ("=", " ")

    def show(self, job: Job) -> None:
        """Keep it for the next draw."""
        if self._job is None:  # what was here before this pull is no speed
            self._rate = Rate(time.monotonic(), job.done)
        self._job = job

    def stopping(self) -> None:
        """Say in the head what the next ctrl+C does."""
        self._stopping = True

    def draw(self) -> None:
        """Redraw the block."""
        if self._job is None:
            return
        window = shutil.get_terminal_size()
        lines = [self._head(self._job), *self._layers(self._job, max(window.lines - 2, 1))]
        up = f"\x1b[{self._drawn}F" if self._drawn else ""
        body = "".join(f"{output.cut(clean(line), window.columns - 1)}\x1b[K\n" for line in lines)
        sys.stderr.write(f"{up}{body}\x1b[J")
        sys.stderr.flush()
        self._drawn = len(lines)

    def close(self) -> None:
        """Draw the last state, or take the block away if it says nothing any more."""
        if self._job is None:
            return
        if self._job.state == "done":
            if self._drawn:
                sys.stderr.write(f"\x1b[{self._drawn}F\x1b[J")
            seconds = time.time() - (self._job.started or time.time())
            report.note(
                f"{self._job.title}: {output.size(self._job.total)} in {figures.duration(seconds)}"
            )
        else:
            self.draw()

    def _head(self, job: Job) -> str:
        self._rate.add(time.monotonic(), job.done)
        parts = [job.title, _STOPPING if self._stopping else _doing(job)]
        if job.steps:
            parts.append(f"{job.step}/{job.steps}  {job.doing}")
        if job.layers:
            parts.append(figures.plural(len(job.layers), "layer"))
        if job.total:
            parts.append(figures.progress(job.done, job.total))
        elif job.done:  # a stream: nobody knows how much comes
            parts += [output.size(job.done), figures.rate(self._rate.per_second)]
        left = self._rate.remaining(job.done, job.total)
        if left is not None and job.done < job.total:
            parts += [figures.rate(self._rate.per_second), figures.duration(left)]
        return "  ".join(parts)

    def _layers(self, job: Job, room: int) -> list[str]:
        chosen = sorted(range(len(job.layers)), key=lambda at: _RANK[job.layers[at].phase])
        if len(chosen) > room:
            chosen = chosen[: room - 1]
        lines = [self._layer(job.layers[at]) for at in sorted(chosen)]
        if left := len(job.layers) - len(lines):
            lines.append(f" and {figures.plural(left, 'more layer')}")
        return lines

    def _layer(self, layer: LayerState) -> str:
        done = layer.phase in ("done", "exists")
        share = 1.0 if done else layer.done / layer.total if layer.total else 0.0
        bar = (self._full * int(share * _BAR)).ljust(_BAR, self._empty)
        told = f"{share:4.0%}  {output.size(layer.total)}" if layer.phase in _MOVING else ""
        return f" {figures.short(layer.digest, 12)}  {bar}  {layer.phase:<8}{told}".rstrip()
