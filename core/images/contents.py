"""The files of images and distros in the store: list, read, copy out, compare, count.

The trees belong to whoever the id mapping says, so another process reads them
(:mod:`core.layers.reading`); what is read is leased, so that nothing removes it meanwhile.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from core.errors import Conflict, InvalidInput, NotFound
from core.images.find import find_image
from core.layers.reading import open_look, run_look
from core.store.images import layer_trees
from core.text import clean
from core.verbs.contents import (
    Extracted,
    FileChange,
    FileEntry,
    ImageWaste,
    LayerWaste,
    WastedFile,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.domain import Image
    from core.store.records import DistroRecord
    from core.store.store import Store
    from core.verbs.contents import ExtractSpec, FilesSpec

T = TypeVar("T")

_SHORTEST_PREFIX = 4
_HOST_ROOT = Path("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What a name stands for."""

    name: str
    image: Image | None
    """None: a distro on this host's own root."""
    layers: tuple[Path, ...]
    """Lowest first."""
    own: Path | None = None
    """The distro's writable layer."""

    @property
    def roots(self) -> tuple[Path, ...]:
        """All of it, lowest first."""
        return self.layers if self.own is None else (*self.layers, self.own)

    def number_of(self, layer: str) -> int:
        """The number of the layer that a person means, 1 the lowest.

        Raises:
            NotFound: there is none.
            Conflict: several begin so.
        """
        most = len(self.roots)
        hint = f"distrodeck history {self.name} shows them; or a number, 1 to {most}"
        if layer.isascii() and layer.isdigit() and len(layer) < _SHORTEST_PREFIX:
            if 1 <= int(layer) <= most:
                return int(layer)
            raise NotFound(f"layer {layer}", f"{self.name} has {most}", hint=hint)
        start = layer.removeprefix("sha256:").lower()
        known = self.image.layers if self.image else ()
        found = {
            number
            for number, one in enumerate(known, 1)
            if len(start) >= _SHORTEST_PREFIX
            and (one.digest[7:].startswith(start) or one.diff_id[7:].startswith(start))
        }
        if len({known[number - 1].diff_id for number in found}) > 1:
            raise Conflict(f"layer {layer}", f"{len(found)} begin so", hint="give more of it")
        if not found:
            raise NotFound(f"layer {clean(layer, 80)}", f"not one of {self.name}", hint=hint)
        return max(found)


def find_tree(store: Store, name: str, record: DistroRecord | None) -> Tree:
    """The tree of a distro, if ``record`` is one, else of the image that is called ``name``.

    Raises:
        NotFound: nothing has that name.
        Conflict: several digests begin so.
    """
    if record is None:
        image = find_image(store, name)
        return Tree(name=name, image=image, layers=_layers(store, image))
    if not record.image_digest:
        return Tree(name=record.name, image=None, layers=(), own=record.upper)
    image = store.image(record.image_digest)
    return Tree(name=record.name, image=image, layers=_layers(store, image), own=record.upper)


def _layers(store: Store, image: Image) -> tuple[Path, ...]:
    return tuple(layer_trees(store.index, store.layout, image.digest))


@asynccontextmanager
async def _held(store: Store, *trees: Tree) -> AsyncIterator[None]:
    """While inside, the images of the trees stay."""
    digests = {tree.image.digest for tree in trees if tree.image}
    async with store.lease() as lease:
        await store.intake.hold(lease, digests)
        for digest in digests:
            store.image(digest)
        yield


def _request(verb: str, tree: Tree, spec: FilesSpec | ExtractSpec) -> dict[str, Any]:
    if not spec.path or "\0" in spec.path:
        raise InvalidInput("path", "empty or impossible", hint="name a path from /")
    roots = tree.roots
    numbers = list(range(1, len(roots) + 1))
    if spec.layer:
        numbers = numbers[: tree.number_of(spec.layer)]
    kept = [number for number in numbers if roots[number - 1] not in roots[number : len(numbers)]]
    return {
        "verb": verb,
        "roots": [str(roots[number - 1]) for number in kept],
        "numbers": kept,
        "alone": bool(spec.layer),
        "path": spec.path,
    }


