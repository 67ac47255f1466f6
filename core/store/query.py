"""Which images a list shows: the filters of ``images --filter KEY=VALUE``."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Set

    from core.domain import Image
    from core.store.layout import Layout
    from core.verbs.storage import ImageQuery

FILTERS = ("reference", "dangling", "before", "since", "label")


def choose_images(
    images: list[Image], query: ImageQuery, find: Callable[[str], Image], layout: Layout
) -> list[Image]:
    """Those of ``images`` that the filters let through; blocks where labels are asked for.

    ``find`` gives the image that ``before`` and ``since`` name.

    Raises:
        InvalidInput: an unknown key, or a value that cannot be.
        NotFound: of ``find``.
    """
    named = {name for image in images if image.references for name in image.repo_digests}
    patterns = [value for key, value in query.filters if key == "reference"]
    if patterns:
        images = [image for image in images if any(_fits(image, one) for one in patterns)]
    for key, value in query.filters:
        if key == "dangling":
            wanted = _truth(key, value)
            images = [image for image in images if is_dangling(image, named) == wanted]
        elif key == "before":
            limit = _made(find(value))
            images = [image for image in images if _made(image) < limit]
        elif key == "since":
            limit = _made(find(value))
            images = [image for image in images if _made(image) > limit]
        elif key == "label":
            name, equals, text = value.partition("=")
            images = [
                image
                for image in images
                if name in (labels := _labels(image, layout))
                and (not equals or labels[name] == text)
            ]
        elif key != "reference":
            raise InvalidInput(f"filter {key}", "unknown", hint=f"there is {', '.join(FILTERS)}")
    return images


def is_dangling(image: Image, named: Set[str] = frozenset()) -> bool:
    """Whether nothing leads to it: no name, no distro, and not kept for a build.

    ``named`` are the repository digests of images with a name: what came for another platform
    from the same index is not lost.
    """
    known = image.references or image.distros or not named.isdisjoint(image.repo_digests)
    return not (known or image.intermediate)


def _fits(image: Image, pattern: str) -> bool:
    """Whether a pattern fits a reference, or an end of it that begins at a slash.

    Without a tag in the pattern any tag fits.
    """
    tagged = ":" in pattern.rpartition("/")[2]
    for reference in (*image.references, *image.repo_digests):
        name = reference
        if not tagged and "@" not in pattern:
            name = reference.partition("@")[0]
            head, slash, last = name.rpartition("/")
            name = head + slash + last.partition(":")[0]
        while name:
            if fnmatchcase(name, pattern):
                return True
            name = name.partition("/")[2]
    return False


def _truth(key: str, value: str) -> bool:
    if value.lower() not in ("true", "false", "1", "0"):
        raise InvalidInput(f"filter {key}", f"{value!r} is neither true nor false")
    return value.lower() in ("true", "1")


def _made(image: Image) -> float:
    return image.created or image.pulled


def _labels(image: Image, layout: Layout) -> dict[str, str]:
    try:
        config = json.loads(layout.blob(image.config_digest).read_bytes())
        labels = config["config"]["Labels"]
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    return labels if isinstance(labels, dict) else {}
