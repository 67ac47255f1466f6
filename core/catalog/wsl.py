"""Read lists in the shape of WSL's ``DistributionInfo.json``.

The ``ModernDistributions`` part: flavours, each with versions that are root tarballs. The older
part names packages of the Microsoft Store, which are of no use here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from core.catalog.wire import (
    TITLE_LIMIT,
    Document,
    Get,
    checksum_of,
    decode,
    is_name,
    is_trusted,
    keep,
)
from core.domain import CatalogEntry
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config import SourceSettings


class _File(msgspec.Struct, rename="pascal"):
    url: str
    sha256: str = ""


class _Distribution(msgspec.Struct, rename="pascal"):
    name: str
    friendly_name: str = ""
    default: bool = False
    amd64_url: _File | None = None
    arm64_url: _File | None = None


class _List(msgspec.Struct, rename="pascal"):
    modern_distributions: dict[str, list[_Distribution]]


async def read(source: SourceSettings, get: Get, architecture: str) -> tuple[CatalogEntry, ...]:
    """What the list offers for ``architecture``. Raises: DeckError."""
    document = await get(source.url)
    return keep(parse_list(document, source.name, architecture), source.url)


def parse_list(document: Document, catalog: str, architecture: str) -> Iterator[CatalogEntry]:
    """The distributions of a list that have a file for ``architecture``.

    A flavour's own name stands for its default version (``ubuntu`` for ``ubuntu-24.04``).
    """
    listed = decode(document, _List, "a list of WSL distributions").modern_distributions
    for flavour, distributions in listed.items():
        for distribution in distributions:
            file = {"amd64": distribution.amd64_url, "arm64": distribution.arm64_url}.get(
                architecture
            )
            checksum = checksum_of(file.sha256) if file else ""
            if not file or (file.sha256 and not checksum) or not is_trusted(file.url, checksum):
                continue
            name = distribution.name.lower()
            alias = flavour.lower() if distribution.default else name
            version = re.search(r"-(\d[\d.]*)$", name)
            yield CatalogEntry(
                name=name,
                aliases=(alias,) if alias != name and is_name(alias) else (),
                source=file.url,
                catalog=catalog,
                version=version[1] if version else "",
                title=clean(distribution.friendly_name, TITLE_LIMIT),
                architecture=architecture,
                checksum=checksum,
                kind="rootfs",
            )
