"""Facts that the engine tells whoever follows it.

Frozen and absolute: an event carries the whole new state of its thing, so a slow reader may be
given only the newest one of each. Output of shells is not an event; it is read from an
:class:`core.engine.Attachment`.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.domain import Catalog, Distro, Job, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChanged:
    """A job was made, went on or ended."""

    job: Job


@dataclass(frozen=True, slots=True, kw_only=True)
class DistroChanged:
    """A distro was installed, or its state, settings or sizes changed."""

    distro: Distro


@dataclass(frozen=True, slots=True, kw_only=True)
class DistroRemoved:
    """A distro is gone."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionChanged:
    """A session was opened, resized, titled, watched or left; ``exit_code`` set: it ended."""

    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogChanged:
    """A refresh brought other entries, or an error."""

    catalog: Catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the person should read that belongs to no single thing."""

    level: str
    text: str


Event = JobChanged | DistroChanged | DistroRemoved | SessionChanged | CatalogChanged | Notice
