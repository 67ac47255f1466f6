from __future__ import annotations

import json
from typing import Any

import pytest

from core.catalog.registry import entries_of, next_page, parse_repositories, parse_tags, read
from core.catalog.wire import Document
from core.config import SourceSettings
from core.errors import Hostile, LoginNeeded, NotFound, Unreachable, Unsupported

URL = "https://registry.example/v2/_catalog?n=2"
SOURCE = SourceSettings(name="lab", kind="registry", url="https://registry.example")


def page(body: Any, link: str = "", url: str = URL) -> Document:
    return Document(url=url, body=json.dumps(body).encode(), link=link)


def test_malformed_repositories_are_left_out() -> None:
    names = ["lib/dev", "a", "../etc", "Upper", "a b", "a//b", "a/", "a\x1b[2J", "a" * 300]
    assert parse_repositories(page({"repositories": names})) == ["lib/dev", "a"]
    assert parse_repositories(page({"repositories": None})) == []


def test_malformed_tags_are_left_out() -> None:
    assert parse_tags(page({"name": "x", "tags": ["1.0", "-x", "a b", ""]})) == ["1.0"]
    assert parse_tags(page({"name": "x", "tags": None})) == []


@pytest.mark.parametrize("body", [[], {}, {"repositories": "x"}, {"repositories": [1]}])
def test_other_answer_is_told_for_what_it_is_not(body: Any) -> None:
    with pytest.raises(Unsupported, match="not a list of repositories"):
        parse_repositories(page(body))


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("", ""),
        (
            '</v2/_catalog?last=b&n=2>; rel="next"',
            "https://registry.example/v2/_catalog?last=b&n=2",
        ),
        ("<?last=b>; rel=next", "https://registry.example/v2/_catalog?last=b"),
        ('</x>; rel="prev"', ""),
        ('</p>; rel="prev", </n>; rel="next"', "https://registry.example/n"),
    ],
)
def test_next_page_is_where_the_link_says(link: str, url: str) -> None:
    assert next_page(page({}, link)) == url


@pytest.mark.parametrize("target", ["https://evil.example/x", "http://registry.example/x", "//[x"])
def test_next_page_on_another_server_is_refused(target: str) -> None:
    with pytest.raises(Hostile):
        next_page(page({}, f'<{target}>; rel="next"'))


def test_repository_stands_for_its_latest_and_other_tags_for_themselves() -> None:
    entries = entries_of("lab", "host:5000", "lib/dev", ["1.0", "latest"])
    assert [(entry.name, entry.source, entry.version) for entry in entries] == [
        ("lib/dev", "host:5000/lib/dev:latest", "latest"),
        ("lib/dev:1.0", "host:5000/lib/dev:1.0", "1.0"),
    ]
    assert [entry.name for entry in entries_of("lab", "h", "x", ["2"])] == ["x:2"]


async def test_pages_are_followed_and_an_emptied_repository_is_left_out() -> None:
    pages = {
        "/v2/_catalog?n=200": page(
            {"repositories": ["a", "gone"]}, '</v2/_catalog?last=b>;rel="next"'
        ),
        "/v2/_catalog?last=b": page({"repositories": ["b"]}),
        "/v2/a/tags/list?n=200": page({"tags": ["latest"]}, '</v2/a/more>; rel="next"'),
        "/v2/a/more": page({"tags": ["x"]}),
        "/v2/b/tags/list?n=200": page({"tags": ["1"]}),
    }

    async def get(url: str) -> Document:
        path = url.removeprefix("https://registry.example")
        if path not in pages:
            raise NotFound(url)
        return pages[path]

    assert [entry.name for entry in await read(SOURCE, get, "amd64")] == ["a", "a:x", "b:1"]


async def test_list_that_never_ends_is_cut() -> None:
    asked = []

    async def get(url: str) -> Document:
        asked.append(url)
        return page({"repositories": []}, f'</v2/_catalog?last={len(asked)}>; rel="next"', url)

    assert await read(SOURCE, get, "amd64") == ()
    assert len(asked) == 100


@pytest.mark.parametrize(
    ("error", "told"),
    [(LoginNeeded, LoginNeeded), (NotFound, Unsupported), (Unreachable, Unreachable)],
)
async def test_hub_that_shows_no_list_says_what_works_instead(
    error: type[Exception], told: type[Exception]
) -> None:
    async def get(url: str) -> Document:
        raise error(url)

    with pytest.raises(told) as caught:
        await read(SOURCE, get, "amd64")
    if error is not Unreachable:
        assert "registry.example/NAME:TAG" in getattr(caught.value, "hint", "")


async def test_tag_list_that_fails_fails_the_source() -> None:
    async def get(url: str) -> Document:
        if "_catalog" in url:
            return page({"repositories": ["a", "b"]})
        raise Unreachable(url, "answered 500")

    with pytest.raises(Unreachable, match="answered 500"):
        await read(SOURCE, get, "amd64")
