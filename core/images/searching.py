"""Search registries for names.

The two shapes that Docker's registry has: ``/v1/search?q=`` (name, description) and
``/v2/search/repositories/?query=`` (repo_name, short_description); where neither is offered, the
list of repositories.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from core.errors import Unsupported
from core.images.failures import refusal
from core.images.listing import list_repositories
from core.images.matching import rank
from core.images.reference import HUB
from core.text import clean
from core.verbs.registries import SearchHit

if TYPE_CHECKING:
    from core.images.registry import Registry

_CAP = 8 << 20
_DESCRIPTION = 400
_MOST = 100
"""Hits that a registry is asked for at once; none gives more."""
_HUB_SEARCH = "https://hub.docker.com/v2/search/repositories/"


class _Result(msgspec.Struct, frozen=True, kw_only=True):
    repo_name: str = ""
    name: str = ""
    short_description: str | None = None
    description: str | None = None
    star_count: int | None = None
    is_official: bool | None = None
    is_automated: bool | None = None


class _Results(msgspec.Struct, frozen=True, kw_only=True):
    results: list[_Result] | None = None


async def search_registry(
    registry: Registry, host: str, term: str, *, limit: int
) -> list[SearchHit]:
    """What the registry called ``host`` finds, in its own order.

    Raises:
        Unsupported: it can neither be searched nor lists its repositories.
        LoginNeeded, Unreachable: from the registry.
    """
    count = min(limit, _MOST)
    queries = [
        f"/v1/search?{urlencode({'q': term, 'n': count})}",
        f"/v2/search/repositories/?{urlencode({'query': term, 'page_size': count})}",
    ]
    if host == HUB:
        queries = [f"{_HUB_SEARCH}?{urlencode({'query': term, 'page_size': count})}"]
    for query in queries:
        answer = await registry.get(query, scope="", accept="application/json", cap=_CAP)
        if answer.status == 200 and (found := _read(answer.body)) is not None:
            return [hit for one in found if (hit := _hit(one, host))][:limit]
        if answer.status not in (200, 400, 404, 405, 410, 501):
            raise refusal(host, answer.status, answer.headers, answer.body)
    if host == HUB:
        raise Unsupported(host, "answered with no list of results")
    names = await list_repositories(registry)
    return rank(
        term,
        (SearchHit(name=f"{host}/{name}", found_in="registry", source=host) for name in names),
    )[:limit]


def _read(body: bytes) -> list[_Result] | None:
    try:
        return msgspec.json.decode(body, type=_Results).results
    except (msgspec.MsgspecError, RecursionError):
        return None


def _hit(result: _Result, host: str) -> SearchHit | None:
    name = result.repo_name or result.name
    if not name or clean(name, 255) != name or any(c.isspace() for c in name):
        return None
    return SearchHit(
        name=f"{host}/{name.removeprefix(f'{host}/')}",
        description=clean(result.short_description or result.description or "", _DESCRIPTION),
        stars=result.star_count,
        official=bool(result.is_official),
        automated=bool(result.is_automated),
        found_in="registry",
        source=host,
    )
