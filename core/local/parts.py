"""What the verbs of the local engine share, and who asks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import Conflict, InvalidInput, NotFound, Refused
from core.images.find import find_image
from core.sources import plain_name

if TYPE_CHECKING:
    from core.background import Background
    from core.builds.workshop import Workshop
    from core.bus import Bus
    from core.catalog.store import CatalogStore
    from core.config import Settings
    from core.describe import Describer
    from core.domain import Caller
    from core.freshness import Freshness
    from core.images.access import Access
    from core.installing import Installer
    from core.jobs import JobBook
    from core.paths import Paths
    from core.shells.roster import Roster
    from core.store.records import DistroRecord
    from core.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What all callers' engines share."""

    paths: Paths
    settings: Settings
    store: Store
    bus: Bus
    jobs: JobBook
    catalog: CatalogStore
    roster: Roster
    describer: Describer
    installer: Installer
    builds: Workshop
    access: Access
    freshness: Freshness
    tasks: Background


class Bound:
    """The engine's parts as one caller may use them; the verbs are mixed in, an area a class."""

    def __init__(self, parts: Parts, caller: Caller) -> None:
        self._parts = parts
        self._caller = caller

    def _may_change(self, what: str) -> None:
        if self._caller.role == "viewer":
            raise Refused(what, "your role may only look", hint="ask an administrator")

    def _record(self, name: str) -> DistroRecord:
        if not name:
            raise InvalidInput("distro", "an empty name", hint="distrodeck ls shows the names")
        store = self._parts.store
        for one in dict.fromkeys((name, plain_name(name))):
            with suppress(NotFound):
                return store.distro(one)
        hint = "distrodeck ls shows what is installed"
        with suppress(NotFound, Conflict):
            find_image(store, name)
            hint = f"it is an image; distrodeck create NAME {name} makes a distro of it"
        raise NotFound(name, "no such distro", hint=hint)
