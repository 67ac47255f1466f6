"""Builds: an image from a Dockerfile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from core.domain import Credentials, Job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryLogin:
    """Who to be for one registry while a build pulls its bases."""

    host: str
    credentials: Credentials | None = None
    login: str = ""
    """In place of credentials: the name of a login kept by the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSpec:
    """What to build, and how."""

    context: str = ""
    """A folder (absolute, on the engine's host), a URL of a tar archive or of a git repository
    (``https://….git#ref:folder``, ``git://…``, ``ssh://…``), or empty: the content that comes with
    the call; without any, there is no context and ``dockerfile`` is all."""
    file: str = ""
    """The Dockerfile: a path in the context, or absolute on the engine's host. Empty:
    ``Dockerfile``, else ``Containerfile``."""
    dockerfile: str = ""
    """The Dockerfile's own text, in place of a file."""
    tags: tuple[str, ...] = ()
    """References that shall point to the image."""
    arguments: tuple[tuple[str, str], ...] = ()
    """Values for ARG."""
    target: str = ""
    """Stage to stop at, by name or number; empty: the last."""
    platform: str = ""
    """``os/architecture[/variant]`` of the bases; empty: this host's."""
    labels: tuple[tuple[str, str], ...] = ()
    cache: bool = True
    """Whether steps that were done before are taken from there."""
    pull: bool = False
    """Ask the registry for each base even if it is here."""
    keep_failed: bool = False
    """Keep what a step that failed had written (``--rm=false``); its folder is in the error."""
    logins: tuple[RegistryLogin, ...] = ()
    """For registries that are not asked as usual, with what ``login`` has kept."""
    auth_file: str = ""
    plain_http: bool = False
    """Allow plain HTTP for a registry that is not on a loopback address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildLine:
    """A line of what a build says."""

    kind: Literal["step", "cached", "output", "error", "done", "note"]
    """``step`` begins one; ``cached`` or ``done`` ends it; ``output`` and ``error`` are what its
    command wrote to standard output and error; ``note`` is the builder's own word."""
    text: str
    """Of a command's output without its control characters; of a step the instruction."""
    step: int = 0
    """Counted from 1, over all stages built; 0: before the first."""
    steps: int = 0
    """How many there will be, as far as is known."""
    time: float = 0.0
    """Seconds since the build began."""
    seconds: float = 0.0
    """What the step took, where it ends."""
    line: int = 0
    """Of the Dockerfile, where a step begins."""


@runtime_checkable
class Builds(Protocol):
    """Building images."""

    async def build(self, spec: BuildSpec, content: AsyncIterator[bytes] | None = None) -> Job:
        """Build an image; the job's result is its digest.

        ``content`` is the context as a tar archive, plain or compressed with gzip, bzip2, xz or
        zstd; the call returns when all of it was taken.

        Raises:
            InvalidInput: malformed tag, platform or argument; nothing was started. What is wrong
                in the Dockerfile is the job's error, with file and line.
        """
        ...

    def build_output(self, job: str) -> AbstractAsyncContextManager[AsyncIterator[BuildLine]]:
        """All that a build has said, then what it says, until it ends.

        Of a very long output the middle is left out, and a ``note`` tells. Raises: NotFound, also
        for a job that is no build or ended too long ago.
        """
        ...
