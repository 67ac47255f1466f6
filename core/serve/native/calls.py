"""What the areas of the remote engine call it with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager


class Calls(Protocol):
    """A connection to an engine; ``self`` of the methods that an area mixes in."""

    async def _call(self, verb: str, *arguments: object) -> Any: ...

    def _stream(
        self, verb: str, *arguments: object
    ) -> AbstractAsyncContextManager[AsyncIterator[Any]]: ...
