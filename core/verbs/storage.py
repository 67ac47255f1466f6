"""Names of images, what is removed and how it comes back, and the care of the store.

Verbs that ``podman tag``, ``untag``, ``rmi``, ``system df`` and ``system prune`` made known; what
is removed can be undone for a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from core.domain import Image

TrashKind = Literal["distro", "image", "reference"]
WasteKind = Literal["trash", "image", "build cache", "layer", "blob", "partial"]
ProblemKind = Literal["index", "image", "layer", "blob", "distro", "snapshot", "orphan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageQuery:
    """Which images to list."""

    all: bool = False
    """Also the steps of builds."""
    filters: tuple[tuple[str, str], ...] = ()
    """Key and value: ``reference`` (a pattern), ``dangling`` (true or false), ``before`` and
    ``since`` (an image), ``label`` (``KEY`` or ``KEY=VALUE``). Of several references one has to
    fit, of all else everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What became of a name or an image."""

    untagged: tuple[str, ...] = ()
    """References that are gone."""
    deleted: tuple[str, ...] = ()
    """Digests of the images that are gone, the one named first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trashed:
    """Something removed that can come back."""

    id: str
    what: TrashKind
    name: str
    """The distro's name, the reference, or the image's digest."""
    removed: float
    until: float
    """From then on it is deleted."""
    size: int = 0
    """Bytes of the writable layer, or of the layers that no other image uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneSpec:
    """What to prune."""

    all: bool = False
    """Also images with a name that no distro uses, and what commands of builds keep for the next
    build (``RUN --mount=type=cache``)."""
    dry_run: bool = False
    """Only tell."""
    until: float | None = None
    """Only what was made, or removed, before that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waste:
    """One thing that a prune deletes."""

    kind: WasteKind
    name: str
    size: int
    """Bytes that only this thing, or something named before it, takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What a prune deleted, or would delete."""

    items: tuple[Waste, ...]
    size: int
    """Bytes of all of it."""
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Bytes of one kind of thing."""

    kind: str
    """``images`` (their ``layers`` and ``blobs`` together), ``layers``, ``blobs``, ``distros``
    (writable layers), ``snapshots``, ``trash`` (of removed distros both), ``partials`` or ``build
    cache`` (folders that commands of builds keep; the images of steps are among the images)."""
    count: int
    active: int
    """How many of them are in use."""
    size: int
    reclaimable: int
    """Bytes that ``prune --all`` gives back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpace:
    """Bytes of one image: layers and blobs."""

    digest: str
    references: tuple[str, ...]
    unique: int
    """What would go with it."""
    shared: int
    """What other images use too."""
    distros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DistroSpace:
    """Bytes of one distro: writable layer and layers."""

    name: str
    writable: int
    """As last measured."""
    unique: int
    """The writable layer, and layers of nothing else."""
    shared: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Where the store's space goes."""

    spaces: tuple[Space, ...]
    images: tuple[ImageSpace, ...]
    distros: tuple[DistroSpace, ...]
    size: int
    """Bytes of everything; layers count once."""
    free: int
    """Bytes that the disk has left for this user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something in the store that is not as it should be."""

    kind: ProblemKind
    what: str
    why: str
    repair: str
    """What ``--repair`` does about it, or a person has to."""
    repaired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What ``fsck`` looked at and found."""

    problems: tuple[Problem, ...] = ()
    images: int = 0
    layers: int = 0
    blobs: int = 0
    distros: int = 0
    hashed: int = 0
    """Bytes that were read and compared with their digest."""


@runtime_checkable
class Storage(Protocol):
    """Names, removal and care. A ``name`` is as for :class:`core.engine.Images`."""

    async def tag(self, name: str, reference: str) -> Image:
        """Give an image one more reference; one that another image had moves.

        Raises:
            NotFound: no such image.
            InvalidInput: malformed reference, or one with a digest.
        """
        ...

    async def untag(self, reference: str) -> Removal:
        """Take a reference away; the image stays. It can be undone.

        Raises:
            NotFound: no image has it.
        """
        ...

    async def remove_image(
        self, name: str, *, force: bool = False, prune: bool = True, now: bool = False
    ) -> Removal:
        """Take an image away, or only the reference if it has others.

        An image with images made from it only loses its names. ``force``: named by its digest it
        goes with all references. ``prune``: so do its parents without a name. ``now``: it cannot
        be undone, and its space is given back.

        Raises:
            NotFound: no such image.
            Conflict: distros use it, a job needs it, or ``force`` is missing.
        """
        ...

    async def trash(self) -> list[Trashed]:
        """What can come back, newest first."""
        ...

    async def undo(self, name: str = "", *, rename: str = "") -> Trashed:
        """Bring back what was removed last, or what has that name or id.

        ``rename``: what a distro shall be called.

        Raises:
            NotFound: there is nothing of that name.
            Conflict: its name was taken meanwhile.
        """
        ...

    async def prune(self, spec: PruneSpec) -> Pruned:
        """Delete what nothing uses, the trash too; never what a job or session needs."""
        ...

    async def usage(self) -> Usage:
        """Where the store's space goes; distros as last measured."""
        ...

    async def fsck(self, *, repair: bool = False, quick: bool = False) -> Checkup:
        """Compare the store with itself; without ``repair`` nothing is changed.

        ``quick``: contents are not read. A writable layer is never deleted.
        """
        ...
