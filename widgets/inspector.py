"""What is known of one thing, as names and values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget
from typing_extensions import override

from core.domain import CatalogEntry, CatalogStatus, Distro
from widgets import format as fmt

if TYPE_CHECKING:
    from collections.abc import Sequence

Fact = tuple[str, str]


def distro_facts(distro: Distro, now: float) -> list[Fact]:
    """Everything about an installed distro."""
    shells = f" · {fmt.plural(distro.sessions, 'shell')}" if distro.sessions else ""
    shared = f" · {fmt.size(distro.shared_size)} shared" if distro.shared_size else ""
    facts = [
        ("Name", distro.name),
        ("System", distro.os_name),
        ("Version", distro.version),
        ("State", f"{distro.state}{shells}"),
        ("From", distro.url),
        ("Digest", distro.image_digest),
        ("Platform", str(distro.platform)),
        ("Size", f"{fmt.size(distro.size)}{shared}"),
        ("Used", _ago(now, distro.used)),
        ("Created", _ago(now, distro.created)),
        ("Changes", distro.path),
    ]
    facts += [("Warning", warning) for warning in distro.warnings]
    return [fact for fact in facts if fact[1]]


def entry_facts(entry: CatalogEntry) -> list[Fact]:
    """Everything about something that can be installed."""
    facts = [
        ("Name", entry.name),
        ("Title", entry.title),
        ("Version", entry.version),
        ("From", entry.source),
        ("Catalog", entry.catalog),
        ("Arch", entry.architecture),
        ("Fetches", fmt.size(entry.size) if entry.size else ""),
        ("Checksum", entry.checksum),
    ]
    return [fact for fact in facts if fact[1]]


def source_facts(sources: Sequence[CatalogStatus], now: float) -> list[Fact]:
    """How each source of the catalog stands."""
    facts = []
    for source in sources:
        read = _ago(now, source.fetched) if source.fetched else "never read"
        state = f"! {source.error} · last read {read}" if source.error else read
        facts.append((source.name, f"{fmt.plural(source.entries, 'entry')} · {state}"))
    return [(name, text.replace("entrys", "entries")) for name, text in facts]


def _ago(now: float, when: float) -> str:
    if not when:
        return "never"
    age = fmt.age(now - when)
    return age if age == "now" else f"{age} ago"


class Inspector(Widget, inherit_bindings=False):
    """Names on the left, values on the right, cut to the width."""

    DEFAULT_CSS = """
    Inspector { height: auto; width: 1fr; }
    """

    def __init__(
        self,
        *,
        wrap: bool = False,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._wrap = wrap
        self._facts: Sequence[Fact] = ()

    def show(self, facts: Sequence[Fact]) -> None:
        """Show these facts."""
        if facts != self._facts:
            self._facts = facts
            self.refresh(layout=True)

    @override
    def render(self) -> Content:
        label = max((len(name) for name, _ in self._facts), default=0) + 2
        room = max(8, self.size.width - label)
        lines: list[Content] = []
        for name, value in self._facts:
            pieces = _pieces(value, room) if self._wrap else [_middle(value, room)]
            look = "$text-warning" if name == "Warning" or value.startswith("!") else ""
            for number, piece in enumerate(pieces):
                head = name if number == 0 else ""
                lines.append(
                    Content.assemble((f"{head:<{label}}", "$foreground-muted"), (piece, look))
                )
        return Content("\n").join(lines)


def _middle(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    head = (room - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (room - 1 - head) :]}"


def _pieces(text: str, room: int) -> list[str]:
    return [text[start : start + room] for start in range(0, len(text), room)] or [""]
