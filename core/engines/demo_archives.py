"""The demonstration has no files: archives are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from core.domain import Job
    from core.verbs.archives import ImportSpec, LoadSpec, SaveSpec

_WHY = "the demonstration does not do this"


class DemoArchives:
    """Mixed into the demonstration's engine."""

    async def load(self, spec: LoadSpec, content: AsyncIterator[bytes] | None = None) -> Job:
        raise Unsupported("load", _WHY)

    async def save(self, spec: SaveSpec) -> Job:
        raise Unsupported("save", _WHY)

    def archive(self, spec: SaveSpec) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        raise Unsupported("save", _WHY)

    async def import_image(
        self, spec: ImportSpec, content: AsyncIterator[bytes] | None = None
    ) -> Job:
        raise Unsupported("import", _WHY)
