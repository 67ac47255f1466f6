"""The verbs of :class:`core.verbs.registries.Registries`, asked of another process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.domain import Job
    from core.verbs.registries import (
        Login,
        LoginSpec,
        PushSpec,
        SearchHit,
        SearchSpec,
        TagList,
        TagsSpec,
    )


class RemoteRegistries:
    """Mixed into the remote engine."""

    async def _call(self, verb: str, *arguments: object) -> Any:
        raise NotImplementedError

    async def login(self, spec: LoginSpec) -> Login:
        return await self._call("login", spec)

    async def logout(
        self, host: str, *, everything: bool = False, name: str = "", auth_file: str = ""
    ) -> list[Login]:
        return await self._call("logout", host, everything, name, auth_file)

    async def logins(self, *, auth_file: str = "") -> list[Login]:
        return await self._call("logins", auth_file)

    async def push(self, spec: PushSpec) -> Job:
        return await self._call("push", spec)

    async def search(self, spec: SearchSpec) -> list[SearchHit]:
        return await self._call("search", spec)

    async def tags(self, spec: TagsSpec) -> TagList:
        return await self._call("tags", spec)
