"""Turn what a catalog server sent into checked values.

Everything here is hostile until it has passed: sizes, nesting, names, URLs, checksums.
"""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from core.errors import Hostile, Unsupported
from core.urls import check_url

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.domain import CatalogEntry

T = TypeVar("T")

DOCUMENT_LIMIT = 32 << 20
"""Bytes of one answer; images.linuxcontainers.org's product list is the largest known, 3 MB."""

ENTRY_LIMIT = 20_000
"""Entries of one source; beyond that nobody reads a list."""

TITLE_LIMIT = 120
"""Characters of a title that are kept."""

VERSION_LIMIT = 60
"""Characters of a version that are kept."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._+~/-]{0,199}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?")
_SHA256 = re.compile(r"(?:0x|sha256:)?([0-9a-f]{64})", re.IGNORECASE)

_ARCHITECTURES = {
    "x86_64": "amd64",
    "x64": "amd64",
    "aarch64": "arm64",
    "armhf": "arm",
    "armv7l": "arm",
    "armel": "arm",
    "i386": "386",
    "i686": "386",
    "ppc64el": "ppc64le",
    "mipsel": "mipsle",
    "mips64el": "mips64le",
    "loongarch64": "loong64",
}
"""Other people's words for an architecture, to the OCI image specification's (GOARCH)."""

ARCHITECTURES = frozenset({*_ARCHITECTURES.values(), "riscv64", "s390x", "ppc64", "mips"})
"""What :func:`architecture_of` gives for a word that is an architecture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One answer of a catalog server."""

    url: str
    """Where it came from in the end."""
    body: bytes
    link: str = ""
    """The ``Link`` header (RFC 8288); registries page with it."""


class Get(Protocol):
    """Fetches a document, whatever the transport."""

    async def __call__(self, url: str) -> Document:
        """The document at ``url``. Raises: DeckError."""
        ...


def architecture_of(text: str) -> str:
    """The OCI word for an architecture that Debian, the kernel or a vendor names otherwise."""
    lower = text.lower()
    return _ARCHITECTURES.get(lower, lower)


def host_architecture() -> str:
    """This machine's architecture, as an OCI index names it."""
    return architecture_of(platform.machine())


def decode(document: Document, kind: type[T], what: str) -> T:
    """The JSON of ``document`` as a value of type ``kind``.

    Raises:
        Hostile: larger or deeper than any real catalog.
        Unsupported: not JSON, or not the JSON of ``what``.
    """
    if len(document.body) > DOCUMENT_LIMIT:
        raise Hostile(document.url, f"larger than {DOCUMENT_LIMIT >> 20} MiB")
    try:
        return msgspec.json.decode(document.body, type=kind)
    except RecursionError:
        raise Hostile(document.url, "nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unsupported(document.url, f"not {what}: {error}".rstrip(".")) from None


def is_name(text: str) -> bool:
    """Whether ``text`` can be the name of an entry: what a person types after ``pull``."""
    return _NAME.fullmatch(text) is not None


def checksum_of(text: str) -> str:
    """``sha256:…`` of a sum in any of the usual spellings; empty if it is none."""
    match = _SHA256.fullmatch(text.strip())
    return f"sha256:{match[1].lower()}" if match else ""


def is_trusted(url: str, checksum: str) -> bool:
    """Whether a file may be fetched from ``url``: by TLS, from this machine, or by its sum."""
    try:
        check_url(url, plain_http=bool(checksum))
    except ValueError:
        return False
    return True


def keep(entries: Iterable[CatalogEntry], source: str) -> tuple[CatalogEntry, ...]:
    """The entries whose names can be typed, each name once (the first wins), by name.

    Raises:
        Hostile: there are more than :data:`ENTRY_LIMIT`.
    """
    found: dict[str, CatalogEntry] = {}
    for entry in entries:
        # a name that nobody can type safely is no reason to hide the others
        if is_name(entry.name):
            found.setdefault(entry.name, entry)
        if len(found) > ENTRY_LIMIT:
            raise Hostile(source, f"lists more than {ENTRY_LIMIT} entries")
    return tuple(found[name] for name in sorted(found))
