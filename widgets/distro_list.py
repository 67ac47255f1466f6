"""The installed distros, and those that a running pull will make."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from core.domain import Distro, Job
from widgets import format as fmt
from widgets.line_list import Column, LineList, Look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

InstalledRow = Distro | Job

_GLYPHS = {"running": "●", "stopped": "○", "starting": "◐", "broken": "!"}


def _glyph(row: InstalledRow) -> str:
    return _GLYPHS[row.state] if isinstance(row, Distro) else "◐"


def _glyph_look(row: InstalledRow) -> Look:
    if isinstance(row, Job) or row.state == "starting":
        return "busy"
    return {"running": "ok", "broken": "bad"}.get(row.state, "dim")  # type: ignore[return-value]


def row_name(row: InstalledRow) -> str:
    """The name that a row has, or will have."""
    return row.name if isinstance(row, Distro) else row.title


def _shells(row: InstalledRow) -> str:
    if isinstance(row, Job):
        return "pull"
    return f"{row.sessions} sh" if row.sessions else ""


def _size(row: InstalledRow) -> str:
    if isinstance(row, Job):
        return fmt.percent(row.done, row.total) if row.phase == "fetch" else row.phase or row.state
    return fmt.size(row.size)


def _upgrade(distro: Distro) -> str:
    return "↑ outdated" if distro.outdated else ""


class DistroList(LineList[InstalledRow]):
    """What can be entered: name, shells, size and, with room, much more."""

    EMPTY: ClassVar = (
        "No distros here yet.",
        "",
        "Tab  what can be installed; this host's own root needs no network",
        "p    pull by catalog name, image reference, URL or path",
        "?    all keys",
    )

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        id: str | None = None,  # noqa: A002
    ) -> None:
        self._clock = clock
        self._outdated = False
        super().__init__(id=id)

    @override
    def columns(self) -> list[Column[InstalledRow]]:
        def used(row: InstalledRow) -> str:
            if isinstance(row, Job):
                return "now"
            return fmt.age(self._clock() - row.used) if row.used else fmt.DASH

        def of_distro(read: Callable[[Distro], str]) -> Callable[[InstalledRow], str]:
            return lambda row: read(row) if isinstance(row, Distro) else ""

        columns: list[Column[InstalledRow]] = [
            Column("", 1, _glyph, _glyph_look, keep=9),
            Column("NAME", 12, row_name, lambda _: "name", sort=row_name, flex=True, keep=10),
            Column(
                "SHELLS",
                6,
                _shells,
                lambda row: "busy" if isinstance(row, Job) else "ok",
                sort=lambda row: -row.sessions if isinstance(row, Distro) else 0,
                keep=8,
            ),
            Column("SIZE", 8, _size, sort=_size_key, right=True, keep=7),
            Column("USED", 6, used, sort=_used_key, right=True, keep=6),
            Column("VERSION", 8, of_distro(lambda d: d.version), keep=5),
            Column("PLATFORM", 14, of_distro(lambda d: str(d.platform)), _dim, keep=3),
            Column("DIGEST", 12, of_distro(lambda d: fmt.short(d.image_digest, 12)), _dim, keep=4),
            Column("SYSTEM", 24, of_distro(lambda d: d.os_name), _dim, flex=True, keep=2),
        ]
        if self._outdated:
            columns.append(Column("UPGRADE", 10, of_distro(_upgrade), lambda _: "warn", keep=8))
        return columns

    @override
    def show(self, rows: Iterable[InstalledRow]) -> None:
        """As every list does; a column for upgrades is there while one is to be had."""
        rows = list(rows)
        outdated = any(isinstance(row, Distro) and row.outdated for row in rows)
        if outdated != self._outdated:
            self._outdated = outdated
            self.change_columns()
        super().show(rows)

    @override
    def key(self, row: InstalledRow) -> object:
        return row_name(row)


def _dim(row: InstalledRow) -> Look:
    return "dim"


def _size_key(row: InstalledRow) -> int:
    return -row.size if isinstance(row, Distro) else 0


def _used_key(row: InstalledRow) -> float:
    return -row.used if isinstance(row, Distro) else float("-inf")
