"""HTTP as registries and download servers need it: redirects, retries and errors in plain words.

RFC 9110 for redirects, ``Range`` and ``Retry-After``. Credentials go to the host they were meant
for and are dropped at the first redirect to another one. Plain HTTP is for loopback addresses,
unless the caller allowed it.
"""

from __future__ import annotations

import asyncio
import random
import time
import urllib.request
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from core.errors import DeckError, Hostile, InvalidInput, Unreachable
from core.images.failures import PASSING, Final, Lost, explain, host_of, refusal
from core.images.trust import Trust
from core.text import clean
from core.urls import is_loopback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from types import TracebackType

    Body = bytes | Callable[[], AsyncIterator[bytes]]
    """What a request carries; the function gives it once more where it has to be sent again."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SAME_AGAIN = frozenset({307, 308})
"""Redirects after which method and body are the same; the only ones that a body follows."""
_MOST_REDIRECTS = 8
_READ_BUFFER = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait and how often to try again."""

    attempts: int = 4
    base: float = 0.5
    """Seconds before the second attempt; doubles each time."""
    longest: float = 20.0
    """A ``Retry-After`` beyond this many seconds is told instead of waited for."""
    connect: float = 15.0
    silence: float = 30.0
    """Seconds without a byte after which a connection counts as broken."""
    slowest: int = 256
    """Bytes per second below which a transfer counts as broken."""

    def pause(self, attempt: int, error: DeckError) -> float | None:
        """Seconds to wait after the failed ``attempt`` (from 1); None: give up."""
        if attempt >= self.attempts or not isinstance(error, Unreachable):
            return None
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.longest else None
        return float(self.base * 2.0 ** (attempt - 1) * random.uniform(0.8, 1.2))  # noqa: S311


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A short answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    challenges: tuple[str, ...] = ()
    """Its ``WWW-Authenticate`` headers."""