@asynccontextmanager
async def open_files(
    store: Store, tree: Tree, spec: FilesSpec
) -> AsyncIterator[AsyncIterator[tuple[FileEntry, ...]]]:
    """See :meth:`core.verbs.contents.Contents.files`."""
    request = {**_request("list", tree, spec), "recursive": spec.recursive}
    async with _looked(store, request, FileEntry, tree) as pieces:
        yield pieces


@asynccontextmanager
async def open_bytes(
    store: Store, verb: str, tree: Tree, spec: FilesSpec
) -> AsyncIterator[AsyncIterator[bytes]]:
    """A file (``read``) or an archive (``pack``) as it comes."""
    async with (
        _held(store, tree),
        open_look(_request(verb, tree, spec), enter=store.reading) as look,
    ):
        yield look.pieces()


async def extract(store: Store, tree: Tree, spec: ExtractSpec) -> Extracted:
    """See :meth:`core.verbs.contents.Contents.extract`."""
    if not spec.to.startswith("/") or "\0" in spec.to:
        raise InvalidInput(clean(spec.to, 200), "not an absolute path", hint="name a folder")
    request = {**_request("extract", tree, spec), "to": spec.to, "force": spec.force}
    async with _held(store, tree):
        done = await run_look(request, enter=store.reading)
    return msgspec.convert(done, Extracted)


@asynccontextmanager
async def open_diff(
    store: Store, old: Tree, new: Tree
) -> AsyncIterator[AsyncIterator[tuple[FileChange, ...]]]:
    """What differs between two trees; see :meth:`core.verbs.contents.Contents.diff`."""
    host = not (old.image and new.image)
    request = {
        "verb": "diff",
        "old": _stack(old, host=host),
        "new": _stack(new, host=host),
        "locked": host,
    }
    async with _looked(store, request, FileChange, old, new) as pieces:
        yield pieces


def without_changes(tree: Tree) -> Tree:
    """The same without the distro's writable layer."""
    return Tree(name=tree.name, image=tree.image, layers=tree.layers)


def _stack(tree: Tree, *, host: bool) -> list[str]:
    roots = tree.roots
    kept = [str(root) for at, root in enumerate(roots) if root not in roots[at + 1 :]]
    return [str(_HOST_ROOT), *kept] if host and not tree.image else kept


@asynccontextmanager
async def _looked(
    store: Store, request: dict[str, Any], kind: type[T], *trees: Tree
) -> AsyncIterator[AsyncIterator[tuple[T, ...]]]:
    decoder = msgspec.json.Decoder(tuple[kind, ...])  # type: ignore[valid-type]

    async def values(pieces: AsyncIterator[bytes]) -> AsyncIterator[tuple[T, ...]]:
        async for piece in pieces:
            yield decoder.decode(piece)

    async with _held(store, *trees), open_look(request, enter=store.reading) as look:
        yield values(look.pieces())


async def count_waste(store: Store, tree: Tree) -> ImageWaste:
    """See :meth:`core.verbs.contents.Contents.waste`."""
    image = tree.image
    if image is None:
        raise InvalidInput(tree.name, "this host's own root has no layers", hint="name an image")
    # Only the highest of a layer's places counts: it is there once.
    places = {root: number for number, root in enumerate(tree.layers)}
    roots = sorted(places, key=lambda root: places[root])
    async with _held(store, tree):
        request = {"verb": "waste", "roots": [str(root) for root in roots]}
        done = await run_look(request, enter=store.reading)
    rows = zip(roots, done["sizes"][::-1], done["wasted"][::-1], strict=True)
    layers = tuple(
        LayerWaste(
            number=places[root] + 1,
            digest=image.layers[places[root]].digest,
            size=size,
            wasted=wasted,
        )
        for root, size, wasted in rows
    )
    return ImageWaste(
        image=image.digest,
        layers=layers,
        size=sum(layer.size for layer in layers),
        wasted=sum(layer.wasted for layer in layers),
        files=msgspec.convert(done["files"], tuple[WastedFile, ...]),
    )
