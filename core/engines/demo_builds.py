"""The demonstration builds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import NotFound, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from core.domain import Job
    from core.verbs.builds import BuildLine, BuildSpec


class DemoBuilds:
    """Mixed into the demonstration's engine."""

    async def build(self, spec: BuildSpec, content: AsyncIterator[bytes] | None = None) -> Job:
        raise Unsupported(spec.context or "build", "the demonstration does not build images")

    def build_output(self, job: str) -> AbstractAsyncContextManager[AsyncIterator[BuildLine]]:
        raise NotFound(job, "the demonstration has no builds")
