"""What is done with a distro's own changes: commit, clone, snapshot, roll back, upgrade, export.

Verbs that ``podman commit`` and ``export``, ``incus copy`` and ``snapshot`` and ``distrobox
upgrade`` made known. The *changes* are what was written in a distro since it was made: its
writable layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from core.domain import PullPolicy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from core.domain import Distro, Job

Compression = Literal["none", "gzip", "zstd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitSpec:
    """What to make an image of, and what to write into its config."""

    distro: str
    reference: str = ""
    """Name that shall point to the image; empty: none."""
    message: str = ""
    author: str = ""
    changes: tuple[str, ...] = ()
    """Lines of a Dockerfile, applied in order: CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL
    ONBUILD SHELL STOPSIGNAL USER VOLUME WORKDIR."""
    config: str = ""
    """JSON that replaces the whole config of how to run it; ``changes`` come on top."""
    pause: bool = True
    """Stop what runs in the distro while its changes are read, for tenths of a second mostly."""
    squash: bool = False
    """One layer with everything, in place of the image's layers and one more."""
    compression: Compression = "gzip"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSpec:
    """A distro to make from an image."""

    name: str
    image: str
    """Any name that :meth:`core.engine.Images.image` takes, or a reference to pull."""
    pull: PullPolicy = "if_not_present"
    platform: str = ""
    """``os/arch[/variant]``; empty: this host's."""
    plain_http: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The changes of a distro as they were once, kept beside it."""

    id: str
    distro: str
    name: str
    """Unique in its distro."""
    created: float
    comment: str = ""
    image_digest: str = ""
    """The image they lie on; empty for *this host*."""
    size: int = 0
    """Bytes on disk when it was made; less where the file system shares them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotSpec:
    """A snapshot to make."""

    distro: str
    name: str = ""
    """Empty: the time."""
    comment: str = ""
    pause: bool = True
    """As for a commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackSpec:
    """Where to go back to."""

    distro: str
    snapshot: str
    """Its name or id."""
    force: bool = False
    """Also if sessions run in it: they end."""
    discard: bool = False
    """Keep no snapshot of the changes as they are now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeSpec:
    """A distro to move to the image that its source has now."""

    distro: str
    reset: bool = False
    """Begin with no changes; else they lie on the new image as they lay on the old one. A
    snapshot of how it was is kept either way."""
    force: bool = False
    """Also if sessions run in it: they end."""
    plain_http: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSpec:
    """A root file system to write as one archive."""

    distro: str
    path: str = ""
    """Absolute, on the engine's host; not used where the bytes are streamed."""
    compression: Compression = "none"
    pause: bool = True
    """As for a commit, but for as long as the writing takes."""


@runtime_checkable
class Changes(Protocol):
    """What is done with a distro's changes. *This host* can only be renamed and snapshot."""

    async def commit(self, spec: CommitSpec) -> Job:
        """Make an image of a distro; the job's result is the image's digest.

        Cancelled or cut off, there is no image.

        Raises:
            NotFound: no such distro.
            Refused: *this host*, whose root is no image.
            InvalidInput: a reference, change or config that cannot be meant.
        """
        ...

    async def create(self, spec: CreateSpec) -> Job:
        """Make a distro from an image, pulled if need be; the job's result is its name.

        Raises:
            InvalidInput: a name or reference that cannot be meant.
            Conflict: the name is taken.
        """
        ...

    async def clone(self, name: str, new: str, *, pause: bool = True) -> Job:
        """Make a distro like another, changes and all; the job's result is its name.

        Raises:
            NotFound: no such distro.
            InvalidInput: a name that cannot be meant.
            Conflict: the new name is taken.
        """
        ...

    async def rename(self, name: str, new: str) -> Distro:
        """Call a distro something else; what runs in it goes on.

        Raises:
            NotFound: no such distro.
            InvalidInput: a name that cannot be meant.
            Conflict: the new name is taken.
        """
        ...

    async def snapshot(self, spec: SnapshotSpec) -> Job:
        """Keep a distro's changes as they are now; the job's result is the snapshot's name.

        Raises:
            NotFound: no such distro.
            InvalidInput: a name that cannot be meant.
            Conflict: there is a snapshot of that name.
        """
        ...

    async def snapshots(self, name: str = "") -> list[Snapshot]:
        """The snapshots of a distro, or all; newest first. Raises: NotFound."""
        ...

    async def rollback(self, spec: RollbackSpec) -> Job:
        """Go back to a snapshot, which stays; the distro is stopped for it.

        The job's result is the name of the snapshot that keeps what was before; empty if none
        was wanted.

        Raises:
            NotFound: no such distro or snapshot.
            Conflict: sessions run in it, and ``force`` is false (as the job's error).
        """
        ...

    async def remove_snapshot(self, name: str, snapshot: str) -> None:
        """Delete a snapshot. Raises: NotFound."""
        ...

    async def upgrade(self, spec: UpgradeSpec) -> Job:
        """Pull a distro's source again and move it to what came; the job's result is its name.

        Nothing changes if the source has what it has.

        Raises:
            NotFound: no such distro.
            Refused: *this host*, or a distro whose image came from no source.
        """
        ...

    async def check(self, name: str = "") -> Job:
        """Ask the source of a distro, or of all, for its digest; marks those that are outdated.

        Transfers no more than some headers for each. The job's warnings tell what could not be
        asked.

        Raises:
            NotFound: no such distro.
        """
        ...

    async def export(self, spec: ExportSpec) -> Job:
        """Write a distro's root file system to ``spec.path``, there whole or not at all.

        The job's result is the path.

        Raises:
            NotFound: no such distro.
            Refused: *this host*.
            InvalidInput: a path that is not absolute, or cannot be written.
        """
        ...

    def export_stream(self, spec: ExportSpec) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The archive that :meth:`export` writes, as bytes."""
        ...
