"""Archives: images to files and back, and root file systems made images.

docker-archive and oci-archive are the files that ``docker save`` and ``podman save`` write; a
folder of the same is an OCI image layout, or what skopeo calls ``dir:``. Paths are absolute on
the engine's host.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from core.domain import Job

ArchiveFormat = Literal["docker-archive", "oci-archive", "oci-dir", "docker-dir"]
ArchiveCompression = Literal["", "gzip", "zstd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSpec:
    """An archive to load."""

    path: str = ""
    """A file, compressed or not, or a folder; empty: the content of the call."""
    platform: str = ""
    """``os/arch[/variant]`` to take of an image for several; empty: this host's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSpec:
    """Images to save."""

    names: tuple[str, ...]
    """Of images, as :meth:`core.engine.Images.image` takes them. A reference is saved as that
    one, anything else under all references of its image."""
    path: str = ""
    """The file or folder to write. A file that is there is replaced, a folder is not."""
    format: ArchiveFormat = "docker-archive"
    compression: ArchiveCompression = ""
    """Of the whole file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSpec:
    """A root file system to make an image of."""

    source: str = ""
    """URL or path of a tarball, compressed or not; empty: the content of the call."""
    reference: str = ""
    """What to call the image; empty: nothing."""
    message: str = ""
    """The comment in its history."""
    changes: tuple[str, ...] = ()
    """Lines of a Dockerfile that say how it is to be run (``CMD ["sh"]``)."""
    platform: str = ""
    """``os/arch[/variant]`` that it is for; empty: this host's."""
    checksum: str = ""
    """``sha256:…`` that the file must have."""
    plain_http: bool = False


@runtime_checkable
class Archives(Protocol):
    """Images in files."""

    async def load(self, spec: LoadSpec, content: AsyncIterator[bytes] | None = None) -> Job:
        """Load every image of an archive, or none.

        Layers that are there are not unpacked again. The job's result is the digests of the
        images, one a line. With ``content`` this returns when that has been read.

        Raises:
            InvalidInput: neither path nor content, or a malformed platform.
        """
        ...

    async def save(self, spec: SaveSpec) -> Job:
        """Write images to a file or folder; the same images give the same bytes.

        The job's result is the path. Cancelled or failed, nothing is there but what was.

        Raises:
            NotFound: a name is nobody's, or the folder to write to is not there.
            Conflict: a name is several images', or the folder is there already.
            InvalidInput: no name, no absolute path, or what the format cannot do.
        """
        ...

    def archive(self, spec: SaveSpec) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes that :meth:`save` would write to a file; ``path`` is not looked at.

        Raises:
            NotFound, Conflict, InvalidInput: as for :meth:`save`; a folder is no stream.
        """
        ...

    async def import_image(
        self, spec: ImportSpec, content: AsyncIterator[bytes] | None = None
    ) -> Job:
        """Make an image of one layer of a root file system.

        The job's result is the image's digest; the same spec again gives the same image.

        Raises:
            InvalidInput: a malformed reference, change, platform or checksum; or no source.
        """
        ...
