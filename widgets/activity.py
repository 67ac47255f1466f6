"""Pulls: a line each, and below it a bar for each of its layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from typing_extensions import override

from core.domain import Job
from widgets import format as fmt
from widgets.layer_bar import BarStyles, layer_line
from widgets.line_list import fit
from widgets.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual import events


class Activity(ScrollView, can_focus=True, inherit_bindings=False):
    """What is being fetched, how fast, and for how long still; newest state wins."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("g,home", "move(-9999)", "First", show=False),
        Binding("G,end", "move(9999)", "Last", show=False),
        Binding("enter", "explain", "Why it failed", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "activity--title",
        "activity--cursor",
        "activity--dim",
        "activity--full",
        "activity--done",
        "activity--rest",
        "activity--bad",
    }
    DEFAULT_CSS = """
    Activity {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .activity--title { color: $foreground; text-style: bold; }
        & > .activity--cursor { background: $primary 30%; }
        & > .activity--dim { color: $foreground-muted; }
        & > .activity--full { color: $primary; }
        & > .activity--done { color: $success; }
        & > .activity--rest { color: $border-blurred; }
        & > .activity--bad { color: $text-error; }
    }
    """

    @dataclass
    class Explain(Message):
        """The person wants to know why a job failed."""

        job: Job

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._clock = clock
        self._jobs: list[Job] = []
        self._rates: dict[str, Rate] = {}
        self._lines: list[tuple[Job, int]] = []
        self._cursor = 0

    @property
    def job(self) -> Job | None:
        """The job under the cursor."""
        return self._jobs[self._cursor] if self._cursor < len(self._jobs) else None

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs shown, running ones first."""
        return tuple(self._jobs)

    @property
    def per_second(self) -> float:
        """Bytes per second over all running jobs."""
        return sum(
            self._rates[job.id].per_second
            for job in self._jobs
            if job.state == "running" and job.id in self._rates
        )

    def show(self, jobs: Iterable[Job]) -> None:
        """Show these jobs; call it as often as there is something newer."""
        now = self._clock()
        order = {"running": 0, "paused": 1, "queued": 2}
        self._jobs = sorted(jobs, key=lambda job: (order.get(job.state, 3), -job.started))
        for job in self._jobs:
            rate = self._rates.setdefault(job.id, Rate(job.started))
            if job.state == "running":
                rate.add(now, job.done)
        for gone in self._rates.keys() - {job.id for job in self._jobs}:
            del self._rates[gone]
        self._lines = [
            (job, number)
            for job in self._jobs
            for number in range(-1, len(job.layers) if job.state == "running" else 0)
        ]
        self._cursor = max(0, min(self._cursor, len(self._jobs) - 1))
        self.virtual_size = Size(0, len(self._lines))
        self.refresh()

    def summary(self) -> str:
        """``1 pull · 1 queued``, for the title."""
        running = sum(job.state == "running" for job in self._jobs)
        queued = sum(job.state == "queued" for job in self._jobs)
        parts = [fmt.plural(running, "pull")] if running else []
        if queued:
            parts.append(f"{queued} queued")
        if paused := sum(job.state == "paused" for job in self._jobs):
            parts.append(f"{paused} paused")
        return " · ".join(parts)

    def action_move(self, rows: int) -> None:
        """Move to another job."""
        self._cursor = max(0, min(self._cursor + rows, len(self._jobs) - 1))
        if job := self.job:
            top = self._lines.index((job, -1))
            height = len(job.layers) + 1 if job.state == "running" else 1
            self.scroll_to_region(Region(0, top, 1, height), animate=False, immediate=True)
        self.refresh()

    def action_explain(self) -> None:
        """Ask for the reason of a failure."""
        if self.job and self.job.error:
            self.post_message(self.Explain(self.job))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the job of that line."""
        line = event.y + round(self.scroll_y)
        if line < len(self._lines):
            self._cursor = self._jobs.index(self._lines[line][0])
            self.refresh()
            if event.chain == 2:
                self.action_explain()

    def on_focus(self) -> None:
        """Draw the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Draw no cursor."""
        self.refresh()

    @override
    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        line = y + round(self.scroll_y)
        if not self._jobs:
            text = " nothing is being pulled: p pulls an image" if y == 0 else ""
            return Strip([Segment(fit(text, width), self._look("dim"))])
        if line >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        job, number = self._lines[line]
        if number >= 0:
            segments = layer_line(job.layers[number], width, self._styles())
            return Strip(segments).adjust_cell_length(width, self.rich_style)
        return self._title(job, width)

    def _look(self, name: str) -> Style:
        return self.get_component_rich_style(f"activity--{name}")

    def _styles(self) -> BarStyles:
        return BarStyles(
            text=self.rich_style,
            dim=self._look("dim"),
            full=self._look("full"),
            done=self._look("done"),
            rest=self._look("rest"),
        )

    def _title(self, job: Job, width: int) -> Strip:
        state = self._look("bad") if job.state == "failed" else self._look("dim")
        cursor = Style()
        if self.has_focus and job is self.job:
            cursor = Style(bgcolor=self._look("cursor").bgcolor)
        name = fit(job.title, max(8, min(22, width // 3)))
        segments = [
            Segment(f"{name} ", self._look("title") + cursor),
            Segment(fit(self._says(job), width - len(name)), state + cursor),
        ]
        return Strip(segments).adjust_cell_length(width, cursor)

    def _says(self, job: Job) -> str:
        if job.state == "failed" and job.error:
            return f"failed: {job.error.message}"
        if job.state == "paused":
            return f"paused at {fmt.progress(job.done, job.total)}" if job.total else "paused"
        if job.state != "running":
            ago = fmt.age(self._clock() - job.ended) if job.ended else ""
            made = f"done, installed as {job.result}" if job.result else job.state
            return f"{made}{f' · {ago}' if ago and ago != 'now' else ''}"
        if job.phase == "resolve" or not job.total:
            return job.phase or "starting"
        rate = self._rates[job.id]
        left = rate.remaining(job.done, job.total)
        amount = fmt.progress(job.done, job.total)
        if job.phase in {"unpack", "commit", "verify"}:
            return f"{amount}  {job.phase}"
        return f"{amount}  {fmt.rate(rate.per_second)}  {fmt.duration(left)}"
