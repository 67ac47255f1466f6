"""Who runs where: the holders of this engine and the sessions in them.

The engine's side of :mod:`core.shells.holder`. Holders outlive engines, so the first thing a new
engine does is to find them again (:meth:`Roster.adopt`); it lets go of them when it ends.

Holders stop by themselves, and several callers may want the same one at the same time. So a
distro's holder is started and stopped in turns, and a link that broke is followed to its end (is
the holder gone, or did it only hang up?) before anybody looks for another.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from core.errors import Conflict, DeckError, NotFound, Unreachable
from core.pausing import unheld
from core.runtimes.forking import from_os
from core.shells.book import SessionBook
from core.shells.dialing import Silent, dial
from core.shells.launch import (
    HOLDERS,
    ensure_holder,
    find_holders,
    forget_session,
    live_holders,
)
from core.shells.link import HolderLink
from core.shells.plan import plan_holder
from core.shells.reaching import end_silent
from core.shells.records import rename_records

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Awaitable, Callable

    from core.background import Background
    from core.bus import Bus
    from core.domain import DistroState, Session, ShellSpec
    from core.paths import Paths
    from core.runtimes.idmap import IdMap
    from core.store.records import DistroRecord
    from core.store.store import Store

T = TypeVar("T")

LOOK_SECONDS = 1.0
"""A holder that does not answer by then is taken at its last word."""

STOP_SECONDS = 10.0
"""A holder that has not ended its sandbox by then is killed, and the sandbox with it."""

TRIES = 3
"""Holders tried before one that ends at once is somebody's problem."""


