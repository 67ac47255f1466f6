"""Long operations that outlive whoever asked for them.

A job is a coroutine in the engine's task group plus a :class:`core.domain.Job`, its state as a
value. Whoever watches reads values; nobody holds the coroutine. A cancelled or failed job keeps
what its own code keeps (a cut blob, say), and says so in its error. A job whose kind has a limit
waits for its turn; a paused one gives its turn to the next.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.domain import Job, JobError, JobKind, JobPhase, JobState, LayerState
from core.errors import Cancelled, Conflict, DeckError, NotFound, by_code, deck_error
from core.events import JobChanged
from core.pausing import Gate, set_gate
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from typing import Any

    from core.background import Background
    from core.bus import Bus

_log = logging.getLogger(__name__)

PROGRESS_INTERVAL = 0.05
"""Seconds between two published states of one job that differ only in counts."""

KEPT_JOBS = 50
"""Ended jobs that stay in the list."""


def error_of(job: Job) -> DeckError:
    """The error of a failed or cancelled job, as it was raised in the engine."""
    if job.error is None:
        return Cancelled(job.title, "cancelled")
    what, _, why = job.error.message.partition(": ")
    return by_code(job.error.code)(what, why, hint=job.error.hint, kept=job.error.kept)


@dataclass(slots=True)
class _Running:
    job: Job
    key: str
    task: asyncio.Task[None] | None = None
    published: float = 0.0
    turn: Gate = field(default_factory=Gate)
    """Open while it runs; its bytes wait for that."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set, and replaced by another, when there is a newer state to read."""


class Progress:
    """What a job's own code reports through; cheap enough to call per chunk."""

    def __init__(self, book: JobBook, job_id: str) -> None:
        self._book = book
        self._id = job_id

    def report(self, phase: JobPhase, layers: tuple[LayerState, ...]) -> None:
        """Set the phase of the whole and the state of each layer."""
        before = self._book.get(self._id)
        turned = before.phase != phase or [layer.phase for layer in before.layers] != [
            layer.phase for layer in layers
        ]
        self._book.update(
            self._id,
            urgent=turned,
            phase=phase,
            layers=layers,
            done=sum(layer.done for layer in layers),
            total=sum(layer.total for layer in layers),
        )

    def at(self, step: int, steps: int, doing: str) -> None:
        """Say which step of how many is being carried out."""
        self._book.update(
            self._id, urgent=True, phase="build", layers=(), done=0, total=0,
            step=step, steps=steps, doing=clean(doing, 200),
        )  # fmt: skip

    def served_by(self, host: str) -> None:
        """Tell the mirror that it came from; empty: none."""
        if host:
            self._book.update(self._id, urgent=True, served_by=host)

    def warn(self, text: str) -> None:
        """Add a warning for the person who asked."""
        job = self._book.get(self._id)
        if text not in job.warnings:
            self._book.update(self._id, urgent=True, warnings=(*job.warnings, text))


