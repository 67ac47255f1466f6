"""The layers of one image, brought in several at a time and settled on each other.

Where a layer's bytes come from, a registry or an archive, is its caller's business.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from core.errors import deck_error
from core.layers.unpack import settle
from core.store.chain import chain_ids, settled_key
from core.store.records import StagedLayer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from core.domain import Layer
    from core.images.progress import Progress
    from core.store.store import Store

    Unpack: TypeAlias = Callable[[Layer], Awaitable[tuple[StagedLayer, bool]]]
    """Unpacks a layer into staging; and tells whether it refers to layers below."""

AT_ONCE = 3
"""Layers brought in at a time unless told otherwise."""


class LayerStack:
    """Layers bottom to top, each under the key of its tree."""

    def __init__(self, store: Store, layers: Sequence[Layer], progress: Progress) -> None:
        self._store = store
        self._layers = tuple(layers)
        self._progress = progress
        chain = chain_ids(layer.diff_id for layer in self._layers)
        self._settled = [settled_key(chain_id) for chain_id in chain]
        self._keys = dict[int, str]()
        self._unsettled = dict[int, StagedLayer]()

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of each layer, bottom to top, once :meth:`bring` is over."""
        return tuple(self._keys[position] for position in range(len(self._layers)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the layers have to warn of."""
        found = (self._store.intake.layer(key) for key in self.keys)
        return tuple(dict.fromkeys(line for one in found if one for line in one.warnings))

    def needs(self) -> set[str]:
        """Every digest and key that must be leased before :meth:`bring`."""
        digests = {layer.digest for layer in self._layers}
        return {*digests, *(layer.diff_id for layer in self._layers), *self._settled}

    async def bring(
        self,
        unpack: Unpack,
        *,
        at_once: int = AT_ONCE,
        there: Callable[[Layer], Awaitable[None]] | None = None,
    ) -> None:
        """Unpack every layer that is not there; raises the first error alone.

        ``there`` is called for those that are, under the lock of their digest.
        """
        slots = asyncio.Semaphore(at_once)
        try:
            async with self._store.intake.writing_back(), asyncio.TaskGroup() as group:
                for position in range(len(self._layers)):
                    group.create_task(self._one(position, slots, unpack, there))
            self._progress.enter("unpack")
            if self._unsettled:
                async with self._store.intake.still():
                    await self._settle()
        except BaseExceptionGroup as errors:
            raise deck_error(errors) or errors from None
        finally:
            for staged in self._unsettled.values():
                self._store.layout.discard(staged.folder)

    async def _one(
        self,
        position: int,
        slots: asyncio.Semaphore,
        unpack: Unpack,
        there: Callable[[Layer], Awaitable[None]] | None,
    ) -> None:
        layer = self._layers[position]
        intake = self._store.intake
        async with slots, intake.lock(layer.digest):
            # A blob that went missing is fetched again, for pushes; its layer may be there still.
            whole = there or intake.blob(layer.digest) or layer.digest in intake.verified
            for key in (layer.diff_id, self._settled[position]):
                if whole and intake.layer(key):
                    if there:
                        await there(layer)
                    self._keys[position] = key
                    self._progress.layer(layer.digest, "exists", layer.size)
                    return
            staged, needs_lower = await unpack(layer)
            if needs_lower:
                self._unsettled[position] = replace(staged, key=self._settled[position])
            else:
                intake.stage(staged)
                self._keys[position] = staged.key

    async def _settle(self) -> None:
        """Complete the layers that refer to what lies below them, lowest first."""
        for position in sorted(self._unsettled):
            staged = self._unsettled[position]
            lowers = [
                layer.tree
                for below in range(position)
                if (layer := self._store.intake.layer(self._keys[below]))
            ]
            warnings = await settle(
                staged.tree,
                lowers,
                enter=self._store.reading,
                privileged=self._store.owners,
            )
            del self._unsettled[position]
            self._store.intake.stage(replace(staged, warnings=(*staged.warnings, *warnings)))
            self._keys[position] = staged.key
