"""What went wrong between us and a server, in plain words.

RFC 9110 for statuses and ``Retry-After``. Errors name the host and never a path or query, which
may hold secrets.
"""

from __future__ import annotations

import email.utils
import errno
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from core.errors import DeckError, LoginNeeded, NotFound, Unreachable
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that another try may not meet."""


class Final(Unreachable):
    """An :class:`Unreachable` that another try within seconds would not change."""


class Lost(Unreachable):
    """A connection that was there and broke off."""


def host_of(url: str) -> str:
    """``host[:port]`` of a URL: what errors name, since paths and queries may hold secrets."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the server"
    host = parts.hostname or "the server"
    return clean(f"[{host}]{port}" if ":" in host else f"{host}{port}", 255)


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
    kind = Unreachable if status in PASSING else Final
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
            hint=f"put its authority into /etc/containers/certs.d/{of}/ca.crt,"
            " or name it in SSL_CERT_FILE, then distrodeck serve --stop",
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
