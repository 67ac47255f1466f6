"""Who runs where: the holders of this engine and the sessions in them.

The engine's side of :mod:`core.shells.holder`. Holders outlive engines, so the first thing a new
engine does is to find them again (:meth:`Roster.adopt`); it lets go of them when it ends.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import NotFound, Unreachable
from core.events import SessionChanged
from core.shells.dialing import dial
from core.shells.launch import (
    HOLDERS,
    HolderSpec,
    ended_sessions,
    ensure_holder,
    find_holders,
    forget_session,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from core.background import Background
    from core.bus import Bus
    from core.domain import DistroState, Session, ShellSpec
    from core.paths import Paths
    from core.runtimes.idmap import IdMap
    from core.shells.link import HolderLink
    from core.store.records import DistroRecord
    from core.store.store import Store

KEPT_SESSIONS = 100
"""Ended sessions that stay in the list."""


class Roster:
    """Holders by distro id, sessions by number; every change is published."""

    def __init__(
        self, paths: Paths, idmap: IdMap, store: Store, bus: Bus, tasks: Background
    ) -> None:
        self._paths = paths
        self._idmap = idmap
        self._store = store
        self._bus = bus
        self._tasks = tasks
        self._links: dict[str, HolderLink] = {}
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._sessions: dict[int, Session] = {}
        self._places: dict[int, str] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._leaving = False
        self.on_distro: Callable[[str], None] = lambda _name: None
        """Called with a distro's name when its state or number of sessions changed."""

    # -- what is --------------------------------------------------------------------------

    def sessions(self) -> list[Session]:
        """Live sessions and those that ended lately, by number."""
        return [self._sessions[number] for number in sorted(self._sessions)]

    async def look(self) -> None:
        """Ask every holder anew: what it is about to tell counts already."""
        for ident, link in list(self._links.items()):
            with suppress(Unreachable):  # its end is told by the one who follows it
                for session in await link.sessions():
                    self._note(session, ident)

    def live(self, distro: str) -> list[Session]:
        """The sessions that run in a distro."""
        return [
            session
            for session in self._sessions.values()
            if session.distro == distro and session.state == "running"
        ]

    def state(self, record: DistroRecord) -> DistroState:
        """Whether a distro's sandbox is up."""
        if record.id in self._links:
            return "running"
        turn = self._turns.get(record.id)
        return "starting" if turn and turn.locked() else "stopped"

    def busy(self) -> bool:
        """Whether any sandbox is up."""
        return bool(self._links)

    # -- holders --------------------------------------------------------------------------

    async def adopt(self) -> None:
        """Take over the holders that run, and read what ended ones left."""
        links = await find_holders(self._paths.run)
        running = frozenset(link.folder.name for link in links)
        idents = {record.name: record.id for record in self._store.distros()}
        for session in ended_sessions(self._paths.run, running=running):
            self._sessions[session.id] = session
            self._places[session.id] = idents.get(session.distro, "")
        for link in links:
            for session in await link.sessions():
                self._sessions[session.id] = session
                self._places[session.id] = link.folder.name
            self._follow(link)
        self._forget_oldest()

    def let_go(self) -> None:
        """Hang up on every holder; they and their sessions go on."""
        self._leaving = True
        for link in self._links.values():
            link.disconnect()

    def _follow(self, link: HolderLink) -> None:
        ident = link.folder.name
        self._links[ident] = link
        self._followers[ident] = self._tasks.start(self._follow_until_gone(link, ident))

    async def _follow_until_gone(self, link: HolderLink, ident: str) -> None:
        try:
            async for session in link.changes():
                self._note(session, ident)
        except Unreachable:
            pass  # the same as the end of the changes: the holder is gone
        if self._leaving:
            return
        link.disconnect()
        if self._links.get(ident) is link:
            del self._links[ident], self._followers[ident]
        self._settle(ident)

    def _settle(self, ident: str) -> None:
        """Tell how the sessions of a holder that is gone ended."""
        told = {session.id: session for session in ended_sessions(self._paths.run)}
        for number, place in list(self._places.items()):
            before = self._sessions.get(number)
            if place == ident and before and before.state == "running":
                self._note(told.get(number) or replace(before, state="lost"), ident)
        self._tell_distro(ident)

    def _note(self, session: Session, ident: str) -> None:
        before = self._sessions.get(session.id)
        self._sessions[session.id] = session
        self._places[session.id] = ident
        if session == before:
            return
        self._bus.publish(SessionChanged(session=session))
        if before is None or before.state != session.state:
            self._tell_distro(ident)
        if session.state != "running" and not session.tty:
            # A command that ``run`` carried out: its caller has the result, nobody comes back.
            del self._sessions[session.id]
        self._forget_oldest()

    def _tell_distro(self, ident: str) -> None:
        for record in self._store.distros():
            if record.id == ident:
                self.on_distro(record.name)

    def _forget_oldest(self) -> None:
        ended = [one.id for one in self.sessions() if one.state != "running"]
        for number in ended[:-KEPT_SESSIONS]:
            del self._sessions[number]
            if place := self._places.pop(number, ""):
                forget_session(self._paths.run, place, number)

    async def _ensure(self, record: DistroRecord, *, held: bool = False) -> HolderLink:
        async with self._turns.setdefault(record.id, asyncio.Lock()):
            link = self._links.get(record.id)
            if link is None or link.closed:
                link = await ensure_holder(self._plan(record, held=held))
                self._follow(link)
                self.on_distro(record.name)
            return link

    def _plan(self, record: DistroRecord, *, held: bool) -> HolderSpec:
        host = not record.image_digest
        config = record.config
        return HolderSpec(
            run=self._paths.run,
            distro=record.id,
            name=record.name,
            layers=() if host else tuple(self._store.layer_paths(record.image_digest)),
            upper=record.upper,
            work=record.work,
            idmap=self._idmap,
            env=config.env,
            user=config.user,
            host_root=host,
            masks=self._own_folders() if host else (),
            held=held,
        )

    def _own_folders(self) -> tuple[Path, ...]:
        paths = self._paths
        return (paths.data, paths.run, paths.state, paths.cache, paths.config)

    async def start(self, record: DistroRecord) -> None:
        """Bring a distro's sandbox up and keep it up."""
        link = await self._ensure(record, held=True)
        await link.hold(True)

    async def stop(self, record: DistroRecord) -> None:
        """End every process in it; when this returns its mounts are gone."""
        link = self._links.get(record.id)
        if link is None:
            return
        follower = self._followers.get(record.id)
        with suppress(Unreachable):  # it ended by itself meanwhile
            await link.stop()
        if follower is not None:
            await asyncio.wait([follower])

    def forget(self, record: DistroRecord) -> None:
        """Drop what is left of a distro's sessions; its holder has been stopped."""
        for number in [key for key, place in self._places.items() if place == record.id]:
            self._sessions.pop(number, None)
            del self._places[number]
        shutil.rmtree(self._paths.run / HOLDERS / record.id, ignore_errors=True)

    # -- sessions -------------------------------------------------------------------------

    async def open(self, record: DistroRecord, spec: ShellSpec) -> Session:
        """Open a session; the distro's sandbox is started if it is not up."""
        number = await self._store.next_session_id()
        link = await self._ensure(record)
        try:
            session = await link.open(number, spec)
        except Unreachable:
            # It was about to stop by itself when we found it; that is decided now.
            await self.stop(record)
            session = await (await self._ensure(record)).open(number, spec)
        self._note(session, record.id)
        await self._store.touch_distro(record.name)
        return session

    def _link_of(self, number: int) -> HolderLink:
        link = self._links.get(self._places.get(number, ""))
        if link is None:
            raise NotFound(
                f"session {number}",
                "has ended" if number in self._sessions else "no such session",
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
        link = self._links.get(self._places.get(number, ""))
        if link is None:
            return
        with suppress(Unreachable):  # its holder ended, and the session with it
            await link.close(number)
