"""What a sandbox is made of, as the plain values that go to a holder as JSON.

Typed dictionaries and not dataclasses: a holder is kept small by what it does not import.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict


class MountSpec(TypedDict):
    """A file or folder of the host shown in the sandbox."""

    source: str
    target: str
    read_only: bool


class SandboxSpec(TypedDict):
    """One distro's sandbox."""

    name: str
    """The distro's name; becomes the host name inside."""
    layers: list[str]
    """Unpacked layers, bottom first; with ``host_root`` unused."""
    upper: str
    """Folder of the writable layer."""
    work: str
    """Empty folder for overlayfs on the file system of ``upper``."""
    namespaces: list[str]
    """Argument vector that executes what follows it in a new user and mount namespace with the
    store's id mapping; empty for real root, who needs none."""
    bwrap: str
    """The bubblewrap executable."""
    host_root: bool
    """The lower files are this machine's own, see :mod:`core.runtimes.hostroot`."""
    masks: list[str]
    """Paths of the host that a ``host_root`` sandbox must not show (the store, above all)."""
    mounts: list[MountSpec]
    """In every session of the sandbox."""
    bare: NotRequired[bool]
    """``/tmp`` and ``/run`` are folders of the root: what a build writes there is kept."""


class Command(TypedDict):
    """A process to start in a sandbox."""

    argv: list[str]
    """Empty: a login shell."""
    workdir: str
    """Empty: the user's home, or ``/`` where that is missing."""
    env: list[tuple[str, str]]
    """On top of what :mod:`core.runtimes.users` sets for the user."""
    user: str
    """Name, uid or ``uid:gid`` (as in an image config); empty: root."""
    binds: list[MountSpec]
    """Seen by this command only."""
    tty: bool


class Fault(TypedDict):
    """A :class:`core.errors.DeckError` on its way between processes."""

    code: str
    what: str
    why: str
    hint: str
