"""What can be installed, and how fresh that knowledge is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from core.domain import Catalog, CatalogEntry
from widgets import format as fmt
from widgets.line_list import Column, LineList, Look

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


class CatalogList(LineList[CatalogEntry]):
    """The entries of every source of the catalog in one list."""

    EMPTY: ClassVar = (
        "The catalog is empty.",
        "",
        "ctrl+r  read its sources",
        "p       pull by name",
    )

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        self._sources: AbstractSet[str] = frozenset()
        super().__init__(id=id)

    @override
    def columns(self) -> list[Column[CatalogEntry]]:
        def installed(entry: CatalogEntry) -> bool:
            return entry.source in self._sources or entry.name in self._sources

        def look(entry: CatalogEntry) -> Look:
            return "ok" if installed(entry) else "dim"

        return [
            Column("", 1, lambda e: "✓" if installed(e) else "+", look, keep=9),
            Column("NAME", 16, lambda e: e.name, lambda _: "name", lambda e: e.name, True, keep=10),
            Column(
                "SIZE",
                8,
                lambda e: fmt.size(e.size),
                sort=lambda e: e.size or 0,
                right=True,
                keep=8,
            ),
            Column("SOURCE", 12, lambda e: e.catalog, _dim, lambda e: e.catalog, keep=5),
            Column("ARCH", 6, lambda e: e.architecture, _dim, keep=3),
            Column("TITLE", 22, lambda e: e.title, _dim, flex=True, keep=4),
        ]

    @override
    def key(self, row: CatalogEntry) -> object:
        return row.catalog, row.name

    def mark_installed(self, sources: AbstractSet[str]) -> None:
        """Tick the entries whose source or name is one of these."""
        if sources != self._sources:
            self._sources = sources
            self.refresh()


def _dim(entry: CatalogEntry) -> Look:
    return "dim"


def freshness(catalog: Catalog, now: float) -> str:
    """``read 3 h ago`` and, if a source does not answer, which one and why."""
    remote = [source for source in catalog.sources if source.url]
    times = [source.fetched for source in remote if source.fetched is not None]
    broken = [source for source in catalog.sources if source.error]
    parts: list[str] = []
    if times:
        age = fmt.age(now - max(times))
        parts.append("read now" if age == "now" else f"read {age} ago")
    elif remote:
        parts.append("never read: ctrl+r")
    if broken:
        more = f" +{len(broken) - 1}" if len(broken) > 1 else ""
        parts.append(f"! {broken[0].name}: {broken[0].error}{more}")
    return " · ".join(parts)
