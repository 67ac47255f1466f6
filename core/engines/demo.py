"""An engine with made-up, deterministic data: for pictures, tests and a try-out.

Its clock stands still until :meth:`DemoEngine.advance` moves it.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from core.domain import (
    Catalog,
    Check,
    Distro,
    DistroState,
    EngineInfo,
    HistoryEntry,
    Image,
    Job,
    JobError,
    JobState,
    PullSpec,
    RunResult,
    RunSpec,
    Session,
    ShellSpec,
)
from core.engines import demo_data
from core.engines.demo_archives import DemoArchives
from core.engines.demo_builds import DemoBuilds
from core.engines.demo_changes import DemoChanges
from core.engines.demo_contents import DemoContents
from core.engines.demo_registries import DemoRegistries
from core.engines.demo_shell import DemoAttachment, DemoSession, reply
from core.engines.demo_storage import DemoStorage
from core.errors import Cancelled, Conflict, InvalidInput, NotFound, by_code
from core.events import (
    CatalogChanged,
    DistroChanged,
    DistroRemoved,
    Event,
    JobChanged,
    SessionChanged,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from core.verbs.storage import ImageQuery

STEP = 0.5
"""Seconds of the demonstration's clock per :meth:`DemoEngine.advance`."""


class DemoEngine(DemoStorage, DemoBuilds, DemoRegistries, DemoChanges, DemoContents, DemoArchives):
    """A :class:`core.engine.Engine` in memory."""

    def __init__(
        self,
        *,
        distros: Iterable[Distro] | None = None,
        pulls: bool = True,
        sessions: bool = True,
    ) -> None:
        super().__init__()
        self.now = demo_data.NOW
        known = demo_data.distros() if distros is None else distros
        self._distros = {distro.name: distro for distro in known}
        self._catalog = demo_data.catalog()
        self._jobs: dict[str, Job] = {}
        self._specs: dict[str, PullSpec] = {}
        self._sessions: dict[int, DemoSession] = {}
        self._followers: set[asyncio.Queue[Event | None]] = set()
        if pulls:
            self._jobs["1"] = demo_data.slow_pull()
            self._jobs["2"] = replace(
                demo_data.new_pull(2, "kalilinux", self.now, (52_000_000,)),
                state="queued",
                phase="",
            )
        for name in ("ubuntu", "alpine") if sessions else ():
            self._add_session(ShellSpec(distro=name), title="bash")

    def clock(self) -> float:
        """Seconds since the epoch, as the demonstration has it."""
        return self.now

    def advance(self, steps: int = 1) -> None:
        """Let ``steps`` times :data:`STEP` seconds pass: running pulls go on."""
        for _ in range(steps):
            self.now += STEP
            for job in list(self._jobs.values()):
                if job.state == "running":
                    self._set_job(self._step(job))

    def _step(self, job: Job) -> Job:
        source = self._specs.get(job.id, PullSpec()).source
        if job.phase == "resolve" and source.startswith("registry.example.com/"):
            error = JobError(
                code="login_needed",
                message=f"{source}: the registry asks for a login (401)",
                hint="log in with: distrodeck login registry.example.com",
            )
            return replace(job, state="failed", ended=self.now, error=error)
        if "flaky" in source and job.done > job.total // 2:
            error = JobError(
                code="unreachable",
                message=f"{source}: connection cut by the registry",
                hint="try again: what is here already is not fetched again",
                kept=f"{job.done // 1_000_000} of {job.total // 1_000_000} MB",
            )
            return replace(job, state="failed", ended=self.now, error=error)
        layers = demo_data.step_layers(job.layers)
        phase = "fetch" if any(item.phase == "fetch" for item in layers) else "unpack"
        if all(item.phase in {"done", "exists"} for item in layers):
            made = demo_data.installed(job, source or job.title, self.now)
            self._set_distro(made)
            return replace(
                job,
                state="done",
                phase="",
                layers=layers,
                done=job.total,
                ended=self.now,
                result=made.name,
            )
        return replace(
            job,
            phase="fetch" if phase == "fetch" else "unpack",
            layers=layers,
            done=sum(item.done for item in layers),
        )

    def handed_in(self, session: int) -> int:
        """Offset of the newest checkpoint of a session; 0: none."""
        return self._session(session).checkpoint[1]

    def hang_up(self) -> None:
        """Let every follower go, as a daemon that dies does."""
        for queue in self._followers:
            queue.put_nowait(None)

    def _publish(self, event: Event) -> None:
        for queue in self._followers:
            queue.put_nowait(event)

    def _set_job(self, job: Job) -> Job:
        self._jobs[job.id] = job
        self._publish(JobChanged(job=job))
        return job

    def _set_distro(self, distro: Distro) -> Distro:
        self._distros[distro.name] = distro
        self._publish(DistroChanged(distro=distro))
        return distro

    def _set_session(self, session: Session) -> None:
        self._publish(SessionChanged(session=session))
        live = self._live(session.distro)
        distro = self._distros.get(session.distro)
        if distro and distro.sessions != live:
            state: DistroState = "running" if live else "stopped"
            self._set_distro(replace(distro, sessions=live, state=state, used=self.now))

    def _live(self, name: str) -> int:
        return sum(
            item.session.distro == name and item.session.state == "running"
            for item in self._sessions.values()
        )

    def _add_session(self, spec: ShellSpec, title: str = "") -> Session:
        session = Session(
            id=len(self._sessions) + 2,
            distro=spec.distro,
            argv=spec.argv or ("/bin/bash",),
            state="running",
            started=self.now,
            rows=spec.rows,
            columns=spec.columns,
            title=title,
        )
        self._sessions[session.id] = DemoSession(session, self._set_session)
        self._set_session(session)
        return session

    def _session(self, number: int) -> DemoSession:
        try:
            return self._sessions[number]
        except KeyError:
            raise NotFound(f"session {number}", "there is no such session") from None

    async def images(self, query: ImageQuery | None = None) -> list[Image]:
        """The images under the installed distros, whatever the query."""
        return [demo_data.image(distro) for distro in self._distros.values()]

    async def image(self, name: str) -> Image:
        """The image under one distro."""
        return demo_data.image(await self.distro(name))

    async def history(self, name: str) -> list[HistoryEntry]:
        """Its history, newest first."""
        return demo_data.history(await self.distro(name))

    async def distros(self) -> list[Distro]:
        """All installed distros by name."""
        return sorted(self._distros.values(), key=lambda distro: distro.name)

    async def distro(self, name: str) -> Distro:
        """One distro."""
        try:
            return self._distros[name]
        except KeyError:
            hint = "see what is installed with: distrodeck ls"
            raise NotFound(name, "no distro of that name", hint=hint) from None

    async def catalog(self) -> Catalog:
        """What can be installed."""
        return self._catalog

    async def refresh(self) -> Job:
        """Read the sources again; the broken one stays broken."""
        self._catalog = demo_data.catalog(self.now)
        self._publish(CatalogChanged(catalog=self._catalog))
        number = len(self._jobs) + 1
        job = demo_data.new_pull(number, "catalog", self.now, ())
        return self._set_job(replace(job, kind="refresh", state="done", ended=self.now))

    async def pull(self, spec: PullSpec) -> Job:
        """Begin a pull; :meth:`advance` carries it on."""
        entry = next((e for e in self._catalog.entries if e.name == spec.name), None)
        if not spec.source and not entry:
            raise NotFound(spec.name, "in no catalog", hint="give a source as well")
        if any(character.isspace() for character in spec.source + spec.name):
            raise InvalidInput(spec.source or spec.name, "a reference has no spaces")
        name = spec.name if spec.source and spec.name else (spec.name or spec.source)
        name = name.rpartition("/")[2].partition(":")[0] if "/" in name or ":" in name else name
        if entry and "/" in spec.name:
            name = spec.name.replace("/", "-")
        for job in self._jobs.values():
            if job.title == name and job.active:
                return job
        if name in self._distros:
            raise Conflict(name, "a distro of that name is installed", hint="choose another name")
        number = len(self._jobs) + 1
        total = entry.size if entry and entry.size else 96_000_000
        job = demo_data.new_pull(number, name, self.now, (total * 3 // 4, total // 4))
        self._specs[job.id] = replace(spec, source=spec.source or (entry.source if entry else ""))
        return self._set_job(job)

    async def remove(self, name: str, *, force: bool = False, now: bool = False) -> None:
        """Remove a distro; ``undo`` brings it back."""
        distro = await self.distro(name)
        if self._live(name) and not force:
            raise Conflict(name, "shells run in it", hint="close them, or remove with force")
        await self._end_sessions(name)
        del self._distros[name]
        self._publish(DistroRemoved(name=name))
        if not now:
            self._removed.append(replace(distro, sessions=0, state="stopped"))

    async def _end_sessions(self, name: str) -> None:
        for item in self._sessions.values():
            if item.session.distro == name:
                item.end(129)

    async def start(self, name: str) -> Distro:
        """Mark it running."""
        return self._set_distro(replace(await self.distro(name), state="running"))

    async def stop(self, name: str) -> Distro:
        """End its sessions."""
        await self.distro(name)
        await self._end_sessions(name)
        return self._set_distro(replace(self._distros[name], state="stopped"))

    async def restart(self, name: str) -> Distro:
        """Stop, then start."""
        await self.stop(name)
        return await self.start(name)

    async def sessions(self) -> list[Session]:
        """All sessions, by id."""
        return [item.session for item in self._sessions.values()]

    async def open(self, spec: ShellSpec) -> Session:
        """Open a scripted shell."""
        await self.distro(spec.distro)
        return self._add_session(spec)

    @asynccontextmanager
    async def attach(self, session: int, *, viewer: bool = False) -> AsyncIterator[DemoAttachment]:
        """Hold a scripted session."""
        yield DemoAttachment(self._session(session), viewer=viewer)

    async def input(self, session: int, data: bytes) -> None:
        """Type into a session."""
        self._session(session).type(data)

    async def resize(self, session: int, rows: int, columns: int) -> None:
        """Set a session's size."""
        self._session(session).resize(rows, columns)

    async def close(self, session: int) -> None:
        """End a session as SIGHUP would."""
        self._session(session).end(129)

    async def run(self, spec: RunSpec) -> RunResult:
        """Answer a command from the script."""
        await self.distro(spec.distro)
        return reply(list(spec.argv))

    async def jobs(self) -> list[Job]:
        """All jobs, newest first."""
        return list(reversed(self._jobs.values()))

    @asynccontextmanager
    async def watch(self, job: str) -> AsyncIterator[AsyncIterator[Job]]:
        """One job as it is, then each newer state."""
        if job not in self._jobs:
            raise NotFound(f"job {job}", "there is no such job")

        async def states(events: AsyncIterator[Event]) -> AsyncIterator[Job]:
            async for event in events:
                if isinstance(event, JobChanged) and event.job.id == job:
                    yield event.job
                    if not event.job.active:
                        return

        async with self.events() as events:
            yield states(events)

    async def result(self, job: str) -> Job:
        """Wait for a job's end."""
        async with self.watch(job) as states:
            async for state in states:
                if state.error:
                    error = state.error
                    raise by_code(error.code)(error.message, hint=error.hint, kept=error.kept)
                if state.state == "cancelled":
                    raise Cancelled(state.title)
        return self._jobs[job]

    async def cancel(self, job: str) -> None:
        """Stop a job."""
        if job not in self._jobs:
            raise NotFound(f"job {job}", "there is no such job")
        if self._jobs[job].active:
            self._set_job(replace(self._jobs[job], state="cancelled", ended=self.now))

    async def pause(self, job: str) -> Job:
        return self._hold(job, "paused")

    async def resume(self, job: str) -> Job:
        return self._hold(job, "running")

    def _hold(self, job: str, state: JobState) -> Job:
        if job not in self._jobs:
            raise NotFound(f"job {job}", "there is no such job")
        if not self._jobs[job].active:
            raise Conflict(f"job {job}", "has ended")
        return self._set_job(replace(self._jobs[job], state=state))

    async def info(self) -> EngineInfo:
        """What engine this is."""
        total = sum(distro.unique_size for distro in self._distros.values())
        return EngineInfo(
            version="demo", pid=0, root="demo data", store_bytes=total + 199_400_000, idmap="root"
        )

    async def doctor(self) -> list[Check]:
        """Everything works here."""
        return [Check(name="demonstration", ok=True, detail="nothing here is real")]

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[Event]]:
        """The state of everything, then what changes."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        queue.put_nowait(CatalogChanged(catalog=self._catalog))
        for distro in self._distros.values():
            queue.put_nowait(DistroChanged(distro=distro))
        for item in self._sessions.values():
            queue.put_nowait(SessionChanged(session=item.session))
        for job in self._jobs.values():
            queue.put_nowait(JobChanged(job=job))

        async def follow() -> AsyncIterator[Event]:
            while event := await queue.get():
                yield event

        self._followers.add(queue)
        try:
            yield follow()
        finally:
            self._followers.discard(queue)
