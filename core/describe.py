"""Distros as people see them: what the store has on file and what runs now, in one value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.domain import Distro

if TYPE_CHECKING:
    from core.shells.roster import Roster
    from core.store.records import DistroRecord, Sizes
    from core.store.store import Store


class Describer:
    """Joins the store and the roster; never waits."""

    def __init__(self, store: Store, roster: Roster) -> None:
        self._store = store
        self._roster = roster

    def distros(self) -> list[Distro]:
        """All installed distros by name."""
        sizes = self._store.distro_sizes()
        return [self._join(record, sizes[record.name]) for record in self._store.distros()]

    def distro(self, name: str) -> Distro:
        """One of them. Raises: NotFound."""
        return self._join(self._store.distro(name), self._store.distro_sizes()[name])

    def _join(self, record: DistroRecord, sizes: Sizes) -> Distro:
        return Distro(
            name=record.name,
            url=record.url,
            version=record.version,
            path=str(record.upper),
            size=sizes.unique + sizes.shared,
            unique_size=sizes.unique,
            shared_size=sizes.shared,
            image_digest=record.image_digest,
            repo_digest=record.repo_digest,
            platform=record.platform,
            state=self._roster.state(record),
            sessions=len(self._roster.live(record.name)),
            created=record.created,
            outdated=_is_outdated(record),
            used=record.used,
            os_name=record.os_name,
            warnings=record.warnings,
        )


def _is_outdated(record: DistroRecord) -> bool:
    return bool(record.newest) and not record.repo_digest.endswith(record.newest)
