"""Parse and print image references.

Grammar of the "distribution/reference" package as the OCI distribution specification uses it:
``[registry/]repository[:tag][@digest]``. As with every other client, a first part without a dot
or a port is no registry, and a missing registry means Docker Hub.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.domain import Platform
from core.errors import InvalidInput, Unsupported
from core.text import clean

HUB = "docker.io"
HUB_API = "registry-1.docker.io"

_LONGEST = 255
_HOST = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*|\[[0-9a-fA-F:.]{2,45}\])(?::[0-9]{1,5})?"
)
_PART = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}")
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where an image is: always with a registry, and with a tag, a digest or both."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""
    """When set it decides; the tag then only says what the person meant."""

    @property
    def name(self) -> str:
        """``registry/repository``."""
        return f"{self.registry}/{self.repository}"

    @property
    def api_host(self) -> str:
        """The host that answers for the registry."""
        return HUB_API if self.registry == HUB else self.registry

    @property
    def target(self) -> str:
        """What to ask the registry for: the digest, else the tag."""
        return self.digest or self.tag

    @property
    def short(self) -> str:
        """As a person writes it: Docker Hub and its ``library/`` left out."""
        text = str(self)
        library = text.removeprefix(f"{HUB}/library/")
        if self.registry != HUB or (library != text and "/" not in library):
            return library
        rest = text.removeprefix(f"{HUB}/")
        return text if _is_registry(rest.partition("/")[0]) else rest

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def parse_reference(text: str) -> Reference:
    """Read a reference as a person types it; ``docker://`` in front is allowed.

    Raises:
        InvalidInput: it is malformed; says what is wrong with it.
        Unsupported: its digest is not a sha256.
    """
    shown = clean(text, 200)
    rest = text.removeprefix("docker://")
    if not rest:
        raise InvalidInput("image reference", "is empty", hint="write registry/repository:tag")
    rest, at, digest = rest.partition("@")
    if at:
        check_digest(digest, of=shown)
    registry, repository, tag = _split(rest)
    if tag is not None and not _TAG.fullmatch(tag):
        why = f"bad tag {clean(tag, 140)!r}" if tag else "nothing after the colon"
        raise InvalidInput(shown, why, hint="a tag has letters, digits, _ . - and at most 128")
    _check_names(shown, registry, repository)
    if registry in ("index.docker.io", HUB_API):
        registry = HUB
    if registry == HUB and "/" not in repository:
        repository = f"library/{repository}"
    return Reference(
        registry=registry,
        repository=repository,
        tag=tag or ("" if digest else "latest"),
        digest=digest,
    )


def _split(text: str) -> tuple[str, str, str | None]:
    """Registry (with default), repository, tag or None."""
    head, slash, tail = text.partition("/")
    registry = HUB
    if slash and _is_registry(head):
        registry, text = head, tail
    repository, colon, tag = text.rpartition(":")
    if not colon:
        return registry, text, None
    return registry, repository, tag


def _is_registry(head: str) -> bool:
    """Whether the first of several parts names a registry."""
    return any(c in head for c in ".:[") or head == "localhost" or head.lower() != head


def _check_names(shown: str, registry: str, repository: str) -> None:
    if not _HOST.fullmatch(registry):
        raise InvalidInput(shown, f"bad registry {clean(registry, 100)!r}", hint="write host:port")
    port = registry.rpartition(":")[2] if not registry.endswith("]") else ""
    if ":" in registry and port.isdigit() and not 0 < int(port) < 65536:
        raise InvalidInput(shown, f"no port {port}", hint="ports are 1 to 65535")
    if not repository:
        raise InvalidInput(shown, "no repository", hint="write registry/repository:tag")
    if len(registry) + 1 + len(repository) > _LONGEST:
        raise InvalidInput(shown, f"name longer than {_LONGEST} characters", hint="shorten it")
    if repository != repository.lower():
        raise InvalidInput(shown, "repository names are lower case", hint=repository.lower()[:200])
    for part in repository.split("/"):
        if not _PART.fullmatch(part):
            why = f"bad part {clean(part, 100)!r} in the repository" if part else "an empty part"
            raise InvalidInput(
                shown, why, hint="letters and digits, with . _ - between them, apart by /"
            )


def check_digest(digest: str, *, of: str = "") -> str:
    """``digest`` itself, if it is a sha256 in its only right spelling.

    Raises:
        InvalidInput: it is no digest.
        Unsupported: another algorithm.
    """
    if _SHA256.fullmatch(digest):
        return digest
    shown = clean(digest, 100)
    if _DIGEST.fullmatch(digest) and not digest.startswith("sha256:"):
        raise Unsupported(of or shown, f"digest algorithm {shown.partition(':')[0]}")
    raise InvalidInput(of or "digest", f"bad digest {shown!r}", hint="sha256: and 64 hex digits")


_ARCHITECTURES = frozenset(
    ("386", "amd64", "arm", "arm64", "loong64", "mips64le", "ppc64le", "riscv64", "s390x")
)
"""GOARCH of the Linux images that registries have."""


def parse_platform(text: str) -> Platform:
    """Read ``os/architecture[/variant]``; of Linux the architecture is enough.

    Raises:
        InvalidInput: it is not of that form.
    """
    parts = ["linux", text] if text in _ARCHITECTURES else text.split("/")
    if len(parts) not in (2, 3) or not all(re.fullmatch(r"[a-z0-9_.]{1,32}", p) for p in parts):
        raise InvalidInput(
            f"platform {clean(text, 60)!r}", "malformed", hint="write linux/amd64 or linux/arm/v7"
        )
    return Platform(os=parts[0], architecture=parts[1], variant=parts[2] if parts[2:] else "")
