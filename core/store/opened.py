"""What all concerns of an open store share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from core.errors import NoSpace
from core.limits import DEFAULTS
from core.store.image_list import ImageList
from core.store.intake import Intake, in_thread
from core.store.reserve import Reserve

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.store.index import Index
    from core.store.layout import Layout

P = ParamSpec("P")
R = TypeVar("R")

_SINGLE = ("unshare", "--user", "--map-root-user")

TRASH_SECONDS = 86400.0
"""How long what was removed can be brought back."""


class Opened:
    """A store's folder and index, and the lock under which they change."""

    def __init__(
        self,
        layout: Layout,
        index: Index,
        *,
        enter: tuple[str, ...],
        privileged: bool,
        idmap: str,
        trash_seconds: float = TRASH_SECONDS,
    ) -> None:
        self.layout = layout
        self.enter = enter
        """Command that enters the user namespace in which trees are written; empty: none."""
        self.privileged = privileged
        """Real root: owners and devices are the host's."""
        self.idmap = idmap
        self.trash_seconds = trash_seconds
        self.limits = DEFAULTS
        """What images that come in may cost; for whoever opened it to set."""
        self._index = index
        self._list = ImageList(index)
        self._changing = asyncio.Lock()
        self._litter = asyncio.Event()
        self.intake = Intake(layout, index, self._changing)
        """How content comes in: leases, partial blobs, staged layers, commit."""

    @property
    def owners(self) -> bool:
        """Whether trees keep the owners that images say: as root, or with subordinate ids."""
        return self.idmap != "single"

    @property
    def reading(self) -> tuple[str, ...]:
        """Command prefix of who reads trees whole, whatever modes their files have."""
        return self.enter or (() if self.owners else _SINGLE)

    @property
    def index(self) -> Index:
        """For questions that only one verb asks."""
        return self._index


async def despite_full_disk(
    layout: Layout, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """:func:`core.store.intake.in_thread`, a second time with the reserve if the disk is full."""
    try:
        return await in_thread(layout, function, *args, **kwargs)
    except NoSpace:
        if not Reserve(layout.reserve).spend():
            raise
    return await in_thread(layout, function, *args, **kwargs)
