"""Whether there is something newer than the installed distros: asked for, and now and then unasked.

Asking transfers a few headers for each reference. What was found stays on file, so that lists show
it at once; the time of asking does, too, so that engines which come and go do not ask more often.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from core.errors import DeckError
from core.images.newest import newest_digest, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.images.access import Access
    from core.images.reference import Reference
    from core.jobs import JobBook, Progress
    from core.store.records import DistroRecord
    from core.store.store import Store

AGE = 6 * 3600.0
"""Seconds after which a distro's source is asked again without being told to."""

SETTLE_SECONDS = 30.0
"""How long an engine runs before it asks by itself: short-lived ones do not."""

LOOK_SECONDS = 900.0
"""How often is looked whether it is time to ask."""

AT_ONCE = 4
"""References asked for at a time."""


class Freshness:
    """Asks the sources of distros what they have now."""

    def __init__(
        self,
        store: Store,
        access: Access,
        jobs: JobBook,
        tell: Callable[[str], None],
        *,
        unasked: bool,
    ) -> None:
        """``tell`` is called with the name of a distro when there is news of it.

        ``unasked``: whether to ask without being told to.
        """
        self._unasked = unasked
        self._store = store
        self._access = access
        self._jobs = jobs
        self._tell = tell

    async def check(
        self,
        records: Sequence[DistroRecord],
        warn: Callable[[str], None] = lambda _: None,
        *,
        hurried: bool = False,
    ) -> None:
        """Ask for these distros, and note what was found; ``warn`` hears what could not be asked.

        Distros of one reference are asked for once.
        """
        wanted: dict[Reference, list[DistroRecord]] = {}
        for record in records:
            if reference := source_of(record):
                wanted.setdefault(reference, []).append(record)
        slots = asyncio.Semaphore(AT_ONCE)

        async def ask(reference: Reference, those: list[DistroRecord]) -> None:
            async with slots:
                try:
                    newest = await newest_digest(reference, self._access, hurried=hurried)
                except DeckError as error:
                    for record in those:
                        warn(f"{record.name}: {error}")
                    return
            for record in those:
                await self._store.note_newest(record, newest)
                self._tell(record.name)

        async with asyncio.TaskGroup() as group:
            for reference, those in wanted.items():
                group.create_task(ask(reference, those))

    def due(self) -> list[DistroRecord]:
        """The distros that nobody asked for in :data:`AGE`; one just installed is as new."""
        before = time.time() - AGE
        if self._store.checked() > before:
            return []
        return [
            record
            for record in self._store.distros()
            if record.created < before and source_of(record)
        ]

    async def check_all(self) -> None:
        """Ask for all distros; quietly, as nobody may have a network now."""
        await self.check(self._store.distros(), hurried=True)
        await self._store.note_checked(time.time())

    def start(self) -> None:
        """Start a job that asks for all distros, if there is anything to ask."""

        async def work(_progress: Progress) -> str:
            await self.check_all()
            return ""

        if any(map(source_of, self._store.distros())):
            self._jobs.start("check", "all distros", "check|quiet", work)

    def start_if_due(self) -> None:
        """:meth:`start`, if it is time."""
        if self._unasked and self.due():
            self.start()

    async def keep(self) -> None:
        """Ask when it is time; runs until cancelled."""
        await asyncio.sleep(SETTLE_SECONDS)
        while True:
            self.start_if_due()
            await asyncio.sleep(LOOK_SECONDS)
