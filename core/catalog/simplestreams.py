"""Read the image lists of simplestreams servers (images.linuxcontainers.org and its mirrors).

Simplestreams ``index:1.0`` and ``products:1.0`` as Incus and LXD publish them. Of each product the
newest version with a root tarball is offered; squashfs images are not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import msgspec

from core.catalog.wire import (
    TITLE_LIMIT,
    VERSION_LIMIT,
    Document,
    Get,
    architecture_of,
    checksum_of,
    decode,
    is_name,
    is_trusted,
    keep,
)
from core.domain import CatalogEntry
from core.errors import Hostile
from core.text import clean
from core.urls import join_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config import SourceSettings

INDEX = "streams/v1/index.json"
STREAM_LIMIT = 16
"""Product lists read of one server; the known ones have one."""

_ROOT = "root.tar.xz"

_Size = Annotated[int, msgspec.Meta(ge=0, le=1 << 50)]


class _Stream(msgspec.Struct):
    path: str
    datatype: str = "image-downloads"
    format: str = "products:1.0"


class _Index(msgspec.Struct):
    index: dict[str, _Stream]


class _Item(msgspec.Struct):
    ftype: str = ""
    path: str = ""
    sha256: str = ""
    size: _Size | None = None


class _Version(msgspec.Struct):
    items: dict[str, _Item] = {}


class _Product(msgspec.Struct):
    aliases: str = ""
    arch: str = ""
    os: str = ""
    release: str = ""
    release_title: str = ""
    version: str = ""
    variant: str = "default"
    versions: dict[str, _Version] = {}


class _Products(msgspec.Struct):
    products: dict[str, _Product]


async def read(source: SourceSettings, get: Get, architecture: str) -> tuple[CatalogEntry, ...]:
    """What the server offers for ``architecture``. Raises: DeckError."""
    base = source.url.removesuffix(INDEX).rstrip("/") + "/"
    entries: list[CatalogEntry] = []
    for path in parse_index(await get(base + INDEX)):
        document = await get(_below(base, path, source.url))
        entries += parse_products(document, base, source.name, architecture)
    return keep(entries, source.url)


def parse_index(document: Document) -> list[str]:
    """Paths of the product lists that an index names, relative to the server's base."""
    streams = decode(document, _Index, "a simplestreams index").index.values()
    paths = [
        stream.path
        for stream in streams
        if stream.format == "products:1.0" and stream.datatype == "image-downloads"
    ]
    if len(paths) > STREAM_LIMIT:
        raise Hostile(document.url, f"names more than {STREAM_LIMIT} product lists")
    return paths


def parse_products(
    document: Document, base: str, catalog: str, architecture: str
) -> Iterator[CatalogEntry]:
    """The products of a list that have a root tarball for ``architecture``."""
    products = decode(document, _Products, "a simplestreams product list").products
    for product in products.values():
        if architecture_of(product.arch) != architecture:
            continue
        serial, item = _newest(product)
        checksum = checksum_of(item.sha256) if item else ""
        if not item or (item.sha256 and not checksum):
            continue
        url = _below(base, item.path, document.url)
        if not is_trusted(url, checksum):
            continue
        name, *aliases = _names(product)
        yield CatalogEntry(
            name=name,
            aliases=tuple(aliases),
            source=url,
            catalog=catalog,
            version=clean(product.version or product.release, VERSION_LIMIT),
            title=clean(_title(product, serial), TITLE_LIMIT),
            architecture=architecture,
            size=item.size,
            checksum=checksum,
            kind="rootfs",
        )


def _newest(product: _Product) -> tuple[str, _Item | None]:
    """The newest serial that has a root tarball; serials begin with YYYYMMDD and sort as text."""
    for serial in sorted(product.versions, reverse=True):
        for item in product.versions[serial].items.values():
            if item.ftype == _ROOT:
                return serial, item
    return "", None


def _names(product: _Product) -> list[str]:
    """Its name, then its aliases: the release's number is the name where there is one."""
    variant = "" if product.variant in ("", "default") else product.variant
    numbered, worded = (
        "/".join(filter(None, (product.os, release, variant))).replace(" ", "-").lower()
        for release in (product.version, product.release)
    )
    listed = [alias.strip().lower() for alias in product.aliases.split(",")]
    names = [alias for alias in listed if is_name(alias) and not alias.endswith("/default")]
    if numbered in names:
        names.insert(0, numbered)
    return list(dict.fromkeys(names or [worded]))


def _title(product: _Product, serial: str) -> str:
    release = product.release_title or product.release
    variant = "" if product.variant in ("", "default") else f" ({product.variant})"
    date = re.match(r"(\d{4})(\d\d)(\d\d)", serial)
    made = f", {'-'.join(date.groups())}" if date else ""
    return f"{product.os} {release}{variant}{made}"


def _below(base: str, path: str, who: str) -> str:
    try:
        return join_below(base, path)
    except ValueError as error:
        raise Hostile(who, f"path {clean(path, 80)!r} {error}") from None
