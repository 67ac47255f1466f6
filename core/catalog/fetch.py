"""Fetch the documents of a catalog source over HTTP.

RFC 9110 (conditional requests, redirects, Retry-After). An answer with an ``ETag`` is kept on
disk, and asked for again only if it changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import aiohttp
import msgspec

from core.catalog.wire import DOCUMENT_LIMIT, Document
from core.errors import DeckError, Hostile, LoginNeeded, NotFound, Unreachable
from core.urls import check_url, is_loopback
from core.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)

REDIRECT_LIMIT = 5
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 20.0
"""A server that sends nothing for so long is given up."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Kept(msgspec.Struct):
    """An answer with an ``ETag``."""

    url: str
    etag: str
    body: bytes
    link: str = ""


def open_session() -> aiohttp.ClientSession:
    """A client for one refresh; use as an async context manager. Honours proxies and netrc."""
    timeout = aiohttp.ClientTimeout(connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
    headers = {"User-Agent": f"distrodeck/{VERSION}", "Accept": "application/json, */*;q=0.5"}
    return aiohttp.ClientSession(timeout=timeout, headers=headers, trust_env=True)


class Fetcher:
    """Gets the documents of one source; a :class:`core.catalog.wire.Get`."""

    def __init__(self, session: aiohttp.ClientSession, folder: Path, *, plain_http: bool) -> None:
        self._session = session
        self._folder = folder
        self._plain_http = plain_http

    async def __call__(self, url: str) -> Document:
        """The document at ``url``, from the disk if the server says it did not change.

        Cancelling leaves the kept answer as it was.

        Raises:
            Unreachable: refused, DNS, TLS, cut, silent, 429 or 5xx.
            LoginNeeded: 401 or 403.
            NotFound: 404 or 410.
            Hostile: too large, or a redirect to where it should not lead.
        """
        path = place_of(self._folder, url)
        kept = await asyncio.to_thread(load, path, url)
        try:
            answer = await self._follow(url, kept)
        except TimeoutError:
            raise Unreachable(url, f"silent for {SILENCE_SECONDS:.0f} s") from None
        except aiohttp.ClientError as error:
            raise Unreachable(url, _reason(error)) from None
        if answer.etag and answer is not kept:
            await asyncio.to_thread(save, path, msgspec.msgpack.encode(answer))
        return Document(url=url, body=answer.body, link=answer.link)

    async def _follow(self, url: str, kept: Kept | None) -> Kept:
        """The answer after redirects: a new one, or ``kept`` if it is still right."""
        headers = {"If-None-Match": kept.etag} if kept else {}
        at = url
        for _ in range(REDIRECT_LIMIT + 1):
            self._check(at, url)
            async with self._session.get(at, headers=headers, allow_redirects=False) as response:
                if response.status == 304 and kept:
                    return kept
                if response.status in _REDIRECTS and "Location" in response.headers:
                    at = _redirect(url, at, response.headers["Location"])
                    continue
                if response.status != 200:
                    raise _refusal(url, response)
                etag = response.headers.get("ETag", "")
                link = response.headers.get("Link", "")
                return Kept(url=url, etag=etag, body=await _body(url, response), link=link)
        raise Hostile(url, f"redirects more than {REDIRECT_LIMIT} times")

    def _check(self, at: str, start: str) -> None:
        try:
            check_url(at, plain_http=self._plain_http)
        except ValueError as error:
            raise Hostile(start, f"leads to another place: {error}") from None


def _redirect(start: str, at: str, location: str) -> str:
    try:
        target = urljoin(at, location)
        host = urlsplit(target).hostname or ""
    except ValueError as error:
        raise Hostile(start, f"redirects to no URL: {error}") from None
    if is_loopback(host) and not is_loopback(urlsplit(start).hostname or ""):
        raise Hostile(start, "redirects into this machine")
    return target


async def _body(url: str, response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > DOCUMENT_LIMIT:
            raise Hostile(url, f"larger than {DOCUMENT_LIMIT >> 20} MiB")
    return bytes(body)


def _refusal(url: str, response: aiohttp.ClientResponse) -> DeckError:
    status = response.status
    if status in (401, 403):
        return LoginNeeded(url, f"answered {status}: not for everybody")
    if status in (404, 410):
        return NotFound(url, f"answered {status}: not there")
    after = response.headers.get("Retry-After", "")
    retry = float(after) if after.isdecimal() and len(after) < 8 else None
    return Unreachable(url, f"answered {status}", retry_after=retry)


def _reason(error: aiohttp.ClientError) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "no such host"
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        return f"TLS: {error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return (os.strerror(error.errno) if error.errno else str(error)).lower()
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError):
        return "the connection ended in the middle"
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def place_of(folder: Path, url: str) -> Path:
    """The file in which the answer of ``url`` is kept."""
    return folder / hashlib.sha256(url.encode()).hexdigest()[:32]


def load(path: Path, url: str) -> Kept | None:
    """What is kept in a file, if it is the answer of ``url``; blocks."""
    try:
        kept = msgspec.msgpack.decode(path.read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError):
        return None
    return kept if kept.url == url else None


def save(path: Path, data: bytes) -> None:
    """Replace the file at ``path``; readers see the old bytes or the new, never half of them.

    A cache that cannot be written (a full disk, say) costs time later and is no error now.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        _log.warning("%s is not kept: %s", path, error)
        with contextlib.suppress(OSError):
            part.unlink()
