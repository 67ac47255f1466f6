"""Which certificate authorities to trust for a registry, and which certificate to show it.

containers-certs.d(5): ``certs.d/HOST[:PORT]/`` holds authorities as ``*.crt`` and client
certificates as ``*.cert`` with a ``*.key`` beside each. Besides those OpenSSL's own,
``SSL_CERT_FILE`` and ``SSL_CERT_DIR``.
"""

from __future__ import annotations

import functools
import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM_FOLDERS = (Path("/etc/containers/certs.d"), Path("/etc/docker/certs.d"))
_HTTPS = 443


class Trust:
    """Makes the TLS contexts of one engine."""

    def __init__(self, authorities: Mapping[str, Path] | None = None) -> None:
        """``authorities``: a file of certificates for each ``host[:port]`` of the settings."""
        self._authorities = dict(authorities or {})

    def context(self, url: str) -> ssl.SSLContext | bool:
        """The context for ``url``; True where there is no TLS.

        Raises:
            InvalidInput: a certificate cannot be read.
        """
        parts = urlsplit(url)
        if parts.scheme != "https":
            return True
        files: list[Path] = []
        for host in _spellings(parts.hostname or "", parts.port):
            if authority := self._authorities.get(host):
                files.append(authority)
            for folder in _folders():
                files += _certificates(folder / host)
        found = tuple(dict.fromkeys((str(path), _changed(path)) for path in files))
        return _context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"), found)


def _spellings(host: str, port: int | None) -> tuple[str, ...]:
    shown = f"[{host}]" if ":" in host else host
    return (f"{shown}:{port or _HTTPS}", shown) if port in (None, _HTTPS) else (f"{shown}:{port}",)


def _folders() -> tuple[Path, ...]:
    base = os.environ.get("XDG_CONFIG_HOME", "")
    own = Path(base) if base.startswith("/") else Path("~/.config").expanduser()
    return (own / "containers" / "certs.d", *SYSTEM_FOLDERS)


def _certificates(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in (".crt", ".cert"))
    except OSError:
        return []


def _changed(path: Path) -> int:
    """When a file was changed last, so that a new certificate counts at once."""
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise _unreadable(path, error) from None


@functools.lru_cache(maxsize=16)
def _context(
    _file: str | None, _folder: str | None, certificates: tuple[tuple[str, int], ...]
) -> ssl.SSLContext:
    """Reading the authorities takes 20 ms: once for each set of them."""
    context = ssl.create_default_context()
    for name, _ in certificates:
        path = Path(name)
        try:
            if path.suffix == ".cert":
                context.load_cert_chain(path, path.with_suffix(".key"))
            else:
                context.load_verify_locations(path)
        except (OSError, ssl.SSLError) as error:
            raise _unreadable(path, error) from None
    return context


def _unreadable(path: Path, error: Exception) -> InvalidInput:
    why = getattr(error, "strerror", None) if not isinstance(error, ssl.SSLError) else None
    return InvalidInput(
        str(path),
        (why or "not a certificate in PEM form").lower(),
        hint="put it right, or take it away",
    )
