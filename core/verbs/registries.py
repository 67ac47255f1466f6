"""Registries: logins, push, search, tags.

A host is ``name[:port]`` as in a reference. Passwords and tokens go in and never come out: no
value that an engine answers with holds one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from core.domain import Credentials, Job


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSpec:
    """Who to be for a registry."""

    host: str
    """A registry, or a repository in it (``host/some/repository``)."""
    credentials: Credentials
    name: str = ""
    """Keep it with the engine under this name, for specs that say ``login=NAME``; empty: in the
    file that other tools read too."""
    plain_http: bool = False
    auth_file: str = ""
    """The file to write, absolute on the engine's host; empty: the one that podman uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """That there are credentials, and where."""

    host: str
    username: str
    """Empty where only a token is kept."""
    name: str = ""
    """Of a login kept by the engine."""
    kept: str = ""
    """Path of the file, or ``docker-credential-NAME``."""
    checked: bool = False
    """The registry asked for a login just now and took this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSpec:
    """What to push and where to."""

    name: str
    """An image, by any name that :meth:`core.engine.Images.image` takes."""
    reference: str = ""
    """Where to; a digest in it must be the image's own. Empty: ``name`` itself."""
    all_platforms: bool = False
    """Push an index with every platform of this image that is in the store."""
    credentials: Credentials | None = None
    login: str = ""
    """Name of a login kept by the engine."""
    auth_file: str = ""
    plain_http: bool = False
    """Allow plain HTTP for a registry that is not on a loopback address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagsSpec:
    """Whose tags to list."""

    repository: str
    """A reference; a tag or digest in it says nothing here."""
    credentials: Credentials | None = None
    login: str = ""
    auth_file: str = ""
    plain_http: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpec:
    """What to look for: every word of ``term`` is in the name or in the description."""

    term: str
    catalog: str = ""
    """Only this source of the catalog."""
    registry: str = ""
    """Ask this registry, and nothing else; both empty: the store and the whole catalog."""
    limit: int = 25
    credentials: Credentials | None = None
    login: str = ""
    auth_file: str = ""
    plain_http: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """Something that was found."""

    name: str
    """What ``pull`` takes."""
    description: str = ""
    stars: int | None = None
    """None where nobody counts them."""
    official: bool = False
    automated: bool = False
    found_in: Literal["store", "catalog", "registry"] = "registry"
    source: str = ""
    """Name of the catalog source, or host of the registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagList:
    """The tags of a repository."""

    repository: str
    """``host/repository``."""
    tags: tuple[str, ...] = field(default=())
    """As the registry orders them."""


@runtime_checkable
class Registries(Protocol):
    """Logins, and what registries do besides being pulled from."""

    async def login(self, spec: LoginSpec) -> Login:
        """Ask the registry whether it takes these credentials, then keep them.

        Raises:
            LoginNeeded: it does not; nothing was kept.
            Unreachable: it cannot be asked.
            InvalidInput: no usable host or name.
        """
        ...

    async def logout(
        self, host: str, *, everything: bool = False, name: str = "", auth_file: str = ""
    ) -> list[Login]:
        """Forget credentials: of a host, all, or the one kept under ``name``; what was forgotten.

        Raises:
            NotFound: there are none.
        """
        ...

    async def logins(self, *, auth_file: str = "") -> list[Login]:
        """All credentials there are, by host; those of the engine's own have names."""
        ...

    async def push(self, spec: PushSpec) -> Job:
        """Bring an image to a registry; the job's result is ``repository@digest`` there.

        Raises:
            NotFound: no such image or login.
            InvalidInput: malformed reference, or a digest that is not the image's.
        """
        ...

    async def search(self, spec: SearchSpec) -> list[SearchHit]:
        """Names and descriptions that match, best first.

        Raises:
            NotFound: no such source of the catalog.
            Unsupported: the registry cannot be searched.
            LoginNeeded, Unreachable: from the registry.
        """
        ...

    async def tags(self, spec: TagsSpec) -> TagList:
        """The tags of a repository, all pages.

        Raises:
            NotFound: no such repository.
            LoginNeeded, Unreachable: from the registry.
        """
        ...
