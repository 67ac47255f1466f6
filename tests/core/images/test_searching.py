"""Searches: the shapes that registries answer in, and what comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from core.domain import CatalogEntry, Image
from core.errors import NotFound, Unreachable, Unsupported
from core.images.matching import search_catalog, search_store
from core.images.registry import Registry
from core.images.searching import search_registry
from core.verbs.registries import SearchHit

if TYPE_CHECKING:
    from core.images.transport import Patience
    from tests.core.images.serving import Served

NOTHING = web.Response(status=404)


async def search(
    served: Served, patience: Patience, *answers: web.Response, term: str = "dev", limit: int = 25
) -> list[SearchHit]:
    served.answers = [web.Response(), *answers]
    async with Registry(served.host, patience=patience) as registry:
        return await search_registry(registry, served.host, term, limit=limit)


async def test_the_first_shape_is_read(served: Served, patience: Patience) -> None:
    hits = await search(
        served,
        patience,
        web.json_response(
            {
                "num_results": 2,
                "results": [
                    {"name": "lib/dev", "description": "a\x1b[31m box", "star_count": 3,
                     "is_official": True, "is_automated": False},
                    {"name": "bad\nname", "description": ""},
                    {"name": "", "description": ""},
                ],
            }
        ),
        term="dev box",
    )  # fmt: skip
    (hit,) = hits
    assert (hit.name, hit.stars, hit.official) == (f"{served.host}/lib/dev", 3, True)
    assert "\x1b" not in hit.description
    assert served.requests[-1].path_qs == "/v1/search?q=dev+box&n=25"


async def test_the_second_shape_is_read(served: Served, patience: Patience) -> None:
    result = {
        "repo_name": "team/dev",
        "short_description": "for work",
        "star_count": 0,
        "is_official": False,
        "is_automated": True,
    }
    (hit,) = await search(
        served,
        patience,
        web.Response(text="<html>", status=200),
        web.json_response({"count": 1, "results": [result]}),
    )
    assert hit == SearchHit(
        name=f"{served.host}/team/dev",
        description="for work",
        stars=0,
        automated=True,
        source=served.host,
    )
    assert served.requests[-1].path == "/v2/search/repositories/"


async def test_a_registry_without_a_search_is_searched_by_its_list(
    fix: dict[str, Any], patience: Patience
) -> None:
    host = fix["registries"]["plain"]["host"]
    async with Registry(host, patience=patience) as registry:
        hits = await search_registry(registry, host, "busybox", limit=2)
    assert [hit.name for hit in hits] == [f"{host}/lib/busybox", f"{host}/private/busybox"]


async def test_a_list_of_several_pages_is_read_whole(served: Served, patience: Patience) -> None:
    link = {"Link": '</v2/_catalog?n=2&last=b>; rel="next"'}
    pages = [
        web.json_response({"repositories": ["dev", "b"]}, headers=link),
        web.json_response({"repositories": ["dev2", "c"]}),
    ]
    hits = await search(
        served, patience, web.Response(status=404), web.Response(status=404), *pages
    )
    assert [hit.name for hit in hits] == [f"{served.host}/dev", f"{served.host}/dev2"]


async def test_what_can_neither_search_nor_list_is_told(served: Served, patience: Patience) -> None:
    with pytest.raises(Unsupported, match="neither"):
        await search(served, patience, *(web.Response(status=404) for _ in range(3)))
    with pytest.raises(Unreachable, match="503"):
        await search(served, patience, *(web.Response(status=503) for _ in range(9)))


def test_the_store_and_the_catalog_give_the_nearest_names_first() -> None:
    references = ("lab/devel:1", "lab/dev:1", "lab/x-dev:2", "lab/other:1")
    image = Image(digest="d", config_digest="c", references=references)
    assert [hit.name for hit in search_store("DEV", [image])] == [
        "lab/dev:1",
        "lab/devel:1",
        "lab/x-dev:2",
    ]
    entries = [
        CatalogEntry(name="debian/12", aliases=("debian/bookworm",), source="s", catalog="one"),
        CatalogEntry(name="kali", source="s", catalog="two", title="built on Debian"),
    ]
    assert [hit.name for hit in search_catalog("debian", entries)] == ["debian/12", "kali"]
    assert [hit.name for hit in search_catalog("bookworm", entries)] == ["debian/12"]
    assert [
        hit.source for hit in search_catalog("debian", entries, catalog="two", known=("two",))
    ] == ["two"]
    with pytest.raises(NotFound):
        search_catalog("x", entries, catalog="three", known=("one", "two"))
