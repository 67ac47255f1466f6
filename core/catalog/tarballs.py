"""Read folders of root tarballs with a ``SHA256SUMS`` beside them.

The file is what coreutils' ``sha256sum`` writes: ``<hex>  name``, or ``<hex> *name``.
"""

from __future__ import annotations

import asyncio
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from core.catalog.wire import (
    ARCHITECTURES,
    DOCUMENT_LIMIT,
    Document,
    Get,
    architecture_of,
    keep,
)
from core.domain import CatalogEntry
from core.errors import Hostile, NotFound, Refused, Unsupported
from core.text import clean
from core.urls import join_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config import SourceSettings

SUMS = "SHA256SUMS"

SUFFIXES = (".tar.zst", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tar", ".wsl")
"""What a root tarball's name ends in, the quickest to unpack first."""

_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")


async def read(source: SourceSettings, get: Get, architecture: str) -> tuple[CatalogEntry, ...]:
    """The tarballs of the folder for ``architecture``, each once. Raises: DeckError."""
    base = source.url.removesuffix(SUMS).rstrip("/") + "/"
    local = base.startswith("/")
    document = await (asyncio.to_thread(_read_file, base + SUMS) if local else get(base + SUMS))
    return keep(parse_sums(document, base, source.name, architecture), source.url)


def parse_sums(
    document: Document, base: str, catalog: str, architecture: str
) -> Iterator[CatalogEntry]:
    """The tarballs that a ``SHA256SUMS`` lists; of one tree packed several ways, the quickest.

    ``debian-12-amd64.tar.xz`` is ``debian-12``; a name without an architecture is taken to be
    for this one.

    Raises:
        Unsupported: no line of it is a checksum and a name.
        Hostile: a name leads out of the folder.
    """
    lines = document.body.decode(errors="replace").splitlines()
    listed = [(match[2], match[1].lower()) for match in map(_LINE.fullmatch, lines) if match]
    if lines and not listed:
        raise Unsupported(document.url, f"not a {SUMS}: no line is a checksum and a name")
    ranked = sorted(
        (SUFFIXES.index(suffix), file, checksum, suffix)
        for file, checksum in listed
        if (suffix := _suffix(file))
    )
    for _, file, checksum, suffix in ranked:
        stem = posixpath.basename(file).removesuffix(suffix).lower()
        name, found = _split_architecture(stem)
        if found in ("", architecture):
            version = re.search(r"[-_](\d[\w.]*)$", name)
            yield CatalogEntry(
                name=name,
                source=_below(base, file, document.url),
                catalog=catalog,
                version=version[1] if version else "",
                title=clean(posixpath.basename(file)),
                architecture=architecture if found else "",
                checksum=f"sha256:{checksum}",
                kind="rootfs",
            )


def _suffix(file: str) -> str:
    return next((suffix for suffix in SUFFIXES if file.lower().endswith(suffix)), "")


def _split_architecture(stem: str) -> tuple[str, str]:
    """``debian-12-amd64`` is ``debian-12`` for ``amd64``."""
    # x86_64 holds the separator
    words = re.split(r"[-_.]", stem.replace("x86_64", "amd64"))
    for word in words:
        if (found := architecture_of(word)) in ARCHITECTURES:
            name = re.sub(rf"[-_.]?\b{re.escape(word)}\b", "", stem.replace("x86_64", "amd64"))
            return name.strip("-_.") or stem, found
    return stem, ""


def _below(base: str, file: str, who: str) -> str:
    try:
        if not base.startswith("/"):
            return join_below(base, quote(file))
        path = posixpath.normpath(base + file)
        if not path.startswith(base):
            raise ValueError(f"leads out of {base}")
    except ValueError as error:
        raise Hostile(who, f"name {clean(file, 80)!r} {error}") from None
    return path


def _read_file(path: str) -> Document:
    try:
        with Path(path).open("rb") as file:
            body = file.read(DOCUMENT_LIMIT + 1)
    except FileNotFoundError:
        raise NotFound(path, "no such file") from None
    except OSError as error:
        raise Refused(path, (error.strerror or str(error)).lower()) from None
    if len(body) > DOCUMENT_LIMIT:
        raise Hostile(path, f"larger than {DOCUMENT_LIMIT >> 20} MiB")
    return Document(url=path, body=body)
