"""The verbs of :class:`core.verbs.builds.Builds` on this machine."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from core.local.parts import Bound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.domain import Job
    from core.verbs.builds import BuildLine, BuildSpec


class BuildVerbs(Bound):
    """Building images."""

    async def build(self, spec: BuildSpec, content: AsyncIterator[bytes] | None = None) -> Job:
        self._may_change(spec.tags[0] if spec.tags else "build")
        return await self._parts.builds.start(spec, content)

    @asynccontextmanager
    async def build_output(self, job: str) -> AsyncIterator[AsyncIterator[BuildLine]]:
        yield self._parts.builds.output(job).lines()
