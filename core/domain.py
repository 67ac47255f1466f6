"""The values that the engine, its wire forms and the console share.

Frozen, compared by value, made of plain types so that every codec can carry them. Sizes are
bytes, times are seconds since the epoch (UTC), digests are ``algorithm:hex``. Text that came
from an image, a registry or a catalog has been through :func:`core.text.clean`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["admin", "operator", "viewer"]
DistroState = Literal["stopped", "starting", "running", "broken"]
SessionState = Literal["running", "exited", "lost"]
JobState = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
JobKind = Literal[
    "pull", "push", "refresh", "load", "save", "import", "export", "commit", "build", "create",
    "clone", "snapshot", "rollback", "upgrade", "check",
]  # fmt: skip
JobPhase = Literal[
    "", "resolve", "fetch", "verify", "unpack", "copy", "pack", "push", "write", "build",
    "commit",
]  # fmt: skip
PullPolicy = Literal["always", "if_not_present", "never"]
ImageOrigin = Literal["pull", "import", "load", "commit", "build"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: taken from the socket's peer credentials, never from the message."""

    uid: int
    pid: int = 0
    role: Role = "admin"
    name: str = ""
    """Login name where known; for logs only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """An ``os/architecture[/variant]`` triple as in an OCI index."""

    os: str = "linux"
    architecture: str = "amd64"
    variant: str = ""

    def __str__(self) -> str:
        parts = (self.os, self.architecture, self.variant)
        return "/".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer of an image, as its manifest and config tell it."""

    digest: str
    """Digest of the blob as transferred."""
    diff_id: str
    """Digest of the uncompressed tar; empty until known."""
    size: int
    """Bytes of the blob as transferred."""
    media_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One line of an image's history, joined with the layer it made."""

    created: float | None = None
    created_by: str = ""
    comment: str = ""
    layer: Layer | None = None
    """None: an empty layer (metadata only)."""
    size: int = 0
    """Bytes of the layer unpacked; 0 for an empty layer."""
    id: str = ""
    """Digest of the image here that this step made; empty where there is none."""
    tags: tuple[str, ...] = ()
    """References of that image."""
    empty: bool = False
    """The step made no layer."""
    untold: bool = False
    """A layer that the config's history says nothing of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image in the store."""

    digest: str
    """Digest of the manifest chosen for the platform."""
    config_digest: str
    repo_digests: tuple[str, ...] = ()
    """``repository@digest`` under which it can be pulled again."""
    references: tuple[str, ...] = ()
    """Names that point here, ``host/repository:tag``."""
    platform: Platform = field(default_factory=Platform)
    created: float | None = None
    pulled: float = 0.0
    layers: tuple[Layer, ...] = ()
    size: int = 0
    """Bytes unpacked, each layer once."""
    transfer_size: int = 0
    """Bytes of the compressed blobs."""
    distros: tuple[str, ...] = ()
    """Names of the distros installed from it."""
    parent: str = ""
    """Digest of the image it was committed or built from; empty: of none, or not known."""
    intermediate: bool = False
    """A step of a build, left out of lists unless asked for."""
    origin: ImageOrigin = "pull"
    broken: str = ""
    """What is missing of it on the disk; empty: nothing. Pulled again it is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A folder or file of the host made visible in a distro."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Distro:
    """An installed, named environment: one image, one writable layer, settings."""

    name: str
    url: str
    """What it was pulled from, as the person or the catalog named it."""
    version: str = ""
    """``VERSION_ID`` of its os-release, else the tag or serial it came from."""
    path: str = ""
    """Folder of its writable layer."""
    size: int = 0
    """``unique_size`` + ``shared_size``."""
    unique_size: int = 0
    """Bytes nothing else uses: the writable layer and layers of no other distro."""
    shared_size: int = 0
    """Bytes of layers that other distros or images use too."""
    image_digest: str = ""
    """Empty for *this host*."""
    repo_digest: str = ""
    platform: Platform = field(default_factory=Platform)
    state: DistroState = "stopped"
    sessions: int = 0
    """Live sessions."""
    created: float = 0.0
    used: float = 0.0
    """When a shell or command was last opened in it; 0 if never."""
    os_name: str = ""
    """``PRETTY_NAME`` of its os-release."""
    warnings: tuple[str, ...] = ()
    """Plain words on what will not work in it here (one uid only, say)."""
    outdated: bool = False
    """Its source had another image when it was last asked (``check``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """Something that can be installed."""

    name: str
    """What ``pull NAME`` takes (``debian/12``); unique within its catalog source."""
    aliases: tuple[str, ...] = ()
    """Other names that ``pull`` takes for it (``debian/bookworm``)."""
    source: str
    """OCI reference, URL or path, or ``host:`` for this machine's own root."""
    catalog: str
    """Name of the catalog source it comes from."""
    version: str = ""
    title: str = ""
    architecture: str = ""
    size: int | None = None
    """Bytes to transfer, if known."""
    checksum: str = ""
    """``sha256:…`` of a tarball, if known."""
    kind: Literal["oci", "rootfs", "host"] = "oci"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogStatus:
    """How one source of the catalog stands."""

    name: str
    kind: str
    url: str = ""
    entries: int = 0
    fetched: float | None = None
    """When its entries were read; None: never."""
    error: str = ""
    """Why the last refresh did not work; empty if it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All that can be installed, and how fresh that knowledge is."""

    entries: tuple[CatalogEntry, ...] = ()
    sources: tuple[CatalogStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who to be for one registry: a password, or one of two tokens; never logged, never shown."""

    username: str
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    """A refresh token, for the registry's token server instead of a password."""
    registry_token: str = field(default="", repr=False)
    """A bearer token, for the registry itself as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSpec:
    """What to pull and what to call it.

    ``source`` empty: look ``name`` up in the catalog. ``name`` empty: made from the source.
    """

    name: str = ""
    source: str = ""
    platform: str = ""
    """``os/arch[/variant]``; empty: this host's."""
    credentials: Credentials | None = None
    login: str = ""
    """Name of a login kept by the engine."""
    auth_file: str = ""
    """File with credentials, absolute on the engine's host; empty: those that podman reads."""
    plain_http: bool = False
    """Allow plain HTTP for a registry that is not on a loopback address."""
    checksum: str = ""
    """``sha256:…`` that a tarball must have."""
    image_only: bool = False
    all_tags: bool = False
    """Every tag of the repository that ``source`` names; images only."""
    policy: PullPolicy = "always"
    """Whether a registry is asked when the store has an image of that reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellSpec:
    """A session to open: a login shell, or ``argv``, in a distro."""

    distro: str
    argv: tuple[str, ...] = ()
    """Empty: the distro's shell (passwd, else bash, zsh, fish, ash, sh)."""
    workdir: str = ""
    """Empty: the user's home. A folder that is not there is an error."""
    binds: tuple[Mount, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    user: str = ""
    """Name, uid or ``uid:gid``; empty: the image's user, else root."""
    rows: int = 24
    columns: int = 80
    tty: bool = True
    """False: three pipes instead of a PTY (what ``run`` uses)."""
    bound: bool = False
    """Ends when its attached client goes away (what ``run`` uses)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """A command to run to its end."""

    distro: str
    argv: tuple[str, ...]
    workdir: str = ""
    binds: tuple[Mount, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    user: str = ""
    input: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a command ended."""

    stdout: bytes
    stderr: bytes
    exit_code: int
    """The command's own; 128 + signal if a signal ended it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One live (or ended) shell or attached command in a distro."""

    id: int
    """Unique in the engine, counted from 2; 0 and 1 are never valid."""
    distro: str
    argv: tuple[str, ...]
    state: SessionState
    started: float
    rows: int
    columns: int
    tty: bool = True
    exit_code: int | None = None
    ended: float | None = None
    clients: int = 0
    """Consoles that watch it now."""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerState:
    """How far one layer of a pull has come; absolute, so that a reader may drop older ones."""

    digest: str
    phase: Literal["waiting", "fetch", "verify", "unpack", "push", "write", "done", "exists"]
    done: int = 0
    """Bytes received or sent so far; equals ``total`` when complete."""
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A long operation that outlives the client that asked for it."""

    id: str
    kind: JobKind
    title: str
    """What a person calls it: the distro's name or the source."""
    state: JobState
    phase: JobPhase = ""
    layers: tuple[LayerState, ...] = ()
    done: int = 0
    total: int = 0
    """Bytes to transfer; 0 until known."""
    step: int = 0
    """Of a build, counted from 1."""
    steps: int = 0
    doing: str = ""
    """The instruction that is being carried out."""
    started: float = 0.0
    ended: float | None = None
    result: str = ""
    """Name of what was made, once done."""
    error: JobError | None = None
    served_by: str = ""
    """The mirrors it came from; empty: the registry itself."""
    warnings: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        """Whether it waits, runs or is paused: it may still change."""
        return self.state in {"queued", "running", "paused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """A :class:`core.errors.DeckError` as a value."""

    code: str
    message: str
    hint: str = ""
    kept: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that ``doctor`` tried."""

    name: str
    ok: bool
    detail: str = ""
    lost: str = ""
    """What does not work without it."""
    instead: str = ""
    """What is used instead."""
    repair: str = ""
    """The exact command that repairs it."""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """What engine this is."""

    version: str
    pid: int
    root: str
    store_bytes: int = 0
    idmap: str = ""
    """``root``, ``subuid`` or ``single``."""
    capabilities: tuple[str, ...] = ()