class Transport:
    """One HTTP client session; an async context manager that closes it."""

    def __init__(
        self,
        *,
        plain_http: bool = False,
        patience: Patience | None = None,
        trust: Trust | None = None,
    ) -> None:
        self.patience = patience or Patience()
        self._plain_http = plain_http
        self._trust = trust or Trust()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # auto_decompress: what is hashed is what was sent, also when a server
        # labels a .tar.gz with Content-Encoding
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=_READ_BUFFER,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self.patience.connect, sock_read=self.patience.silence
            ),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session:
            await self._session.close()

    @asynccontextmanager
    async def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, authorization: str = ""
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """:meth:`request` with GET."""
        async with self.request("GET", url, headers=headers, authorization=authorization) as got:
            yield got

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        authorization: str = "",
        body: Body | None = None,
        secret: bool = False,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request, redirects followed, whatever the status; the answer is still to be read.

        ``secret``: the body is for that host alone.

        Raises:
            InvalidInput: plain HTTP where it is not allowed.
            Hostile: a redirect that must not be followed.
            Unreachable: no usable connection, or nobody takes the body; says why.
        """
        sent = {"Accept-Encoding": "identity", "User-Agent": "distrodeck", **(headers or {})}
        if authorization:
            sent["Authorization"] = authorization
        first = url
        self._check_scheme(url)
        followed = _REDIRECTS if body is None else _SAME_AGAIN
        for _ in range(_MOST_REDIRECTS):
            response = await self._send(method, url, sent, body)
            try:
                if response.status not in followed or "Location" not in response.headers:
                    yield response
                    return
                following = urljoin(url, response.headers["Location"])
            finally:
                if response.content.at_eof():
                    response.release()
                else:
                    response.close()
            self.check_following(first, url, following)
            if not same_origin(following, url):
                if secret:
                    raise Hostile(host_of(first), f"wants a secret sent to {host_of(following)}")
                sent.pop("Authorization", None)
            url = following
        raise Hostile(host_of(first), f"more than {_MOST_REDIRECTS} redirects")

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: Body | None
    ) -> aiohttp.ClientResponse:
        assert self._session, "not entered"  # noqa: S101
        loop = asyncio.get_running_loop()
        stuck, waiting = asyncio.timeout(None), True

        async def watched(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
            # a piece is asked for when the one before it went out
            async for piece in pieces:
                if waiting:
                    stuck.reschedule(loop.time() + self.patience.silence)
                yield piece
            if waiting:
                stuck.reschedule(None)

        data = body() if callable(body) else body
        try:
            async with stuck:
                return await self._session.request(
                    method,
                    URL(url, encoded=True),
                    headers=headers,
                    data=data if data is None or isinstance(data, bytes) else watched(data),
                    allow_redirects=False,
                    proxy=_proxy(url),
                    ssl=self._trust.context(url),
                )
        except TimeoutError as error:
            if not stuck.expired():
                raise explain(url, error) from error
            raise Lost(host_of(url), "takes nothing more", hint="try again") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise explain(url, error) from error
        finally:
            waiting = False  # an answer may come before the whole body went out

    async def fetch(
        self,
        url: str,
        *,
        cap: int,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        authorization: str = "",
        body: bytes | None = None,
        secret: bool = False,
    ) -> Answer:
        """A short answer, read whole, with retries; any status that is not a passing one.

        ``secret`` as for :meth:`request`.

        Raises:
            Unreachable: after the last attempt.
            Hostile: it is longer than ``cap`` bytes.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                async with (
                    asyncio.timeout(self.patience.connect + self.patience.silence),
                    self.request(
                        method,
                        url,
                        headers=headers,
                        authorization=authorization,
                        body=body,
                        secret=secret,
                    ) as response,
                ):
                    return await _read_answer(response, cap, url)
            except TimeoutError:
                error: Unreachable = Unreachable(host_of(url), "answers too slowly")
            except Final:
                raise
            except Unreachable as caught:
                error = caught
            pause = self.patience.pause(attempt, error)
            if pause is None:
                raise error
            await asyncio.sleep(pause)

    async def chunks(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        """The body as it comes.

        Raises:
            Unreachable: cut, silent, or slower than :attr:`Patience.slowest` for a while.
        """
        url = str(response.url)
        started, seen = time.monotonic(), 0
        try:
            async for chunk in response.content.iter_any():
                yield chunk
                seen += len(chunk)
                spent = time.monotonic() - started
                if spent >= self.patience.silence:
                    if seen < spent * self.patience.slowest:
                        raise Unreachable(host_of(url), "sends next to nothing")
                    started, seen = time.monotonic(), 0
        except (aiohttp.ClientError, OSError) as error:
            raise explain(url, error) from error

    def _check_scheme(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.hostname:
            return
        if parts.scheme != "http" or not parts.hostname:
            raise InvalidInput(clean(url, 200), "no http or https address")
        if not (self._plain_http or is_loopback(parts.hostname)):
            raise InvalidInput(
                host_of(url), "plain http is for loopback addresses", hint="use https"
            )

    def check_following(self, first: str, url: str, following: str) -> None:
        """Whether a server at ``url``, to which ``first`` led, may send us on to ``following``.

        Raises:
            Hostile: from TLS to plain HTTP, or from elsewhere to this machine.
            InvalidInput: plain HTTP where it is not allowed.
        """
        of, parts = host_of(first), urlsplit(following)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Hostile(of, f"redirects to {clean(following, 100)}")
        if parts.scheme == "http" and urlsplit(url).scheme == "https":
            raise Hostile(of, f"redirects from https to plain http at {parts.hostname}")
        if is_loopback(parts.hostname) and not is_loopback(urlsplit(first).hostname or ""):
            raise Hostile(of, "redirects to this machine")
        self._check_scheme(following)


async def _read_answer(response: aiohttp.ClientResponse, cap: int, url: str) -> Answer:
    """The answer, read whole; a passing refusal is raised."""
    body = await _read_capped(response, cap, url)
    if response.status in PASSING:
        raise refusal(url, response.status, response.headers, body)
    return Answer(
        status=response.status,
        headers=response.headers,
        body=body,
        challenges=challenges_of(response),
    )


def challenges_of(response: aiohttp.ClientResponse) -> tuple[str, ...]:
    """The ``WWW-Authenticate`` headers."""
    return tuple(response.headers.getall("WWW-Authenticate", ()))


async def _read_capped(response: aiohttp.ClientResponse, cap: int, url: str) -> bytes:
    body = bytearray()
    try:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > cap:
                raise Hostile(host_of(url), f"answers with more than {cap >> 10} KiB")
    except (aiohttp.ClientError, OSError) as error:
        raise explain(url, error) from error
    return bytes(body)


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs are of one scheme, host and port."""
    return _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for ``url`` (``https_proxy``, ``no_proxy``, …).

    Not aiohttp's ``trust_env``: that also sends passwords from ``.netrc``.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")
