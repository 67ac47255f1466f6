"""What a step's processes are told: plain values that go to them as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from core.runtimes.spec import Command, SandboxSpec


class OverlaySpec(TypedDict):
    """The file system that a step changes."""

    folder: str
    """The step's own; mount points and links are made in it."""
    layers: list[str]
    """Unpacked layers, bottom first."""
    upper: str
    work: str


class GroupSpec(TypedDict):
    """Sources that come from one tree."""

    tree: str
    """A folder; empty: what ``layers`` show together."""
    layers: list[str]
    """Unpacked layers, bottom first."""
    wanted: list[str]
    ignore: str
    """Lines of a ``.dockerignore``."""
    extract: bool
    """Whether archives among them are extracted."""
    keep_owners: bool
    """Whether files keep the owners they have in the tree."""


class PlaceSpec(TypedDict):
    """COPY and ADD; without groups, WORKDIR."""

    overlay: OverlaySpec
    groups: list[GroupSpec]
    target: str
    """Absolute; what it names is a folder if it ends with a slash or there are several sources."""
    owner: str
    """``user[:group]``, names or ids of the image; empty: root, or as in the tree."""
    mode: int
    """For everything placed; -1: as they are."""
    owners: bool
    """Whether owners can be set here."""
    limits: dict[str, int]
    """What an archive that is extracted may cost: fields of :class:`core.limits.Limits`."""


class RunSpec(TypedDict):
    """RUN."""

    sandbox: SandboxSpec
    folder: str
    command: Command
