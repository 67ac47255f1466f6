"""What the source of a distro has now, by a question that transfers next to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.domain import PullSpec
from core.errors import InvalidInput, Unsupported
from core.images.reference import parse_reference

if TYPE_CHECKING:
    from core.images.access import Access
    from core.images.reference import Reference
    from core.store.records import DistroRecord


def source_of(record: DistroRecord) -> Reference | None:
    """The tag that a distro was pulled by; None: what it came from cannot become newer."""
    if not record.repo_digest or "://" in record.url or record.url.startswith(("/", "sha256:")):
        return None
    try:
        reference = parse_reference(record.url)
    except (InvalidInput, Unsupported):
        return None
    return None if reference.digest else reference


async def newest_digest(reference: Reference, access: Access, *, hurried: bool = False) -> str:
    """The digest that a reference has at its mirrors or registry, asked as a pull asks.

    Comparable with that of :attr:`DistroRecord.repo_digest`. ``hurried``: a place that does not
    answer is soon given up.

    Raises:
        NotFound, LoginNeeded, Unreachable: from the registry.
        DeckError: credentials cannot be read.
    """
    asked = PullSpec(source=str(reference))
    async with await access.origin(reference, asked, hurried=hurried) as origin:
        return await origin.digest(reference)
