"""The list of images, kept: most of an image never changes, and lists are asked for often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.store.images import NAMES, load_image, load_images

if TYPE_CHECKING:
    from core.domain import Image
    from core.store.index import Index

_ORDER = "SELECT digest FROM image INDEXED BY image_list WHERE trashed IS NULL ORDER BY pulled DESC"
_STATE = (
    "SELECT digest, pulled, intermediate, broken, parent FROM image INDEXED BY image_list"
    " WHERE trashed IS NULL",
    *NAMES.values(),
)
"""What may change of an image, its digest in front."""


class ImageList:
    """All images, newest first; read again only where the index has changed."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._version = -1
        self._states: list[set[tuple[Any, ...]]] = []
        self._images: dict[str, Image] = {}

    def all(self) -> list[Image]:
        """The images that were not removed, also the steps of builds."""
        version = self._index.version
        if version != self._version:
            states = [set(self._index.tuples(query)) for query in _STATE]
            if self._states:
                self._read_changed(states)
            else:
                self._images = {image.digest: image for image in load_images(self._index)}
            self._states = states
            self._version = version
        return list(self._images.values())

    def _read_changed(self, states: list[set[tuple[Any, ...]]]) -> None:
        changed = {
            row[0] for before, now in zip(self._states, states, strict=True) for row in before ^ now
        }
        for digest in changed:
            self._images.pop(digest, None)
            if image := load_image(self._index, digest):
                self._images[digest] = image
        there = self._images
        if changed:
            order = [row[0] for row in self._index.tuples(_ORDER)]
            self._images = {digest: there[digest] for digest in order if digest in there}
