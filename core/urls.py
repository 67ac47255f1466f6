"""Which URLs the engine will fetch from.

RFC 3986 for the parts, RFC 6761 for ``localhost``. Only ``https``, and plain ``http`` where nobody
is in between (a loopback address) or where the person has said so.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote, urljoin, urlsplit

URL_LIMIT = 2048
"""Longest URL taken from anybody, in characters."""

_PRINTABLE = re.compile(r"[!-~]+")


def is_loopback(host: str) -> bool:
    """Whether ``host`` (a name or address, without port) can only be this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_url(text: str, *, plain_http: bool = False) -> str:
    """``text`` itself, if it is a URL to fetch from.

    Raises:
        ValueError: says why not, in words that follow a ``:``.
    """
    if len(text) > URL_LIMIT:
        raise ValueError(f"longer than {URL_LIMIT} characters")
    if not _PRINTABLE.fullmatch(text):
        raise ValueError("a URL has no blanks, control or non-ASCII characters")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an http:// or https:// URL")
    if parts.username is not None:
        raise ValueError("holds a user name; credentials do not belong into URLs")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("the port is not a number up to 65535") from None
    if parts.scheme == "http" and not plain_http and not is_loopback(parts.hostname):
        raise ValueError("plain HTTP to another machine")
    return text


def join_below(base: str, path: str) -> str:
    """The URL of ``path`` below the folder ``base``, which ends in ``/``.

    Raises:
        ValueError: ``path`` leads elsewhere.
    """
    joined = urljoin(base, path)
    if not joined.startswith(base) or ".." in re.split(r"[/\\]", unquote(path)):
        raise ValueError(f"leads out of {base}")
    return joined
