"""What a registry says it has: repositories and tags, page by page.

Distribution specification v1.1, "Content Discovery"; ``Link`` as of RFC 8288.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.catalog.registry import next_page, parse_repositories, parse_tags
from core.catalog.wire import Document
from core.errors import NotFound, Unsupported
from core.images.failures import refusal
from core.images.registry import told_by

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.images.reference import Reference
    from core.images.registry import Registry

PAGE = 1000
PAGES = 200
"""Pages read of one list; more is no list but a trap."""
_PAGE_CAP = 8 << 20


async def list_tags(registry: Registry, reference: Reference) -> tuple[str, ...]:
    """The tags of a repository, as the registry orders them.

    Raises:
        NotFound: there is no such repository.
        LoginNeeded, Unreachable: from the registry.
        Hostile: its pages lead elsewhere.
    """
    path = registry.path(reference, f"tags/list?n={PAGE}")
    scope = registry.scope(reference)
    try:
        return await _pages(registry, path, scope, parse_tags, of=reference.name)
    except NotFound:
        raise NotFound(reference.name, "no such repository", hint="check the name") from None


async def list_repositories(registry: Registry) -> tuple[str, ...]:
    """The repositories of a registry.

    Raises:
        Unsupported: it does not list them.
        LoginNeeded, Unreachable: from the registry.
        Hostile: its pages lead elsewhere.
    """
    path = f"/v2/_catalog?n={PAGE}"
    try:
        return await _pages(
            registry, path, "registry:catalog:*", parse_repositories, of=registry.host
        )
    except NotFound:
        raise Unsupported(
            registry.host, "neither can be searched nor lists its repositories"
        ) from None


async def _pages(
    registry: Registry, path: str, scope: str, parse: Callable[[Document], list[str]], *, of: str
) -> tuple[str, ...]:
    """All pages of a list, each name once."""
    found: dict[str, None] = {}
    url = await registry.find_base() + path
    for _ in range(PAGES):
        answer = await registry.get(url, scope=scope, accept="application/json", cap=_PAGE_CAP)
        if answer.status != 200:
            told = told_by(answer.body)
            raise refusal(of, answer.status, answer.headers, answer.body, detail=told)
        document = Document(url=url, body=answer.body, link=answer.headers.get("Link", ""))
        found |= dict.fromkeys(parse(document))
        following = next_page(document)
        if following in ("", url):
            break
        url = following
    return tuple(found)
