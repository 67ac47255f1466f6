"""The engine that does the work in this process: store, catalog, jobs, sandboxes, sessions.

It composes what lies below and is the only module that knows it all. One process at a time may
have the store open; consoles reach it through :mod:`core.daemon`.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from core.background import background
from core.builds.workshop import Workshop
from core.bus import Bus
from core.catalog.store import CatalogStore
from core.config import Settings, read_settings
from core.describe import Describer
from core.domain import Caller, EngineInfo, RunResult, ShellSpec
from core.engine import check_whole
from core.errors import NotFound, Unsupported
from core.events import (
    CatalogChanged,
    DistroChanged,
    DistroRemoved,
    JobChanged,
    SessionChanged,
)
from core.freshness import Freshness
from core.images.access import Access
from core.images.find import find_image
from core.images.keyring import Keyring
from core.installing import Installer
from core.jobs import JobBook
from core.local.archives import ArchiveVerbs
from core.local.builds import BuildVerbs
from core.local.changes import ChangeVerbs
from core.local.contents import ContentsVerbs
from core.local.parts import Bound, Parts
from core.local.registries import RegistryVerbs
from core.local.storage import StorageVerbs
from core.runtimes.idmap import decide
from core.runtimes.probe import probe
from core.shells.attachment import HolderAttachment
from core.shells.roster import Roster
from core.store.store import Store
from core.verbs.storage import ImageQuery
from core.version import VERSION

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from core.background import Background
    from core.domain import (
        Catalog,
        Check,
        Distro,
        Image,
        Job,
        PullSpec,
        RunSpec,
        Session,
    )
    from core.engine import Attachment
    from core.events import Event
    from core.paths import Paths
    from core.runtimes.idmap import IdMap
    from core.store.records import DistroRecord

MAX_RUN_OUTPUT = 32 << 20
"""Bytes that ``run`` collects before it gives up; a session's output has no such limit."""

SWEEP_SECONDS = 60.0
"""A removed tree is deleted in the background; how often is looked for leftovers of that."""


@asynccontextmanager
async def open_local(
    paths: Paths, *, settings: Settings | None = None
) -> AsyncIterator[LocalEngine]:
    """Open the store and take over the holders that run.

    Leaving it cancels jobs (what can be resumed is kept) and lets go of holders: sessions stay.

    Raises:
        Conflict: another engine has the store open.
        HostForbids: neither root nor user namespaces.
        InvalidInput: the settings cannot be read.
    """
    paths.make()
    settings, idmap = settings or read_settings(paths.config), await asyncio.to_thread(decide)
    bus = Bus()
    async with (
        Store.open(
            paths.data, enter=idmap.enter, privileged=idmap.privileged, idmap=idmap.kind
        ) as store,
        background() as tasks,
    ):
        store.limits = settings.limits
        parts = _assemble(paths, settings, idmap, bus, store, tasks)
        tasks.start(store.sweep(SWEEP_SECONDS), "sweep")
        tasks.start(parts.freshness.keep(), "freshness")
        try:
            await parts.roster.adopt()
            yield LocalEngine(parts, Caller(uid=os.geteuid(), pid=os.getpid()))
        finally:
            parts.roster.let_go()
            parts.builds.close()


def _assemble(
    paths: Paths, settings: Settings, idmap: IdMap, bus: Bus, store: Store, tasks: Background
) -> Parts:
    jobs = JobBook(bus, tasks, limits={"pull": settings.pull.parallel_jobs})
    access = Access(settings, Keyring(paths.logins))
    catalog = CatalogStore(settings, paths.cache, access=access)
    roster = Roster(paths, idmap, store, bus, tasks)
    describer = Describer(store, roster)

    def tell(name: str) -> None:
        with suppress(NotFound):  # removed or renamed meanwhile
            bus.publish(DistroChanged(distro=describer.distro(name)))

    roster.on_distro = tell
    return Parts(
        paths=paths,
        settings=settings,
        store=store,
        bus=bus,
        jobs=jobs,
        catalog=catalog,
        roster=roster,
        describer=describer,
        installer=Installer(
            store, jobs, catalog, describer, bus, access, settings, warnings=idmap.warnings
        ),
        builds=Workshop(store, jobs, access, idmap, paths.data / "builds"),
        access=access,
        freshness=Freshness(store, access, jobs, tell, unasked=settings.pull.check),
        tasks=tasks,
    )


