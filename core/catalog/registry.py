"""List the repositories and tags of an OCI registry.

Distribution spec v1.1, "Listing Tags", and Docker's ``_catalog`` extension; both page with a
``Link`` header (RFC 8288).
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import msgspec

from core.catalog.wire import Document, Get, decode, keep
from core.domain import CatalogEntry
from core.errors import Hostile, LoginNeeded, NotFound, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.config import SourceSettings

PAGE = 200
"""Names asked for at a time."""

PAGE_LIMIT = 100
"""Pages of one list that are read."""

TAGGED_REPOSITORIES = 500
"""Repositories whose tags are listed; of further ones ``latest`` is offered."""

TAG_LIMIT = 100
"""Tags of one repository that are offered."""

PARALLEL = 8
"""Tag lists asked for at a time."""

_REPOSITORY = re.compile(
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_NEXT = re.compile(r"""<([^<>]*)>\s*;[^,]*\brel="?next"?""")


class _Repositories(msgspec.Struct):
    repositories: list[str] | None


class _Tags(msgspec.Struct):
    tags: list[str] | None = None


async def read(source: SourceSettings, get: Get, architecture: str) -> tuple[CatalogEntry, ...]:
    """An entry for each repository (its ``latest``) and one for each other tag.

    ``architecture`` stays unknown until a manifest is read, so nothing is left out for it.

    Raises:
        LoginNeeded: the registry shows its list to nobody or not to everybody.
        Unsupported: it has no list.
        DeckError: what fetching raises.
    """
    del architecture
    host = urlsplit(source.url).netloc
    hint = f"distrodeck login {host}, or pull by reference: {host}/NAME:TAG"
    try:
        repositories = await _names(get, f"{source.url}/v2/_catalog?n={PAGE}", parse_repositories)
    except LoginNeeded as error:
        raise LoginNeeded(host, "does not list its repositories to everybody", hint=hint) from error
    except NotFound as error:
        raise Unsupported(host, "does not list its repositories", hint=hint) from error
    tags = await _tags(get, source.url, repositories[:TAGGED_REPOSITORIES])
    entries = [
        entry
        for repository in repositories
        for entry in entries_of(source.name, host, repository, tags.get(repository, ["latest"]))
    ]
    return keep(entries, source.url)


def parse_repositories(document: Document) -> list[str]:
    """The repositories of one page of ``_catalog``; malformed names are left out."""
    names = decode(document, _Repositories, "a list of repositories").repositories or []
    return [name for name in names if len(name) <= 200 and _REPOSITORY.fullmatch(name)]


def parse_tags(document: Document) -> list[str]:
    """The tags of one page of ``tags/list``; malformed ones are left out."""
    tags = decode(document, _Tags, "a list of tags").tags or []
    return [tag for tag in tags if _TAG.fullmatch(tag)]


def next_page(document: Document) -> str:
    """URL of the page after this one; empty after the last. Raises: Hostile."""
    match = _NEXT.search(document.link)
    if not match:
        return ""
    try:
        url = urljoin(document.url, str(match[1]))
        near = urlsplit(url)[:2] == urlsplit(document.url)[:2]
    except ValueError:
        near = False
    if not near:
        raise Hostile(document.url, "the next page of its list is on another server")
    return url


def entries_of(catalog: str, host: str, repository: str, tags: list[str]) -> list[CatalogEntry]:
    """``repository`` for its ``latest``, ``repository:tag`` for the first other tags."""
    others = [tag for tag in tags if tag != "latest"][:TAG_LIMIT]
    return [
        CatalogEntry(
            name=repository if tag == "latest" else f"{repository}:{tag}",
            aliases=(f"{repository}:latest",) if tag == "latest" else (),
            source=f"{host}/{repository}:{tag}",
            catalog=catalog,
            version=tag,
            kind="oci",
        )
        for tag in [*(["latest"] if "latest" in tags else []), *others]
    ]


async def _names(get: Get, url: str, parse: Callable[[Document], list[str]]) -> list[str]:
    """All pages of a list, each name once."""
    found: dict[str, None] = {}
    for _ in range(PAGE_LIMIT):
        document = await get(url)
        found |= dict.fromkeys(parse(document))
        following = next_page(document)
        if not following or following == url:
            break
        url = following
    return list(found)


async def _tags(get: Get, base: str, repositories: list[str]) -> dict[str, list[str]]:
    slots = asyncio.Semaphore(PARALLEL)
    found: dict[str, list[str]] = {}

    async def ask(repository: str) -> None:
        async with slots:
            url = f"{base}/v2/{repository}/tags/list?n={PAGE}"
            try:
                found[repository] = await _names(get, url, parse_tags)
            except (NotFound, LoginNeeded):
                # listed, but emptied since or not for everybody
                found[repository] = []

    try:
        async with asyncio.TaskGroup() as group:
            for repository in repositories:
                group.create_task(ask(repository))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return found
