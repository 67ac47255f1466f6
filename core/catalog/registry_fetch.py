"""Fetch the lists of a registry as pulls ask it: with its login, certificates and permissions.

Distribution spec v1.1, "Listing Tags"; Docker's token specification for the scope of ``_catalog``.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from core.catalog.fetch import Kept, load, place_of, save
from core.catalog.wire import DOCUMENT_LIMIT, Document
from core.images.failures import refusal

if TYPE_CHECKING:
    from pathlib import Path

    from core.images.registry import Registry

_TAGS = re.compile(r"/v2/(.+)/tags/list")


class RegistryFetcher:
    """Gets the lists of one registry; a :class:`core.catalog.wire.Get`."""

    def __init__(self, client: Registry, folder: Path) -> None:
        """``client`` has been entered."""
        self._client = client
        self._folder = folder

    async def __call__(self, url: str) -> Document:
        """The document at ``url``, from the disk if the registry says it did not change.

        Raises:
            LoginNeeded, NotFound, Unreachable: from the registry.
            Hostile: too large, or a redirect to where it should not lead.
        """
        file, parts = place_of(self._folder, url), urlsplit(url)
        kept = await asyncio.to_thread(load, file, url)
        repository = _TAGS.search(parts.path)
        answer = await self._client.ask(
            "GET",
            parts._replace(scheme="", netloc="").geturl(),
            scope=f"repository:{repository[1]}:pull" if repository else "registry:catalog:*",
            cap=DOCUMENT_LIMIT,
            headers={"If-None-Match": kept.etag} if kept else None,
        )
        if answer.status == 304 and kept:
            return Document(url=url, body=kept.body, link=kept.link)
        if answer.status != 200:
            raise refusal(url, answer.status, answer.headers, answer.body)
        link, etag = answer.headers.get("Link", ""), answer.headers.get("ETag", "")
        if etag:
            fresh = Kept(url=url, etag=etag, body=answer.body, link=link)
            await asyncio.to_thread(save, file, msgspec.msgpack.encode(fresh))
        return Document(url=url, body=answer.body, link=link)
