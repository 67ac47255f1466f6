"""What the source of a distro has now, by a question that transfers next to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import InvalidInput, Unsupported
from core.images.reference import parse_reference
from core.images.registry import Registry

if TYPE_CHECKING:
    from core.config import Settings
    from core.store.records import DistroRecord


async def newest_digest(record: DistroRecord, settings: Settings) -> str:
    """The digest that a distro's reference has at its registry; empty where there is none to ask.

    Comparable with that of :attr:`DistroRecord.repo_digest`.

    Raises:
        NotFound, LoginNeeded, Unreachable: from the registry.
    """
    if not record.repo_digest or "://" in record.url or record.url.startswith(("/", "sha256:")):
        return ""
    try:
        reference = parse_reference(record.url)
    except (InvalidInput, Unsupported):
        return ""
    if reference.digest:
        return reference.digest
    plain = settings.allows_plain_http(reference.registry)
    async with Registry(reference.api_host, plain_http=plain) as registry:
        return (await registry.manifest(reference)).digest
