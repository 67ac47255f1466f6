r"""Look into images and distros: files, what a layer changed, differences, waste, all facts.

Paths are those inside the tree, from ``/``, as text: bytes that are no UTF-8 and characters that a
terminal would act on are written ``\xNN``, and are understood so when a path is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from core.domain import Image

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

FileType = Literal["file", "folder", "symlink", "fifo", "character", "block", "socket"]
LayerChange = Literal["", "added", "changed", "removed"]
Why = Literal["type", "content", "size", "mode", "owner", "xattr"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """A file or folder of a tree, or of one layer as that layer has it."""

    path: str
    type: FileType = "file"
    mode: int = 0
    """Permission bits, with set-user-ID, set-group-ID and sticky."""
    uid: int = 0
    gid: int = 0
    size: int = 0
    """Bytes of a file, holes included; 0 for everything else."""
    mtime: float = 0.0
    link: str = ""
    """Where a symbolic link leads."""
    device: str = ""
    """``major:minor`` of a device."""
    xattrs: tuple[str, ...] = ()
    """Names of its extended attributes."""
    layer: int = 0
    """Number of the layer it comes from, 1 the lowest; one more than the image has layers: the
    distro's own."""
    change: LayerChange = ""
    """What the layer did to it; empty in a merged tree, and for a folder that the layer only
    passes through. A folder that was removed stands for all in it."""
    opaque: bool = False
    """The layer's folder hides everything that lower layers have in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesSpec:
    """Which files of what."""

    name: str
    """A distro (its own changes included), or an image by reference or digest."""
    path: str = "/"
    layer: str = ""
    """Only this layer: its number from 1, the lowest, or the beginning of its digest or diff_id.
    Empty: all merged."""
    recursive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractSpec:
    """What to copy out of an image or distro, and where to."""

    name: str
    path: str
    to: str
    """Absolute path of a folder on the engine's host; made if need be."""
    layer: str = ""
    force: bool = False
    """Replace files that are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """What was copied out."""

    path: str
    """Where it is now."""
    entries: int
    size: int
    """Bytes of files."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A path that is not the same in two trees."""

    path: str
    kind: Literal["added", "changed", "removed"]
    type: FileType
    """In the new tree; of what was removed, in the old one."""
    why: tuple[Why, ...] = ()
    """What changed; empty for what was added or removed."""
    old_size: int = 0
    """Bytes; of a removed folder, of all files in it."""
    new_size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """A field of the config that is not the same in two images."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerWaste:
    """What a layer holds for nothing."""

    number: int
    digest: str
    size: int
    """Bytes of its files."""
    wasted: int
    """Bytes of those that layers above replace or remove."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WastedFile:
    """A path that layers carry in vain."""

    path: str
    copies: int
    """Times it is there without being seen."""
    size: int
    """Bytes of these copies together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageWaste:
    """How much of an image nobody can ever see."""

    image: str
    layers: tuple[LayerWaste, ...]
    size: int
    """Bytes of all files of all layers."""
    wasted: int
    files: tuple[WastedFile, ...] = ()
    """The largest, at most 100."""

    @property
    def efficiency(self) -> int:
        """Per cent of the bytes that can be seen."""
        return 100 if not self.size else 100 * (self.size - self.wasted) // self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Healthcheck:
    """``Healthcheck`` of a config; durations in nanoseconds, as it stores them."""

    test: tuple[str, ...] = ()
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDefaults:
    """How an image wants to be run: ``config`` of its config."""

    env: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    shell: tuple[str, ...] = ()
    user: str = ""
    working_dir: str = ""
    stop_signal: str = ""
    volumes: tuple[str, ...] = ()
    exposed_ports: tuple[str, ...] = ()
    on_build: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    healthcheck: Healthcheck | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """All that is known of an image."""

    image: Image
    config: RunDefaults
    author: str = ""
    manifest_type: str = ""
    manifest_size: int = 0
    config_size: int = 0
    root_fs: tuple[str, ...] = ()
    """diff_ids of its layers, lowest first."""
    parent: str = ""
    """Digest of the image here that it was made from: the one with most of its layers."""
    children: tuple[str, ...] = ()
    """Digests of the images here that were made from it."""
    annotations: tuple[tuple[str, str], ...] = ()
    unique_size: int = 0
    """Bytes unpacked that no other image uses."""
    layer_sizes: tuple[int, ...] = ()
    """Bytes of each layer unpacked, lowest first."""
    warnings: tuple[str, ...] = ()
    """What unpacking it left out."""


class Contents(Protocol):
    r"""Look into images and distros; nothing here changes them.

    Every method raises NotFound for a name, layer or path that is not there, Conflict for a digest
    that begins several, InvalidInput for a malformed one.
    """

    def files(
        self, spec: FilesSpec
    ) -> AbstractAsyncContextManager[AsyncIterator[tuple[FileEntry, ...]]]:
        """A folder's files, or one file, in the order of their names; a folder before its own.

        In pieces, the first one small; what is not read is not looked up, so a reader may stop.
        """
        ...

    def read_file(self, spec: FilesSpec) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """What is in a file; symbolic links are followed inside the tree.

        Raises:
            InvalidInput: a folder, a device.
        """
        ...

    def pack(self, spec: FilesSpec) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """A file or folder with all in it as a tar archive (pax), with owners and attributes."""
        ...

    async def extract(self, spec: ExtractSpec) -> Extracted:
        """Copy a file or folder to this host; the copy belongs to whoever runs the engine.

        Devices, owners, set-user-ID and set-group-ID stay behind. Cancelling leaves a part.

        Raises:
            Conflict: something is there already; nothing was overwritten.
            NoSpace: the disk is full.
        """
        ...

    def diff(
        self, old: str, new: str = ""
    ) -> AbstractAsyncContextManager[AsyncIterator[tuple[FileChange, ...]]]:
        """What is not the same in two images or distros, by path, in pieces.

        Without ``new``: what the distro ``old`` has changed of its image. Times do not count.
        """
        ...

    async def diff_config(self, old: str, new: str) -> list[FieldChange]:
        """Fields of the config that are not the same in two images, by name."""
        ...

    async def waste(self, name: str) -> ImageWaste:
        """Bytes of an image's layers that layers above them replace or remove."""
        ...

    async def inspect(self, name: str) -> Inspection:
        """All that is known of an image, or of a distro's image."""
        ...