class Roster:
    """Holders by distro id, and who may start, stop and use them."""

    def __init__(
        self, paths: Paths, idmap: IdMap, store: Store, bus: Bus, tasks: Background
    ) -> None:
        self._paths = paths
        self._idmap = idmap
        self._store = store
        self._tasks = tasks
        self._links: dict[str, HolderLink] = {}
        self._followers: dict[HolderLink, asyncio.Task[None]] = {}
        self._book = SessionBook(paths.run, bus, self._tell_distro)
        self._turns: dict[str, asyncio.Lock] = {}
        self._starting: set[str] = set()
        self._opening: Counter[str] = Counter()
        self._leaving = False
        self.on_distro: Callable[[str], None] = lambda _name: None
        """Called with a distro's name when its state or number of sessions changed."""

    # -- what is --------------------------------------------------------------------------

    def sessions(self) -> list[Session]:
        """Live sessions and those that ended lately, by number."""
        return self._book.all()

    async def look(self) -> None:
        """Ask every holder anew: what it is about to tell counts already."""
        async with asyncio.TaskGroup() as tasks:
            for ident, link in self._links.items():
                tasks.create_task(self._look_at(ident, link))

    async def _look_at(self, ident: str, link: HolderLink) -> None:
        # The end of a holder is told by the one who follows it.
        with suppress(Unreachable, TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                for session in await link.sessions():
                    self._book.note(session, ident)

    def live(self, distro: str) -> list[Session]:
        """The sessions that run in a distro."""
        return self._book.live(distro)

    def state(self, record: DistroRecord) -> DistroState:
        """Whether a distro's sandbox is up."""
        if record.id in self._links:
            return "running"
        return "starting" if record.id in self._starting else "stopped"

    def busy(self) -> bool:
        """Whether any sandbox is up, or about to be."""
        return bool(self._links or self._starting)

    # -- holders --------------------------------------------------------------------------

    async def adopt(self) -> None:
        """Take over the holders that run, and read what ended ones left."""
        told: dict[str, list[Session]] = {ident: [] for ident in live_holders(self._paths.run)}
        links = []
        for link in await find_holders(self._paths.run):
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    told[link.distro] = await link.sessions()
            except TimeoutError:  # it lives, but says nothing now
                link.disconnect()
            except Unreachable:  # it ended just now, and left word of its sessions
                link.disconnect()
                told.pop(link.distro, None)
            else:
                links.append(link)
        records = self._store.distros()
        self._book.adopt(told, {record.name: record.id for record in records})
        for link in links:
            self._follow(link)
        for record in records:
            # The engine before this one may have ended between the two halves of a rename.
            if any(one.distro != record.name for one in told.get(record.id, ())):
                await self._rename(record.id, record.name)

    def let_go(self) -> None:
        """Hang up on every holder; they and their sessions go on."""
        self._leaving = True
        for link in self._links.values():
            link.disconnect()

    def _follow(self, link: HolderLink) -> None:
        if self._leaving:
            link.disconnect()
            return
        self._links[link.distro] = link
        self._followers[link] = self._tasks.start(self._follow_to_its_end(link))

    async def _follow_to_its_end(self, link: HolderLink) -> None:
        ident = link.distro
        with suppress(Unreachable):  # the same as the end of the changes
            async for session in link.changes():
                self._book.note(session, ident)
        link.disconnect()
        if self._leaving:
            return
        try:
            # It may have hung up only because we were slow to listen.
            self._follow(await HolderLink.connect(link.folder))
        except Unreachable:
            del self._links[ident]
            self._book.settle(ident)
            self._tell_distro(ident)
            self._tasks.start(self._measure(ident))
        del self._followers[link]

    async def _followed(self, link: HolderLink) -> None:
        """Wait until it is known what the end of a link means."""
        if follower := self._followers.get(link):
            await asyncio.wait([follower])

    async def _measure(self, ident: str) -> None:
        """Count what was written in a distro, now that nothing writes there."""
        for record in self._store.distros():
            if record.id == ident:
                with suppress(DeckError):  # removed meanwhile, or counted at the next end
                    await self._store.measure_distro(record.name)
                    self.on_distro(record.name)

    def _tell_distro(self, ident: str) -> None:
        for record in self._store.distros():
            if record.id == ident:
                self.on_distro(record.name)

    def _turn(self, ident: str) -> asyncio.Lock:
        """Whose turn it is to start or stop a distro's holder."""
        return self._turns.setdefault(ident, asyncio.Lock())

    def _check_there(self, record: DistroRecord) -> None:
        """It may have been removed while we waited for our turn. Raises: NotFound."""
        if self._store.distro(record.name).id != record.id:
            raise NotFound(record.name, "was removed meanwhile", hint="try again")

    async def _ensure(self, record: DistroRecord) -> HolderLink:
        ident = record.id
        async with self._turn(ident):
            while (link := self._links.get(ident)) and link.closed:
                await self._followed(link)
            if link is None:
                self._check_there(record)
                link = await self._launch(record)
            return link

    async def _launch(self, record: DistroRecord) -> HolderLink:
        self._starting.add(record.id)
        self.on_distro(record.name)
        try:
            plan = plan_holder(record, store=self._store, paths=self._paths, idmap=self._idmap)
            link = await ensure_holder(plan)
            self._follow(link)
        except OSError as error:
            raise from_os(error) from error
        finally:
            self._starting.discard(record.id)
            self.on_distro(record.name)
        return link

    async def _use(self, record: DistroRecord, action: Callable[[HolderLink], Awaitable[T]]) -> T:
        """Do something with a distro's holder, which is started if it is not up."""
        tries = TRIES
        while True:
            link = await self._ensure(record)
            self._opening[record.id] += 1
            try:
                return await action(link)
            except Unreachable:
                tries -= 1
                if not tries:
                    raise
                # It was about to stop by itself when we found it.
                await self._followed(link)
            finally:
                self._opening -= Counter((record.id,))

    async def start(self, record: DistroRecord) -> None:
        """Bring a distro's sandbox up and keep it up."""
        await self._tasks.see_through(self._use(record, lambda link: link.hold(True)))

    async def stop(self, record: DistroRecord) -> None:
        """End every process in it; when this returns its mounts are gone."""
        async with self._turn(record.id):
            await self._stop(record.id)

    async def _stop(self, ident: str) -> None:
        folder = self._paths.run / HOLDERS / ident
        if ident not in self._links:
            try:
                # It may be one that did not answer when the others were found.
                self._follow(await HolderLink.connect(folder))
            except Silent:
                await asyncio.to_thread(end_silent, folder)
            except Unreachable:
                return
        while link := self._links.get(ident):
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await link.stop()
            except TimeoutError:
                await asyncio.to_thread(end_silent, folder)
            except Unreachable:  # it ended by itself meanwhile
                pass
            await self._followed(link)

    @asynccontextmanager
    async def stopped(self, record: DistroRecord, *, force: bool) -> AsyncIterator[None]:
        """Stop a distro, and keep it from being started while the block lasts.

        Raises:
            Conflict: sessions run in it, and ``force`` is false.
            NotFound: it was removed meanwhile.
        """
        async with self._turn(record.id):
            self._check_there(record)
            if link := self._links.get(record.id):
                await self._look_at(record.id, link)
            live = max(len(self.live(record.name)), self._opening[record.id])
            if live and not force:
                raise Conflict(
                    record.name,
                    f"{live} session{'s' * (live > 1)} running in it",
                    hint="close them, or remove with --force",
                )
            await self._stop(record.id)
            yield

    async def rename(self, record: DistroRecord, name: str) -> None:
        """Give a distro another name, in the store and in its sessions, which go on.

        Raises:
            Conflict: the name is taken.
            NotFound: it was removed meanwhile.
        """
        async with self._turn(record.id):
            self._check_there(record)
            await self._store.rename_distro(record, name)
            await self._rename(record.id, name)

    async def _rename(self, ident: str, name: str) -> None:
        link = self._links.get(ident)
        try:
            if link:
                await link.rename(name)
        except Unreachable:  # it has ended: only what it left on disk has the old name
            link = None
        if link is None:
            folder = self._paths.run / HOLDERS / ident
            await asyncio.to_thread(rename_records, str(folder), name)
        self._book.rename(ident, name)

    @asynccontextmanager
    async def still(self, record: DistroRecord, *, pause: bool) -> AsyncIterator[bool]:
        """Have nothing change a distro's files while the block lasts, unless ``pause`` is false.

        Gives whether nothing runs in it; what runs is frozen until the block or this process ends.

        Raises:
            NotFound: it was removed meanwhile.
        """
        if not pause:
            yield False
            return
        async with self._turn(record.id):
            self._check_there(record)
            link = self._links.get(record.id)
            if link is None:
                yield True
                return
            try:
                with suppress(Unreachable):  # it has ended: nothing runs
                    await link.freeze()
                with unheld():
                    yield False
            finally:
                with suppress(Unreachable):
                    await self._tasks.see_through(link.thaw())

    def forget(self, record: DistroRecord) -> None:
        """Drop what is left of a distro's sessions; its holder has been stopped."""
        self._book.forget(record.id)
        self._turns.pop(record.id, None)
        shutil.rmtree(self._paths.run / HOLDERS / record.id, ignore_errors=True)

    # -- sessions -------------------------------------------------------------------------

    async def open(self, record: DistroRecord, spec: ShellSpec) -> Session:
        """Open a session; the distro's sandbox is started if it is not up.

        Cancelled, it takes back a session that opens all the same.
        """
        return await self._tasks.see_through(self._open(record, spec), undo=self._take_back)

    async def _open(self, record: DistroRecord, spec: ShellSpec) -> Session:
        async def attempt(link: HolderLink) -> Session:
            number = await self._store.next_session_id()
            try:
                return await link.open(number, spec)
            except Unreachable:
                forget_session(self._paths.run, record.id, number)
                raise

        session = await self._use(record, attempt)
        self._book.note(session, record.id)
        await self._store.touch_distro(record.name)
        return session

    async def _take_back(self, session: Session) -> None:
        await self.close(session.id)

    def _link_of(self, number: int) -> HolderLink:
        link = self._links.get(self._book.place(number))
        if link is None:
            raise NotFound(
                f"session {number}",
                "has ended" if number in self._book else "no such session",
                hint="distrodeck sessions lists those there are",
            )
        return link

    async def dial(self, number: int, *, viewer: bool) -> socket.socket:
        """A socket attached to one session. Raises: NotFound."""
        return await dial(self._link_of(number).folder, number, viewer=viewer)

    async def input(self, number: int, data: bytes) -> None:
        """Bytes for a session. Raises: NotFound."""
        await self._link_of(number).input(number, data)

    async def resize(self, number: int, rows: int, columns: int) -> None:
        """Set a session's size. Raises: NotFound."""
        await self._link_of(number).resize(number, rows, columns)

    async def close(self, number: int) -> None:
        """End a session; success also if it has ended, or never was."""
        link = self._links.get(self._book.place(number))
        if link is None:
            return
        with suppress(Unreachable):  # its holder ended, and the session with it
            await link.close(number)