class JobBook:
    """All jobs of one engine."""

    def __init__(
        self, bus: Bus, tasks: Background, *, limits: Mapping[JobKind, int] | None = None
    ) -> None:
        """``limits``: how many of a kind run at a time; any number where nothing is said."""
        self._limits = limits or {}
        self._bus = bus
        self._tasks = tasks
        self._entries: dict[str, _Running] = {}
        self._ids = itertools.count(1)

    def start(
        self,
        kind: JobKind,
        title: str,
        key: str,
        work: Callable[[Progress], Awaitable[str]],
    ) -> Job:
        """Start ``work``, or return the running job of the same ``key``.

        ``work`` returns the name of what it made.
        """
        for entry in self._entries.values():
            if entry.key == key and entry.job.active:
                return entry.job
        job = Job(
            id=f"{kind}-{next(self._ids)}",
            kind=kind,
            title=title,
            state="queued",
            started=time.time(),
        )
        entry = _Running(job=job, key=key)
        self._entries[job.id] = entry
        self._forget_oldest()
        self._admit(kind)
        if entry.job.state == "queued":
            self._publish(entry)
        entry.task = self._tasks.start(self._run(job.id, work), job.id)
        return entry.job

    def _admit(self, kind: JobKind) -> None:
        """Let those run whose turn it is, in the order in which they came."""
        same = [entry for entry in self._entries.values() if entry.job.kind == kind]
        room = self._limits.get(kind, len(same)) - sum(e.job.state == "running" for e in same)
        for entry in [entry for entry in same if entry.job.state == "queued"][: max(room, 0)]:
            entry.turn.open()
            self.update(entry.job.id, urgent=True, state="running")

    def pause(self, job_id: str) -> Job:
        """Hold a job where it is. Idempotent. Raises: NotFound; Conflict, it has ended."""
        entry = self._active(job_id)
        if entry.job.state != "paused":
            entry.turn.close()
            self.update(job_id, urgent=True, state="paused")
            self._admit(entry.job.kind)
        return entry.job

    def resume(self, job_id: str) -> Job:
        """Let it go on, or wait for its turn. Idempotent. Raises: as :meth:`pause`."""
        entry = self._active(job_id)
        if entry.job.state == "paused":
            self.update(job_id, urgent=True, state="queued")
            self._admit(entry.job.kind)
        return entry.job

    def _active(self, job_id: str) -> _Running:
        job = self.get(job_id)
        if not job.active:
            raise Conflict(f"job {job_id}", f"has ended ({job.state})")
        return self._entries[job_id]

    async def _run(self, job_id: str, work: Callable[[Progress], Awaitable[str]]) -> None:
        job = self.get(job_id)
        turn = self._entries[job_id].turn
        set_gate(turn)
        try:
            await turn.opened()
            result = await work(Progress(self, job_id))
        except asyncio.CancelledError:
            self._end(job_id, "cancelled", Cancelled(job.title, "cancelled"))
            raise
        except Cancelled as error:
            self._end(job_id, "cancelled", error)
        except DeckError as error:
            self._end(job_id, "failed", error)
        except BaseExceptionGroup as group:
            if (told := deck_error(group)) is None:
                _log.exception("job %s", job_id)
                told = DeckError(job.title, f"internal error, {group.exceptions[0]!r}")
            self._end(job_id, "failed", told)
        except Exception as error:
            # The outer boundary of everything that runs without a client: a defect ends one
            # job, not the engine with all its sessions.
            _log.exception("job %s", job_id)
            self._end(job_id, "failed", DeckError(job.title, f"internal error, {error!r}"))
        else:
            self.update(job_id, urgent=True, state="done", ended=time.time(), result=result)
        finally:
            self._admit(job.kind)

    def _end(self, job_id: str, state: JobState, error: DeckError) -> None:
        told = JobError(code=error.code, message=error.message, hint=error.hint, kept=error.kept)
        self.update(job_id, urgent=True, state=state, ended=time.time(), error=told)

    def get(self, job_id: str) -> Job:
        """The job as it is. Raises: NotFound."""
        try:
            return self._entries[job_id].job
        except KeyError:
            raise NotFound(job_id, "no such job", hint="see: distrodeck jobs") from None

    def all(self) -> list[Job]:
        """Every job that is remembered, newest first."""
        return [entry.job for entry in reversed(self._entries.values())]

    def busy(self) -> bool:
        """Whether a job is running."""
        return any(entry.job.active for entry in self._entries.values())

    def running(self, job_id: str) -> bool:
        """Whether there is such a job, and it is running."""
        entry = self._entries.get(job_id)
        return entry is not None and entry.job.active

    def update(self, job_id: str, *, urgent: bool, **changes: Any) -> None:
        """Change the job's value; tell followers at once, or within the progress interval."""
        entry = self._entries[job_id]
        entry.job = replace(entry.job, **changes)
        now = time.monotonic()
        if urgent or now - entry.published >= PROGRESS_INTERVAL:
            entry.published = now
            self._publish(entry)

    def _publish(self, entry: _Running) -> None:
        self._bus.publish(JobChanged(job=entry.job))
        entry.news.set()
        entry.news = asyncio.Event()

    def _forget_oldest(self) -> None:
        over = len(self._entries) - KEPT_JOBS
        for job_id in [key for key, entry in self._entries.items() if not entry.job.active]:
            if over <= 0:
                break
            del self._entries[job_id]
            over -= 1

    @asynccontextmanager
    async def watch(self, job_id: str) -> AsyncIterator[AsyncIterator[Job]]:
        """The job as it is, then each newer state, until it ended. Raises: NotFound."""
        self.get(job_id)
        yield self._states(self._entries[job_id])

    async def _states(self, entry: _Running) -> AsyncIterator[Job]:
        while True:
            news = entry.news
            job = entry.job
            yield job
            if not job.active:
                return
            await news.wait()

    async def result(self, job_id: str) -> Job:
        """Wait for the end. Raises: NotFound, or the job's own error."""
        async with self.watch(job_id) as states:
            async for job in states:
                if job.state == "done":
                    return job
                if not job.active:
                    raise error_of(job)
        raise NotFound(job_id, "no such job")

    async def cancel(self, job_id: str) -> None:
        """Cancel and wait until it has ended; success also when it already had."""
        self.get(job_id)
        entry = self._entries[job_id]
        task = entry.task
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])
        if entry.job.active:  # cancelled before its first step
            self._end(job_id, "cancelled", Cancelled(entry.job.title, "cancelled"))
