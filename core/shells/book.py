"""What is known of every session: those that run, and those that ended lately.

Told by the holders that run; read from what they left on disk (:mod:`core.shells.records`) once
they are gone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from core.events import SessionChanged
from core.shells.launch import ended_sessions, forget_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from core.bus import Bus
    from core.domain import Session

KEPT_SESSIONS = 100
"""Ended sessions that stay in the list."""


class SessionBook:
    """Sessions by number, each in its place: the id of a distro. Changes are published."""

    def __init__(self, run: Path, bus: Bus, on_place: Callable[[str], None]) -> None:
        """``on_place`` is called with the id of a distro whose number of sessions changed."""
        self._run = run
        self._bus = bus
        self._on_place = on_place
        self._sessions: dict[int, Session] = {}
        self._places: dict[int, str] = {}
        self._passed: deque[int] = deque()

    def all(self) -> list[Session]:
        """Live sessions and those that ended lately, by number."""
        return [self._sessions[number] for number in sorted(self._sessions)]

    def live(self, distro: str) -> list[Session]:
        """The sessions that run in the distro of that name."""
        return [
            session
            for session in self._sessions.values()
            if session.distro == distro and session.state == "running"
        ]

    def place(self, number: int) -> str:
        """The id of a session's distro; empty for an unknown one."""
        return self._places.get(number, "")

    def __contains__(self, number: int) -> bool:
        return number in self._sessions

    def adopt(self, told: Mapping[str, Iterable[Session]], idents: Mapping[str, str]) -> None:
        """Begin with what the holders that run tell, and what ended ones left.

        ``idents`` are the ids of distros by name.
        """
        for ident, sessions in told.items():
            for session in sessions:
                self._sessions[session.id] = session
                self._places[session.id] = ident
        for session in ended_sessions(self._run, running=frozenset(told)):
            place = idents.get(session.distro, "")
            if session.tty:
                self._sessions.setdefault(session.id, session)
                self._places.setdefault(session.id, place)
            elif place not in told:
                forget_session(self._run, place, session.id)
        self._forget_oldest()

    def note(self, session: Session, ident: str) -> None:
        """Take down what a holder tells; old news and what is known already change nothing."""
        before = self._sessions.get(session.id)
        over = session.state != "running"
        if session == before or session.id in self._passed:
            return
        if before and before.state == "exited" and not over:
            return
        self._places[session.id] = ident
        if over and not session.tty:
            self._let_pass(session.id)
        else:
            self._sessions[session.id] = session
        self._bus.publish(SessionChanged(session=session))
        if before is None or before.state != session.state:
            self._on_place(ident)
        self._forget_oldest()

    def _let_pass(self, number: int) -> None:
        """A command that ``run`` carried out: its caller reads the result, nobody comes back."""
        self._sessions.pop(number, None)
        self._passed.append(number)
        if len(self._passed) > KEPT_SESSIONS:
            self._places.pop(self._passed.popleft(), None)

    def _forget_oldest(self) -> None:
        ended = [one.id for one in self.all() if one.state != "running"]
        for number in ended[:-KEPT_SESSIONS]:
            del self._sessions[number]
            if place := self._places.pop(number, ""):
                forget_session(self._run, place, number)

    def settle(self, ident: str) -> None:
        """Tell how the sessions of a holder that is gone ended."""
        told = {session.id: session for session in ended_sessions(self._run)}
        for number, place in list(self._places.items()):
            before = self._sessions.get(number)
            if place == ident and before and before.state == "running":
                self.note(told.get(number) or replace(before, state="lost"), ident)

    def rename(self, ident: str, name: str) -> None:
        """Tell what the distro of these sessions is called now."""
        for number, place in self._places.items():
            before = self._sessions.get(number)
            if place == ident and before and before.distro != name:
                self._sessions[number] = replace(before, distro=name)
                self._bus.publish(SessionChanged(session=self._sessions[number]))

    def forget(self, ident: str) -> None:
        """Drop the sessions of a distro that is removed."""
        for number in [key for key, place in self._places.items() if place == ident]:
            self._sessions.pop(number, None)
            del self._places[number]
