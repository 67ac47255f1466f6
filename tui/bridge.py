"""Between the engine and the screen: keeps the newest state, tells the rare facts.

An engine may publish hundreds of facts a second; each costs a dict write here, and a timer of
the screen takes what is new fifteen times a second. Bytes of shells do not come this way.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.message import Message

from core.domain import Catalog, Distro, EngineInfo, Job, Session
from core.errors import DaemonUnreachable, NotFound
from core.events import (
    CatalogChanged,
    DistroChanged,
    DistroRemoved,
    Event,
    JobChanged,
    Notice,
    SessionChanged,
)

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

    from core.engine import Engine

Topic = Literal["distros", "jobs", "sessions", "catalog"]
TOPICS: frozenset[Topic] = frozenset({"distros", "jobs", "sessions", "catalog"})
TICK = 1 / 15
"""Seconds between two looks at what is new."""
PATIENCE = 10.0
"""Seconds a verb waits for an engine that is being started again."""


class Bridge:
    """The newest state of everything the engine has."""

    @dataclass
    class Connected(Message):
        """There is an engine; these shells live."""

        engine: Engine
        sessions: list[Session]

    @dataclass
    class JobEnded(Message):
        """A job ended while the console watched."""

        job: Job

    @dataclass
    class SessionEnded(Message):
        """A session ended while the console watched."""

        session: Session

    @dataclass
    class Told(Message):
        """A notice of the engine."""

        notice: Notice

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self.info: EngineInfo | None = None
        self.distros: dict[str, Distro] = {}
        self.jobs: dict[str, Job] = {}
        self.sessions: dict[int, Session] = {}
        self.catalog = Catalog()
        self.ready = asyncio.Event()
        """Set while connected and all state has been read once."""
        self.taken_over = asyncio.Event()
        """Set once the screen has dealt with :class:`Connected`.

        A shell opened before that would not be among its sessions, as if it had ended.
        """
        self.connected_before = False
        """Whether there ever was an engine."""
        self._new: set[Topic] = set(TOPICS)

    def take_new(self) -> set[Topic]:
        """What changed since the last call."""
        new, self._new = self._new, set()
        return new

    @property
    def live_sessions(self) -> list[Session]:
        """Sessions that run, by id."""
        return [s for _, s in sorted(self.sessions.items()) if s.state == "running"]

    @property
    def pulls(self) -> list[Job]:
        """Pulls that wait or run."""
        return [job for job in self.jobs.values() if job.kind == "pull" and job.active]

    async def follow(self, engine: Engine, target: MessagePump) -> None:
        """Keep the state up to date and tell ``target`` what is rare, until cancelled.

        Raises:
            DaemonUnreachable: the connection ended.
            DeckError: the engine would not answer.
        """
        async with engine.events() as events:
            await self._read(engine)
            self.engine = engine
            self.ready.set()
            self.connected_before = True
            shells = [session for session in self.live_sessions if session.tty]
            target.post_message(self.Connected(engine, shells))
            try:
                async for event in events:
                    self._note(event, target)
                    if isinstance(event, DistroRemoved) or _is_done(event):
                        self.info = await engine.info()
            finally:
                self.engine = None
                self.ready.clear()
                self.taken_over.clear()
                self._new |= TOPICS
        raise DaemonUnreachable(
            "engine", "the connection ended", hint="shells keep running: connect again"
        )

    async def _read(self, engine: Engine) -> None:
        self.info = await engine.info()
        self.catalog = await engine.catalog()
        self.distros = {distro.name: distro for distro in await engine.distros()}
        self.sessions = {session.id: session for session in await engine.sessions()}
        self.jobs = {job.id: job for job in await engine.jobs()}
        self._new |= TOPICS

    def _note(self, event: Event, target: MessagePump) -> None:
        match event:
            case JobChanged(job=job):
                before = self.jobs.get(job.id)
                self.jobs[job.id] = job
                self._new.add("jobs")
                if not job.active and before and before.active:
                    target.post_message(self.JobEnded(job))
            case DistroChanged(distro=distro):
                self.distros[distro.name] = distro
                self._new.add("distros")
            case DistroRemoved(name=name):
                self.distros.pop(name, None)
                self._new.add("distros")
            case SessionChanged(session=session):
                known = self.sessions.get(session.id)
                self.sessions[session.id] = session
                self._new.add("sessions")
                if session.state != "running" and known and known.state == "running":
                    target.post_message(self.SessionEnded(session))
            case CatalogChanged(catalog=catalog):
                self.catalog = catalog
                self._new.add("catalog")
            case Notice():
                target.post_message(self.Told(event))

    def distro(self, name: str) -> Distro:
        """An installed distro.

        Raises:
            NotFound: there is none of that name.
        """
        try:
            return self.distros[name]
        except KeyError:
            raise NotFound(name, "no distro of that name is installed") from None

    async def reach(self) -> Engine:
        """The engine; while the connection is being made again, wait for it a moment.

        Raises:
            DaemonUnreachable: there is no connection, nor was there one in time.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.taken_over.wait()
        if self.engine is None:
            raise DaemonUnreachable("engine", "not connected", hint="wait, or connect again")
        return self.engine


def _is_done(event: Event) -> bool:
    return isinstance(event, JobChanged) and event.job.state == "done"