class LocalEngine(
    StorageVerbs, BuildVerbs, RegistryVerbs, ChangeVerbs, ContentsVerbs, ArchiveVerbs, Bound
):
    """The Engine protocol on this machine, as one caller may use it."""

    def bind(self, caller: Caller) -> LocalEngine:
        """The same engine for another caller."""
        return LocalEngine(self._parts, caller)

    def busy(self) -> bool:
        """Whether a session or a job would miss this process."""
        return self._parts.jobs.busy() or self._parts.roster.busy()

    # -- images ---------------------------------------------------------------------------

    async def images(self, query: ImageQuery | None = None) -> list[Image]:
        return await self._parts.store.choose_images(
            query or ImageQuery(), partial(find_image, self._parts.store)
        )

    async def image(self, name: str) -> Image:
        return find_image(self._parts.store, name)

    # -- distros --------------------------------------------------------------------------

    async def distros(self) -> list[Distro]:
        return self._parts.describer.distros()

    async def distro(self, name: str) -> Distro:
        return self._parts.describer.distro(self._record(name).name)

    async def catalog(self) -> Catalog:
        self._parts.installer.refresh_if_stale()
        self._parts.freshness.start_if_due()
        return self._parts.catalog.current()

    async def refresh(self) -> Job:
        self._may_change("catalog")
        self._parts.freshness.start()
        return self._parts.installer.refresh()

    async def pull(self, spec: PullSpec) -> Job:
        self._may_change(spec.name or spec.source)
        return await self._parts.installer.pull(spec)

    async def remove(self, name: str, *, force: bool = False, now: bool = False) -> None:
        self._may_change(name)
        record = self._record(name)
        await self._parts.tasks.see_through(self._remove(record, force=force, now=now))

    async def _remove(self, record: DistroRecord, *, force: bool, now: bool) -> None:
        async with self._parts.roster.stopped(record, force=force):
            await self._parts.store.remove_distro(record.name, now=now)
            self._parts.roster.forget(record)
            self._parts.bus.publish(DistroRemoved(name=record.name))

    async def start(self, name: str) -> Distro:
        self._may_change(name)
        record = self._record(name)
        await self._parts.roster.start(record)
        return self._parts.describer.distro(record.name)

    async def stop(self, name: str) -> Distro:
        self._may_change(name)
        record = self._record(name)
        await self._parts.roster.stop(record)
        return self._parts.describer.distro(record.name)

    async def restart(self, name: str) -> Distro:
        await self.stop(name)
        return await self.start(name)

    # -- sessions -------------------------------------------------------------------------

    async def sessions(self) -> list[Session]:
        await self._parts.roster.look()
        return self._parts.roster.sessions()

    async def open(self, spec: ShellSpec) -> Session:
        self._may_change(spec.distro)
        return await self._parts.roster.open(self._record(spec.distro), spec)

    async def dial(self, session: int, *, viewer: bool) -> socket.socket:
        """A socket attached to the session, with no more rights than the caller has."""
        viewer = viewer or self._caller.role == "viewer"
        return await self._parts.roster.dial(session, viewer=viewer)

    @asynccontextmanager
    async def attach(self, session: int, *, viewer: bool = False) -> AsyncIterator[Attachment]:
        sock = await self.dial(session, viewer=viewer)
        async with HolderAttachment.from_socket(sock) as attachment:
            yield attachment

    async def input(self, session: int, data: bytes) -> None:
        self._may_change(f"session {session}")
        await self._parts.roster.input(session, data)

    async def resize(self, session: int, rows: int, columns: int) -> None:
        self._may_change(f"session {session}")
        if rows > 0 and columns > 0:
            await self._parts.roster.resize(session, rows, columns)

    async def close(self, session: int) -> None:
        self._may_change(f"session {session}")
        await self._parts.roster.close(session)

    async def run(self, spec: RunSpec) -> RunResult:
        session = await self.open(
            ShellSpec(
                distro=spec.distro,
                argv=spec.argv,
                workdir=spec.workdir,
                binds=spec.binds,
                env=spec.env,
                user=spec.user,
                tty=False,
                bound=True,
            )
        )
        async with self.attach(session.id) as attachment, background() as tasks:
            tasks.start(_feed(attachment, spec.input))
            streams: dict[int, bytearray] = {1: bytearray(), 2: bytearray()}
            async for piece in attachment.output():
                check_whole(piece)
                streams.setdefault(piece.stream, bytearray()).extend(piece.data)
                if sum(map(len, streams.values())) > MAX_RUN_OUTPUT:
                    raise Unsupported(
                        " ".join(spec.argv)[:80],
                        f"wrote more than {MAX_RUN_OUTPUT >> 20} MiB",
                        hint="use distrodeck run, which passes output on as it comes",
                    )
            code = await attachment.exit_code()
        return RunResult(stdout=bytes(streams[1]), stderr=bytes(streams[2]), exit_code=code)

    # -- jobs -----------------------------------------------------------------------------

    async def jobs(self) -> list[Job]:
        return self._parts.jobs.all()

    @asynccontextmanager
    async def watch(self, job: str) -> AsyncIterator[AsyncIterator[Job]]:
        async with self._parts.jobs.watch(job) as states:
            yield states

    async def result(self, job: str) -> Job:
        return await self._parts.jobs.result(job)

    async def cancel(self, job: str) -> None:
        self._may_change(job)
        await self._parts.jobs.cancel(job)

    async def pause(self, job: str) -> Job:
        self._may_change(job)
        return self._parts.jobs.pause(job)

    async def resume(self, job: str) -> Job:
        self._may_change(job)
        return self._parts.jobs.resume(job)

    # -- the engine itself ----------------------------------------------------------------

    async def info(self) -> EngineInfo:
        store = self._parts.store
        return EngineInfo(
            version=VERSION,
            pid=os.getpid(),
            root=str(self._parts.paths.data),
            store_bytes=store.total_bytes(),
            idmap=store.idmap,
        )

    async def doctor(self) -> list[Check]:
        return await probe(self._parts.paths)

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[Event]]:
        parts = self._parts
        parts.installer.refresh_if_stale()
        parts.freshness.start_if_due()
        snapshot: list[Event] = [DistroChanged(distro=one) for one in parts.describer.distros()]
        snapshot += [SessionChanged(session=one) for one in parts.roster.sessions()]
        snapshot += [JobChanged(job=one) for one in parts.jobs.all()]
        snapshot.append(CatalogChanged(catalog=parts.catalog.current()))
        async with parts.bus.follow(snapshot) as events:
            yield events


async def _feed(attachment: Attachment, data: bytes) -> None:
    if data:
        await attachment.write(data)
    await attachment.eof()
