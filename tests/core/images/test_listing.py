"""Tags, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from core.errors import Hostile, LoginNeeded, NotFound, Unsupported
from core.images.listing import PAGES, list_tags
from core.images.reference import parse_reference
from core.images.registry import Registry

if TYPE_CHECKING:
    from core.images.transport import Patience
    from tests.core.images.serving import Served


async def tags(
    host: str, repository: str = "t/x", patience: Patience | None = None
) -> tuple[str, ...]:
    reference = parse_reference(f"{host}/{repository}")
    async with Registry(reference.api_host, patience=patience) as registry:
        return await list_tags(registry, reference)


async def test_a_real_registry_lists_its_tags(fix: dict[str, Any]) -> None:
    found = await tags(fix["registries"]["plain"]["host"], "lib/busybox")
    assert sorted(found) == ["1", "latest", "stable"]
    with pytest.raises(NotFound, match="no such repository"):
        await tags(fix["registries"]["plain"]["host"], "lib/nothing")
    with pytest.raises(LoginNeeded):
        await tags(fix["registries"]["basic"]["host"], "lib/busybox")


async def test_pages_are_followed_and_bad_names_left_out(
    served: Served, patience: Patience
) -> None:
    link = {"Link": '</v2/t/x/tags/list?n=2&last=b>; rel="next"'}
    served.answers = [
        web.Response(),
        web.json_response({"tags": ["a", "b\n", "b"]}, headers=link),
        web.json_response({"tags": ["c", "a"]}),
    ]
    assert await tags(served.host, patience=patience) == ("a", "b", "c")
    served.answers = [web.Response(), web.json_response({"tags": None})]
    assert await tags(served.host, patience=patience) == ()


async def test_pages_that_lead_elsewhere_or_nowhere_are_refused(
    served: Served, patience: Patience
) -> None:
    link = {"Link": '<http://169.254.169.254/v2/t/x/tags/list>; rel="next"'}
    served.answers = [web.Response(), web.json_response({"tags": ["a"]}, headers=link)]
    with pytest.raises(Hostile):
        await tags(served.host, patience=patience)
    served.answers = [web.Response(), web.Response(text="{")]
    with pytest.raises(Unsupported):
        await tags(served.host, patience=patience)


async def test_a_list_without_an_end_ends(served: Served, patience: Patience) -> None:
    served.answers = [web.Response()] + [
        web.json_response(
            {"tags": [f"t{number}"]},
            headers={"Link": f'</v2/t/x/tags/list?last={number}>; rel="next"'},
        )
        for number in range(PAGES + 5)
    ]
    assert len(await tags(served.host, patience=patience)) == PAGES
