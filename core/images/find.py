"""Find an image in the store by what a person calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import InvalidInput, NotFound, Unsupported
from core.images.reference import parse_reference

if TYPE_CHECKING:
    from core.domain import Image
    from core.store.store import Store


def find_image(store: Store, name: str) -> Image:
    """By distro name, reference (shortened or not), repository digest, digest or its beginning.

    Raises:
        NotFound: nothing has that name.
        Conflict: several digests begin so.
    """
    try:
        return store.find_image(name)
    except NotFound as error:
        try:
            reference = parse_reference(name)
        except (InvalidInput, Unsupported):
            raise error from None
        full = f"{reference.name}@{reference.digest}" if reference.digest else str(reference)
        try:
            return store.find_image(full)
        except NotFound:
            raise error from None


def find_named(store: Store, name: str) -> tuple[Image, str]:
    """An image that is no distro's, and the reference it was named by, in full.

    The reference is empty where a digest, or its beginning, named it.

    Raises:
        NotFound, Conflict: as :func:`find_image`.
    """
    try:
        parsed = parse_reference(name)
    except (InvalidInput, Unsupported):
        return store.find_image(name, distros=False), ""
    if not parsed.digest and (image := store.referred(str(parsed))):
        return image, str(parsed)
    if parsed.digest:
        name = f"{parsed.name}@{parsed.digest}"
    return store.find_image(name, distros=False), ""
