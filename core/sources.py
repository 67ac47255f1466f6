"""Find out what a pull means: where from, which kind, and what to call the result.

``dev.avyos.distro`` Pull has a name and a source; an empty source means the catalog. A source
that is written out may be a catalog name too, as that is what people type first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.errors import InvalidInput, NotFound
from core.images.reference import Reference, parse_reference
from core.images.tarball import parse_checksum
from core.text import clean
from core.urls import check_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.domain import CatalogEntry, PullSpec

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_ARCHIVES = re.compile(r"\.(tar(\.(gz|xz|zst|bz2))?|tgz|txz|tbz2?|tzst|wsl)$", re.IGNORECASE)

HOST_SOURCE = "host:"
"""The source that means this machine's own root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a pull will fetch, and the name of the distro it will make."""

    name: str
    url: str
    """As the person or the catalog named it; kept as the distro's ``url``."""
    kind: Literal["oci", "rootfs", "host"]
    reference: Reference | None = None
    """For ``oci``."""
    checksum: str = ""
    guessed: bool = False
    """No catalog has the name, and it names no registry: Docker's is asked."""
    version: str = ""
    """What the catalog says; used where the rootfs itself says nothing."""


def check_name(name: str) -> str:
    """``name``, if a distro may be called that. Raises: InvalidInput."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"distro name {clean(name, 80)!r}",
            "not usable" if name else "is empty",
            hint="1 to 63 letters, digits, dots, dashes and underscores, a letter or digit first",
        )
    return name


def plain_name(name: str) -> str:
    """A catalog name as a distro's name: ``debian/12`` is called ``debian-12``."""
    return name.replace("/", "-").replace(":", "-")


def find_source(spec: PullSpec, find: Callable[[str], CatalogEntry]) -> Source:
    """What ``spec`` asks for; ``find`` looks a name up in the catalog.

    Raises:
        InvalidInput: malformed source or name.
        NotFound: no source, and the name is in no catalog.
    """
    if not spec.source:
        if not spec.name:
            hint = "distrodeck ls --available shows what there is"
            raise InvalidInput("pull", "neither a name nor a source", hint=hint)
        return _from_entry(find(spec.name), spec, named=bool(_NAME.fullmatch(spec.name)))
    if spec.source == HOST_SOURCE:
        return Source(name=check_name(spec.name or "host"), url=HOST_SOURCE, kind="host")
    if spec.source.startswith(("http://", "https://", "/")):
        return _from_archive(spec)
    if spec.source.startswith((".", "~", "file:")):
        raise InvalidInput(
            clean(spec.source, 200), "not an absolute path", hint="write it from the root, /..."
        )
    if entry := _in_catalog(spec.source, find):
        return _from_entry(entry, spec, named=bool(spec.name))
    reference = parse_reference(spec.source)
    return Source(
        name=check_name(spec.name or name_of(reference)),
        url=spec.source,
        kind="oci",
        reference=reference,
        guessed=not spec.source.startswith(f"{reference.registry}/"),
        checksum=_checksum(spec.checksum, reference),
    )


def _in_catalog(text: str, find: Callable[[str], CatalogEntry]) -> CatalogEntry | None:
    """The entry of exactly that name; a source that names its registry is never one."""
    first = text.partition("/")[0]
    if "@" in text or ("/" in text and ("." in first or ":" in first)):
        return None
    try:
        return find(text)
    except NotFound:
        return None


def _from_entry(entry: CatalogEntry, spec: PullSpec, *, named: bool) -> Source:
    reference = parse_reference(entry.source) if entry.kind == "oci" else None
    derived = name_of(reference) if reference else plain_name(entry.name)
    return Source(
        name=check_name(spec.name if named else derived),
        url=entry.source,
        kind=entry.kind,
        reference=reference,
        checksum=_checksum(spec.checksum, reference) or entry.checksum,
        version=entry.version,
    )


def _checksum(text: str, reference: Reference | None) -> str:
    """``text``, if it is a checksum and the source can have one. Raises: InvalidInput."""
    if text and reference:
        raise InvalidInput(
            "checksum", "is for tarballs", hint=f"write {reference.repository}@sha256:… instead"
        )
    if text:
        parse_checksum(text)
    return text


def _from_archive(spec: PullSpec) -> Source:
    if not spec.source.startswith("/"):
        try:
            check_url(spec.source, plain_http=True)  # whether it may be is the transport's word
        except ValueError as error:
            # Not the URL itself: it may hold a password.
            raise InvalidInput("source", str(error), hint="write https://host/path") from None
    stem = spec.source.partition("?")[0].rstrip("/").rpartition("/")[2]
    derived = re.sub(r"[^A-Za-z0-9._-]", "-", _ARCHIVES.sub("", stem)).lstrip("._-")[:63]
    return Source(
        name=check_name(spec.name or derived),
        url=spec.source,
        kind="rootfs",
        checksum=_checksum(spec.checksum, None),
    )


def name_of(reference: Reference) -> str:
    """What a distro pulled from ``reference`` is called: ``debian:12`` gives ``debian-12``."""
    last = reference.repository.rpartition("/")[2]
    tag = reference.tag if reference.tag not in ("", "latest") else ""
    return f"{last}-{tag}"[:63].rstrip("._-") if tag else last[:63]
