"""Who runs where: the holders of this engine and the sessions in them.

The engine's side of :mod:`core.shells.holder`. Holders outlive engines, so the first thing a new
engine does is to find them again (:meth:`Roster.adopt`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.errors import Conflict, DeckError, NotFound
from core.events import SessionChanged
from core.shells.launch import HolderLink, dial, ended_sessions, ensure_holder, find_holders
from core.shells.plan import plan_holder

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from core.bus import Bus
    from core.domain import DistroState, Session, ShellSpec
    from core.runtimes.idmap import IdMap
    from core.store.records import DistroRecord
    from core.store.store import Store

KEPT_SESSIONS = 100
"""Ended sessions that stay in the list."""


class Roster:
    """Holders by distro, sessions by id; every change is published."""

    def __init__(
        self, run: Path, idmap: IdMap, store: Store, bus: Bus, tasks: asyncio.TaskGroup
    ) -> None:
        self._run = run
        self._idmap = idmap
        self._store = store
        self._bus = bus
        self._tasks = tasks
        self._links: dict[str, HolderLink] = {}
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._sessions: dict[int, Session] = {}
        self._starting: dict[str, asyncio.Lock] = {}
        self.on_distro: Callable[[str], None] = lambda _name: None
        """Called with a distro's name when its state or number of sessions changed."""
