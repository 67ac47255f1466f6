"""Download a file by HTTP into the store's ingest folder, over cuts and restarts.

RFC 9110, "Range Requests": a kept part is continued only under ``If-Range`` with the validator it
was received under, so that two versions of a file are never glued together.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

from core.errors import DeckError
from core.images.failures import Lost, host_of
from core.images.registry import start_of
from core.images.resume import carry_on, kept_text, skipping
from core.store.ingest import Ingest
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import aiohttp

    from core.images.transport import Transport


class _Validator(msgspec.Struct, frozen=True):
    """What is known of the version of a file of which a part is kept."""

    value: str = ""
    """A strong ETag, or Last-Modified; empty: the server told neither."""
    size: int = 0


def file_name(source: str) -> str:
    """The last part of a path or URL, for people."""
    path = unquote(urlsplit(source).path) if "://" in source else source
    return clean(path.rstrip("/").rpartition("/")[2], 120) or "the file"


class Download:
    """One download to ``folder``; what it has is there under :attr:`path`."""

    def __init__(self, url: str, folder: Path, *, transport: Transport, trusted: bool) -> None:
        """``trusted``: a checksum will tell, so a part may be continued without a validator."""
        key = hashlib.sha256(url.encode()).hexdigest()[:40]
        self.path = folder / f"url-{key}"
        self.name = file_name(url)
        self._note = folder / f"url-{key}.json"
        self._url = url
        self._transport = transport
        self._trusted = trusted
        self._validator = _Validator()

    def forget(self) -> None:
        """Delete what there is."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    async def run(self, report: Callable[[int, int], None]) -> str:
        """Fetch to the end and give the digest; ``report`` takes bytes had and bytes in all.

        Raises:
            NotFound, LoginNeeded, Unreachable: from the server, with ``kept``.
            NoSpace: the disk is full.
        """
        async with Ingest(self.path, name=self.name) as ingest:
            self._recall(ingest)
            try:
                async for _ in ingest.replay():
                    report(ingest.offset, self._validator.size)
                await carry_on(
                    lambda: self._stream(ingest, report), ingest, self._transport.patience
                )
            except DeckError as error:
                error.kept = kept_text(ingest.offset, self._validator.size, self.name)
                raise
            return ingest.digest

    def _recall(self, ingest: Ingest) -> None:
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            self._validator = msgspec.json.decode(self._note.read_bytes(), type=_Validator)
        too_long = ingest.kept > self._validator.size
        if too_long or not (self._validator.value or self._trusted):
            ingest.restart()

    async def _stream(self, ingest: Ingest, report: Callable[[int, int], None]) -> None:
        # when all is here, the last byte again: the server then says whether it is still the same
        ask = min(ingest.offset, max(self._validator.size - 1, 0))
        headers = {"Range": f"bytes={ask}-"} if ask else {}
        if ask and self._validator.value:
            headers["If-Range"] = self._validator.value
        async with self._transport.get(self._url, headers=headers) as response:
            start = start_of(response, ask, self.name)
            if start != ask:
                ingest.restart()
            self._remember(response, start)
            size = self._validator.size
            chunks = skipping(ingest.offset - start, self._transport.chunks(response))
            async for chunk in chunks:
                await ingest.write(chunk)
                report(ingest.offset, size)
        if size and ingest.offset != size:
            raise Lost(host_of(self._url), "connection lost", hint="try again")

    def _remember(self, response: aiohttp.ClientResponse, start: int) -> None:
        etag = response.headers.get("ETag", "")
        value = etag if etag.startswith('"') else response.headers.get("Last-Modified", "")
        length = response.headers.get("Content-Length", "")
        if match := re.fullmatch(r"bytes \d+-\d+/(\d+)", response.headers.get("Content-Range", "")):
            size = int(match[1])
        else:
            size = start + int(length) if length.isdigit() else 0
        found = _Validator(value=value[:400], size=size)
        if found != self._validator:
            self._validator = found
            self._note.write_bytes(msgspec.json.encode(found))
