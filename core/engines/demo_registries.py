"""The demonstration knows no registries: it answers what costs nothing, and refuses the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import NotFound, Unsupported
from core.images.matching import search_catalog
from core.verbs.registries import Login, TagList

if TYPE_CHECKING:
    from core.domain import Catalog, Job
    from core.verbs.registries import LoginSpec, PushSpec, SearchHit, SearchSpec, TagsSpec


class DemoRegistries:
    """Mixed into the demonstration's engine."""

    async def catalog(self) -> Catalog:
        raise NotImplementedError

    async def login(self, spec: LoginSpec) -> Login:
        return Login(host=spec.host, username=spec.credentials.username, name=spec.name)

    async def logout(
        self, host: str, *, everything: bool = False, name: str = "", auth_file: str = ""
    ) -> list[Login]:
        raise NotFound(host or name or "logins", "the demonstration keeps none")

    async def logins(self, *, auth_file: str = "") -> list[Login]:
        return []

    async def push(self, spec: PushSpec) -> Job:
        raise Unsupported(spec.name, "the demonstration does not push")

    async def search(self, spec: SearchSpec) -> list[SearchHit]:
        catalog = await self.catalog()
        known = [source.name for source in catalog.sources]
        found = search_catalog(spec.term, catalog.entries, catalog=spec.catalog, known=known)
        return found[: spec.limit]

    async def tags(self, spec: TagsSpec) -> TagList:
        return TagList(repository=spec.repository, tags=("latest",))
