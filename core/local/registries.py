"""The verbs of :class:`core.verbs.registries.Registries` on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import InvalidInput, NotFound, Unsupported
from core.images.access import parse_registry
from core.images.find import find_image
from core.images.listing import list_tags
from core.images.matching import search_catalog, search_store
from core.images.push import push_image
from core.images.reference import HUB, HUB_API, parse_reference
from core.images.searching import search_registry
from core.local.parts import Bound
from core.verbs.registries import Login, SearchHit, TagList

if TYPE_CHECKING:
    from core.domain import Image, Job
    from core.images.reference import Reference
    from core.jobs import Progress
    from core.verbs.registries import LoginSpec, PushSpec, SearchSpec, TagsSpec

_MOST_HITS = 1000


class RegistryVerbs(Bound):
    """Logins, push, search, tags."""

    async def login(self, spec: LoginSpec) -> Login:
        self._may_change(spec.host)
        host, repository = parse_registry(spec.host)
        access = self._parts.access
        client = access.client(
            host,
            api_host=HUB_API if host == HUB else host,
            credentials=spec.credentials,
            plain_http=spec.plain_http,
        )
        async with client:
            checked = await client.check_login()
        kept = await access.keyring.keep(
            f"{host}/{repository}" if repository else host,
            spec.credentials,
            name=spec.name,
            auth_file=spec.auth_file,
        )
        return Login(
            host=kept.host,
            username=kept.username,
            name=kept.name,
            kept=kept.kept,
            checked=checked,
        )

    async def logout(
        self, host: str, *, everything: bool = False, name: str = "", auth_file: str = ""
    ) -> list[Login]:
        self._may_change(host or name or "logins")
        keyring = self._parts.access.keyring
        if everything:
            return await keyring.forget_all(auth_file=auth_file)
        if name:
            return await keyring.forget_named(name)
        if not host:
            raise InvalidInput("logout", "of what", hint="name a registry, or say --all")
        registry, repository = parse_registry(host)
        key = f"{registry}/{repository}" if repository else registry
        return await keyring.forget(key, auth_file=auth_file)

    async def logins(self, *, auth_file: str = "") -> list[Login]:
        return await self._parts.access.keyring.all(auth_file=auth_file)

    async def push(self, spec: PushSpec) -> Job:
        self._may_change(spec.name)
        image = find_image(self._parts.store, spec.name)
        reference = _destination(spec, image)

        async def work(progress: Progress) -> str:
            async with self._parts.store.lease() as lease:
                pushed = await push_image(
                    self._parts.store,
                    image,
                    reference,
                    await self._parts.access.registry(reference, spec),
                    lease=lease,
                    all_platforms=spec.all_platforms,
                    report=progress.report,
                )
            for warning in pushed.warnings:
                progress.warn(warning)
            return pushed.repo_digest

        if spec.login:  # a name that means nothing is told at once
            await self._parts.access.credentials(reference.registry, reference.repository, spec)
        key = f"push|{image.digest}|{reference}|{'*' * spec.all_platforms}"
        return self._parts.jobs.start("push", str(reference), key, work)

    async def search(self, spec: SearchSpec) -> list[SearchHit]:
        limit = min(spec.limit, _MOST_HITS)
        if limit < 1 or not spec.term.split():
            raise InvalidInput("search", "nothing to look for", hint="write a word of the name")
        if spec.registry:
            host, _ = parse_registry(spec.registry)
            access = self._parts.access
            client = access.client(
                host,
                api_host=HUB_API if host == HUB else host,
                credentials=await access.credentials(host, "", spec),
                plain_http=spec.plain_http,
            )
            async with client:
                return await search_registry(client, host, spec.term, limit=limit)
        catalog = self._parts.catalog.current()
        known = [source.name for source in catalog.sources]
        hits = search_catalog(spec.term, catalog.entries, catalog=spec.catalog, known=known)
        if not spec.catalog:
            hits = search_store(spec.term, self._parts.store.images()) + hits
        return hits[:limit]

    async def tags(self, spec: TagsSpec) -> TagList:
        reference = parse_reference(spec.repository)
        registry = await self._parts.access.registry(reference, spec)
        async with registry:
            tags = await list_tags(registry, reference)
        return TagList(repository=reference.name, tags=tags)


def _destination(spec: PushSpec, image: Image) -> Reference:
    """Where to. Raises: InvalidInput, NotFound, if nothing says so."""
    if spec.reference:
        return parse_reference(spec.reference)
    try:
        reference = parse_reference(spec.name)
    except (InvalidInput, Unsupported):
        reference = None
    if reference and {str(reference), f"{reference.name}@{image.digest}"} & {
        *image.references,
        *image.repo_digests,
    }:
        return reference
    raise NotFound(spec.name, "says not where to push", hint="add a reference: push NAME REFERENCE")
