"""HTTP as registries and download servers need it: redirects, retries and errors in plain words.

RFC 9110 for redirects, ``Range`` and ``Retry-After``. Credentials go to the host they were meant
for and are dropped at the first redirect to another one. Plain HTTP is for loopback addresses,
unless the caller allowed it.
"""

from __future__ import annotations

import asyncio
import email.utils
import errno
import functools
import ipaddress
import os
import random
import ssl
import time
import urllib.request
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from core.errors import DeckError, Hostile, InvalidInput, LoginNeeded, NotFound, Unreachable
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
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


class Final(Unreachable):
    """An :class:`Unreachable` that another try within seconds would not change."""


class Lost(Unreachable):
    """A connection that was there and broke off."""


class Transport:
    """One HTTP client session; an async context manager that closes it."""

    def __init__(self, *, plain_http: bool = False, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self._plain_http = plain_http
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
        """One GET, redirects followed, whatever the status; the body is still to be read.

        Raises:
            InvalidInput: plain HTTP where it is not allowed.
            Hostile: a redirect that must not be followed.
            Unreachable: no usable connection; says why.
        """
        assert self._session, "not entered"  # noqa: S101
        sent = {"Accept-Encoding": "identity", "User-Agent": "distrodeck", **(headers or {})}
        if authorization:
            sent["Authorization"] = authorization
        first = url
        self._check_scheme(url)
        for _ in range(_MOST_REDIRECTS):
            try:
                response = await self._session.get(
                    URL(url, encoded=True),
                    headers=sent,
                    allow_redirects=False,
                    proxy=_proxy(url),
                    ssl=_trust(url),
                )
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise explain(url, error) from error
            try:
                if response.status not in _REDIRECTS or "Location" not in response.headers:
                    yield response
                    return
                following = urljoin(url, response.headers["Location"])
            finally:
                if response.content.at_eof():
                    response.release()
                else:
                    response.close()
            self._check_redirect(first, url, following)
            if _origin(following) != _origin(url):
                sent.pop("Authorization", None)
            url = following
        raise Hostile(host_of(first), f"more than {_MOST_REDIRECTS} redirects")

    async def fetch(
        self,
        url: str,
        *,
        cap: int,
        headers: Mapping[str, str] | None = None,
        authorization: str = "",
    ) -> Answer:
        """A short answer, read whole, with retries; any status that is not a passing one.

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
                    self.get(url, headers=headers, authorization=authorization) as response,
                ):
                    body = await _read_capped(response, cap, url)
                    if response.status in _PASSING:
                        raise refusal(url, response.status, response.headers, body)
                    return Answer(
                        status=response.status,
                        headers=response.headers,
                        body=body,
                        challenges=tuple(response.headers.getall("WWW-Authenticate", ())),
                    )
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

    def _check_redirect(self, first: str, url: str, following: str) -> None:
        of, parts = host_of(first), urlsplit(following)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Hostile(of, f"redirects to {clean(following, 100)}")
        if parts.scheme == "http" and urlsplit(url).scheme == "https":
            raise Hostile(of, f"redirects from https to plain http at {parts.hostname}")
        if is_loopback(parts.hostname) and not is_loopback(urlsplit(first).hostname or ""):
            raise Hostile(of, "redirects to this machine")
        self._check_scheme(following)


def host_of(url: str) -> str:
    """``host[:port]`` of a URL: what errors name, since paths and queries may hold secrets."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the server"
    host = parts.hostname or "the server"
    return clean(f"[{host}]{port}" if ":" in host else f"{host}{port}", 255)


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refusal(
    what: str, status: int, headers: Mapping[str, str], body: bytes = b"", *, detail: str = ""
) -> DeckError:
    """The error for a status that is no success; ``what`` may be a URL."""
    what = host_of(what) if "://" in what else what
    detail = detail or clean(body[:200].decode("utf-8", "replace").strip(), 200)
    if status in (401, 403):
        return LoginNeeded(what, detail if status == 403 and detail else f"refused ({status})")
    if status in (404, 410):
        return NotFound(what, "nothing there", hint="check the address")
    wait = _retry_after(headers.get("Retry-After", ""))
    if status == 429:
        hint = f"try again in {wait:.0f} s" if wait else "try again in a while, or log in"
        return Unreachable(what, "too many requests (429)", hint=hint, retry_after=wait)
    kind = Unreachable if status in _PASSING else Final
    return kind(what, f"answered {status}", hint="try again in a while", retry_after=wait)


def explain(url: str, error: Exception) -> Unreachable:
    """A failed connection in plain words."""
    of = host_of(url)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Final(of, "no such host", hint="check the name, and the network")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        inner = error.certificate_error
        why = getattr(inner, "verify_message", "") or "not valid"
        return Final(
            of,
            f"certificate not trusted: {clean(why, 120)}",
            hint="name its authority in SSL_CERT_FILE, then distrodeck serve --stop",
        )
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return Final(
            of,
            "does not speak TLS as expected",
            hint="check the address, and whether it is plain http",
        )
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return Final(of, "not a usable address")
    if isinstance(error, TimeoutError):
        return Unreachable(of, "no answer", hint="check the network, and a proxy if there is one")
    inner = getattr(error, "os_error", error)
    number = getattr(inner, "errno", None)
    if number == errno.ECONNREFUSED:
        return Final(of, "connection refused", hint="check that it runs, and the port")
    if number in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return Final(of, "no route to it", hint="check the network")
    return Lost(of, "connection lost", hint="try again")


def _retry_after(value: str) -> float | None:
    """Seconds, from either form of the header."""
    if value.isascii() and value.isdigit():
        return float(min(int(value[:9]), 86400))
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return min(max(moment.timestamp() - time.time(), 0.0), 86400.0)


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


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


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


def _trust(url: str) -> ssl.SSLContext | bool:
    """The authorities to trust, those of ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` among them."""
    if not url.startswith("https:"):
        return True
    return _context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.lru_cache(maxsize=4)
def _context(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """Reading the authorities takes 20 ms: once for each value of the variables."""
    return ssl.create_default_context()
