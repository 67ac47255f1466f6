"""The catalog: what all sources offer, how fresh that is, and what a name means.

Answers are kept under the cache folder, one folder a source, so that the catalog is there at once
and without a network. The folder may be deleted at any time.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import logging
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import msgspec

from core.catalog import builtin, registry, simplestreams, tarballs, wsl
from core.catalog.wire import host_architecture
from core.config import BUILTIN
from core.domain import Catalog, CatalogEntry, CatalogStatus
from core.errors import Conflict, DeckError, NotFound, TimedOut
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import aiohttp

    from core.catalog.wire import Get
    from core.config import Settings, SourceKind, SourceSettings
    from core.images.access import Access

_log = logging.getLogger(__name__)

SOURCE_SECONDS = 120.0
"""How long one source may take to answer in full."""

FRESH_SECONDS = 6 * 3600.0
"""Age at which a source is read again without being told to."""

ERROR_LIMIT = 300
"""Characters of an error that are shown."""

_ANSWER = "answer.json"


class _Read(Protocol):
    async def __call__(
        self, source: SourceSettings, get: Get, architecture: str
    ) -> tuple[CatalogEntry, ...]: ...


_READERS: dict[SourceKind, _Read] = {
    "simplestreams": simplestreams.read,
    "registry": registry.read,
    "wsl": wsl.read,
    "tarballs": tarballs.read,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a source offered, and when."""

    kind: str
    url: str
    architecture: str
    fetched: float
    entries: tuple[CatalogEntry, ...]


