"""The values that go into and come out of the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.domain import Layer, Platform

if TYPE_CHECKING:
    from pathlib import Path

    from core.domain import ImageOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """How an image wants to be run; what it leaves open is empty."""

    env: tuple[tuple[str, str], ...] = ()
    user: str = ""
    workdir: str = ""
    cmd: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryStep:
    """One step of an image's history, oldest first."""

    created: float | None = None
    created_by: str = ""
    comment: str = ""
    layer: int | None = None
    """Position of the layer it made, from the bottom; None: an empty layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewImage:
    """An image about to be committed."""

    digest: str
    config_digest: str
    platform: Platform
    created: float | None
    layers: tuple[Layer, ...]
    layer_keys: tuple[str, ...]
    """For each layer the key under which it is (or will be) unpacked."""
    history: tuple[HistoryStep, ...]
    config: ImageConfig
    references: tuple[str, ...] = ()
    """Names that shall point to it."""
    repo_digest: str = ""
    """``repository@digest`` under which it can be pulled again; empty: it cannot."""
    warnings: tuple[str, ...] = ()
    parent: str = ""
    """Digest of the image it was committed or built from; empty: of none."""
    intermediate: bool = False
    """A step of a build, left out of lists."""
    origin: ImageOrigin = "pull"


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedLayer:
    """A layer unpacked in staging, to be shown by a commit."""

    key: str
    diff_id: str
    folder: Path
    """The folder that holds ``fs``."""
    size: int
    """Bytes its tree takes, as ``unpack`` counted them."""
    entries: int
    tar_size: int
    warnings: tuple[str, ...] = ()

    @property
    def tree(self) -> Path:
        """The unpacked files."""
        return self.folder / "fs"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLayer:
    """An unpacked layer."""

    key: str
    tree: Path
    """The unpacked files."""
    size: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DistroRecord:
    """An installed distro, as the store knows it."""

    id: str
    name: str
    upper: Path
    """Its writable layer."""
    work: Path
    """For overlay's own use; on the same file system as :attr:`upper`."""
    home: Path
    """Home folders of its users."""
    image_digest: str
    """Empty for *this host*."""
    repo_digest: str
    url: str
    version: str
    os_name: str
    platform: Platform
    created: float
    used: float
    warnings: tuple[str, ...] = ()
    upper_size: int = 0
    """Bytes of :attr:`upper` and :attr:`home` when last measured."""
    tree: str = "upper"
    """Path of :attr:`upper` below the distro's folder."""
    newest: str = ""
    """The digest that its source had when last asked; empty: it was not."""
    config: ImageConfig = field(default_factory=ImageConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Bytes on disk: what would go with the thing, and what others use too."""

    unique: int
    shared: int
