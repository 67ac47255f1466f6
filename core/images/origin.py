"""Where an image comes from: a registry's mirrors in their order, then the registry itself.

A mirror is a convenience: whatever goes wrong with it, the next place is asked. A manifest fixes
the digest of everything below it, so each blob may come from another place.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Protocol, Self

from core.errors import DeckError, Unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from core.images.reference import Reference
    from core.images.registry import Document, Registry
    from core.images.transport import Patience


class Content(Protocol):
    """What gives manifests and blobs; :class:`core.images.registry.Registry` says how."""

    @property
    def patience(self) -> Patience:
        """How long it is waited for."""
        ...

    async def manifest(self, reference: Reference, digest: str = "") -> Document:
        """A manifest or index."""
        ...

    def blob(
        self, reference: Reference, digest: str, *, offset: int = 0
    ) -> AbstractAsyncContextManager[tuple[int, AsyncIterator[bytes]]]:
        """A blob's bytes from ``offset`` on, or from 0."""
        ...

    def distrust(self, digest: str) -> bool:
        """That what came under ``digest`` was something else; whether to ask again."""
        ...


class Origin:
    """The places of one registry, mirrors first; an async context manager that closes them."""

    def __init__(self, places: Sequence[Registry]) -> None:
        """``places``: at least one, the last of them the registry itself."""
        self._places = list(places)
        self._opened = AsyncExitStack()
        self._passed: dict[str, int] = {}
        self._served: dict[str, None] = {}
        self._failed: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        for place in self._places:
            await self._opened.enter_async_context(place)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._opened.aclose()

    @property
    def patience(self) -> Patience:
        """How long the registry is waited for."""
        return self._places[-1].patience

    @property
    def served_by(self) -> str:
        """The mirrors that gave something, if any did."""
        mirrors = [place.host for place in self._places[:-1]]
        return ", ".join(host for host in self._served if host in mirrors)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Which mirrors were of no use, and why."""
        return tuple(f"mirror {host} passed over: {why}" for host, why in self._failed.items())

    async def manifest(self, reference: Reference, digest: str = "") -> Document:
        """A manifest from the first place that has it. Raises: what the registry itself does."""
        for place in self._places[:-1]:
            try:
                document = await place.manifest(reference, digest)
            except DeckError as error:
                self._failed.setdefault(place.host, error.message)
            else:
                self._served[place.host] = None
                return document
        document = await self._places[-1].manifest(reference, digest)
        self._served[self._places[-1].host] = None
        return document

    async def digest(self, reference: Reference) -> str:
        """The digest of a reference at the first place that has it. Raises: as the registry."""
        for place in self._places[:-1]:
            try:
                return await place.digest(reference)
            except DeckError as error:
                self._failed.setdefault(place.host, error.message)
        return await self._places[-1].digest(reference)

    @asynccontextmanager
    async def blob(
        self, reference: Reference, digest: str, *, offset: int = 0
    ) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """A blob from the first place that has it and has not broken off in it before.

        Raises:
            NotFound, LoginNeeded, Unreachable: from the registry itself; or Unreachable from a
                mirror that broke off: ask again.
        """
        async with AsyncExitStack() as stack:
            place, found = await self._open(stack, reference, digest, offset)
            self._served[place.host] = None
            try:
                yield found
            except Unreachable as error:
                if place is not self._places[-1]:
                    self._pass_over(place, digest, error)
                raise

    async def _open(
        self, stack: AsyncExitStack, reference: Reference, digest: str, offset: int
    ) -> tuple[Registry, tuple[int, AsyncIterator[bytes]]]:
        for place in self._places[self._passed.get(digest, 0) : -1]:
            try:
                return place, await stack.enter_async_context(
                    place.blob(reference, digest, offset=offset)
                )
            except DeckError as error:
                self._pass_over(place, digest, error)
        last = self._places[-1]
        return last, await stack.enter_async_context(last.blob(reference, digest, offset=offset))

    def distrust(self, digest: str) -> bool:
        """A mirror gave something else under ``digest``: whether another place is left."""
        at = self._passed.get(digest, 0)
        if at >= len(self._places) - 1:
            return False
        self._failed[self._places[at].host] = f"what it gave differs from {digest[:19]}"
        self._passed[digest] = at + 1
        return True

    def _pass_over(self, place: Registry, digest: str, error: DeckError) -> None:
        self._passed[digest] = self._places.index(place) + 1
        self._failed.setdefault(place.host, error.message)