class CatalogStore:
    """Knows what can be installed. One event loop at a time may refresh it."""

    def __init__(
        self,
        settings: Settings,
        cache: Path,
        *,
        access: Access | None = None,
        architecture: str = "",
        source_seconds: float = SOURCE_SECONDS,
    ) -> None:
        """``access``: how to log in at sources that are registries; None: without a login."""
        self._access = access
        self._settings = settings.catalog
        self._sources = tuple(source for source in settings.catalog.sources if source.enabled)
        self._folder = cache / "catalog"
        self._architecture = architecture or host_architecture()
        self._source_seconds = source_seconds
        self._errors: dict[str, str] = {}
        self._asked: set[str] = set()
        self._answers: dict[str, _Answer] = {}
        for source in self._sources:
            if answer := self._load(source):
                self._answers[source.name] = answer

    def current(self) -> Catalog:
        """What is known now; reads nothing and waits for nothing."""
        entries = list(self._builtin())
        statuses = [CatalogStatus(name=BUILTIN, kind=BUILTIN, entries=len(entries))]
        for source in self._sources:
            answer = self._answers.get(source.name)
            if answer:
                entries += answer.entries
            statuses.append(
                CatalogStatus(
                    name=source.name,
                    kind=source.kind,
                    url=source.url,
                    entries=len(answer.entries) if answer else 0,
                    fetched=answer.fetched if answer else None,
                    error=self._errors.get(source.name, ""),
                )
            )
        return Catalog(entries=tuple(entries), sources=tuple(statuses))

    def stale(self) -> bool:
        """Whether a source should be read that has not been asked since this object was made."""
        now = time.time()
        return any(
            source.name not in self._asked
            and (
                (answer := self._answers.get(source.name)) is None
                or now - answer.fetched > FRESH_SECONDS
            )
            for source in self._sources
        )

    async def refresh(self, on_change: Callable[[Catalog], None] | None = None) -> None:
        """Ask every source again, all at once; ``on_change`` hears of each as it is done.

        A source that does not answer keeps its old entries and says why in its status; nothing is
        raised for it. Cancelling keeps what was read so far.
        """
        # a console that starts on a cached catalog does not pay for a network client
        from core.catalog.fetch import open_session

        self._asked.update(source.name for source in self._sources)
        await asyncio.to_thread(self._forget_removed_sources)
        async with open_session() as session, asyncio.TaskGroup() as group:
            for source in self._sources:
                group.create_task(self._refresh(source, session, on_change))

    def find(self, name: str) -> CatalogEntry:
        """The entry that ``pull name`` means: a name or alias, or ``CATALOG:NAME``.

        Raises:
            NotFound: there is none; the hint has the nearest names.
            Conflict: several sources have different things of that name.
        """
        entries = self.current().entries
        catalog, _, rest = name.partition(":")
        if rest and catalog in {BUILTIN, *(source.name for source in self._sources)}:
            entries = tuple(entry for entry in entries if entry.catalog == catalog)
            wanted = rest
        else:
            wanted = name
        found = [entry for entry in entries if entry.name == wanted] or [
            entry for entry in entries if wanted in entry.aliases
        ]
        if not found:
            raise NotFound(clean(name, 200), "not in the catalog", hint=_nearest(wanted, entries))
        if len({entry.source for entry in found}) > 1:
            ways = " or ".join(sorted({f"{entry.catalog}:{entry.name}" for entry in found}))
            raise Conflict(name, "several sources have it", hint=f"say which: {ways}")
        return found[0]

    def _builtin(self) -> tuple[CatalogEntry, ...]:
        host = (builtin.this_host(),) if self._settings.this_host else ()
        return host + (builtin.distros(self._architecture) if self._settings.builtin else ())

    async def _refresh(
        self,
        source: SourceSettings,
        session: aiohttp.ClientSession,
        on_change: Callable[[Catalog], None] | None,
    ) -> None:
        try:
            answer = await self._ask(source, session)
        except DeckError as error:
            _log.info("catalog source %s: %s", source.name, error)
            told = f"{error.message} ({error.hint})" if error.hint else error.message
            self._errors[source.name] = clean(told, ERROR_LIMIT)
        else:
            self._answers[source.name] = answer
            self._errors.pop(source.name, None)
        if on_change:
            on_change(self.current())

    async def _ask(self, source: SourceSettings, session: aiohttp.ClientSession) -> _Answer:
        from core.catalog.fetch import Fetcher, save

        folder, read = self._folder / source.name, _READERS[source.kind]
        try:
            async with asyncio.timeout(self._source_seconds):
                if source.kind == "registry" and self._access:
                    entries = await self._list(source, folder, self._access)
                else:
                    fetcher = Fetcher(session, folder, plain_http=source.plain_http)
                    entries = await read(source, fetcher, self._architecture)
        except TimeoutError:
            raise TimedOut(source.url, f"no full answer in {self._source_seconds:g} s") from None
        answer = _Answer(
            kind=source.kind,
            url=source.url,
            architecture=self._architecture,
            fetched=time.time(),
            entries=entries,
        )
        await asyncio.to_thread(save, folder / _ANSWER, msgspec.json.encode(answer))
        return answer

    async def _list(
        self, source: SourceSettings, folder: Path, access: Access
    ) -> tuple[CatalogEntry, ...]:
        """What a registry lists for whoever is logged in there."""
        from core.catalog.registry_fetch import RegistryFetcher

        host = urlsplit(source.url).netloc
        client = access.client(
            host, credentials=await access.keyring.find(host), plain_http=source.plain_http
        )
        async with client:
            return await registry.read(source, RegistryFetcher(client, folder), self._architecture)

    def _load(self, source: SourceSettings) -> _Answer | None:
        try:
            data = (self._folder / source.name / _ANSWER).read_bytes()
            answer = msgspec.json.decode(data, type=_Answer)
        except (OSError, msgspec.DecodeError):
            return None
        asked = (source.kind, source.url, self._architecture)
        return answer if (answer.kind, answer.url, answer.architecture) == asked else None

    def _forget_removed_sources(self) -> None:
        names = {source.name for source in self._settings.sources}
        with contextlib.suppress(OSError):
            for folder in self._folder.iterdir():
                if folder.name not in names:
                    shutil.rmtree(folder, ignore_errors=True)


def _nearest(name: str, entries: tuple[CatalogEntry, ...]) -> str:
    names = list(
        dict.fromkeys(known for entry in entries for known in (entry.name, *entry.aliases))
    )
    within = [known for known in names if name in known.split("/")]
    near = (within + difflib.get_close_matches(name, names, 3, 0.6))[:3]
    shown = f"nearest: {', '.join(dict.fromkeys(near))}; " if near else ""
    return f"{shown}ls --available shows all, refresh reads the sources again"
