"""Tell facts to whoever follows them: first what is, then what changes.

A follower that does not keep up gets only the newest event of each thing. Events carry whole
states (:mod:`core.events`), so what it misses are steps, never facts.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

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
    from collections.abc import AsyncIterator, Hashable, Iterable


def _thing(event: Event) -> Hashable:
    """What the event is about: a later event of the same thing replaces an unread one."""
    match event:
        case JobChanged(job=job):
            return ("job", job.id)
        case DistroChanged(distro=distro):
            return ("distro", distro.name)
        case DistroRemoved(name=name):
            return ("distro", name)
        case SessionChanged(session=session):
            return ("session", session.id)
        case CatalogChanged():
            return ("catalog",)
        case Notice(text=text):
            return ("notice", text)


class _Follower:
    """What one follower has not read yet, oldest thing first."""

    def __init__(self, snapshot: Iterable[Event]) -> None:
        self._unread: dict[Hashable, Event] = {_thing(event): event for event in snapshot}
        self._news = asyncio.Event()
        if self._unread:
            self._news.set()

    def offer(self, event: Event) -> None:
        self._unread[_thing(event)] = event
        self._news.set()

    def __aiter__(self) -> _Follower:
        return self

    async def __anext__(self) -> Event:
        while not self._unread:
            self._news.clear()
            await self._news.wait()
        return self._unread.pop(next(iter(self._unread)))


class Bus:
    """Publish to every follower; memory per follower is one event a thing."""

    def __init__(self) -> None:
        self._followers: set[_Follower] = set()

    def publish(self, event: Event) -> None:
        """Offer ``event`` to all followers; never waits."""
        for follower in self._followers:
            follower.offer(event)

    @asynccontextmanager
    async def follow(self, snapshot: Iterable[Event] = ()) -> AsyncIterator[AsyncIterator[Event]]:
        """The ``snapshot``, then each event published since; endless."""
        follower = _Follower(snapshot)
        self._followers.add(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)
