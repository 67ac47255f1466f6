"""The tabs: Home, then one for each session, with what happened in it since one looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from widgets.part_line import Part, PartLine

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One session's tab."""

    number: int
    """The digit that leads to it."""
    name: str
    exit_code: int | None = None
    """Set when it ended."""
    bell: bool = False
    activity: bool = False
    """There is output that nobody has seen."""


class SessionTabs(PartLine):
    """``≡ home │ 1 ubuntu* │ 2 alpine ! │ 3 debian x1 │ +``; the current one is in sight."""

    DEFAULT_CSS = """
    SessionTabs {
        background: $surface;
        & > .part-line--mode { background: $primary 30%; color: $foreground; text-style: bold; }
    }
    """

    def update(self, tabs: Sequence[Tab], current: int) -> None:
        """Show the tabs; ``current`` is the digit of the one looked at, 0 for Home."""
        home = Part(
            " ≡ home* " if current == 0 else " ≡ home ", _look(current == 0), "screen.tab(0)"
        )
        bar = Part("│", "dim")
        groups = [[bar, *_parts(tab, tab.number == current)] for tab in tabs]
        new = [bar, Part(" + ", "key", "screen.new_shell")]
        place = next((i for i, tab in enumerate(tabs) if tab.number == current), 0)
        left, right = _window(groups, place, self.size.width - 14)
        parts = [home]
        if left > 0:
            parts.append(Part("<", "dim"))
        parts += [part for group in groups[left:right] for part in group]
        if right < len(groups):
            parts.append(Part(">", "dim"))
        self.show([*parts, *new])


def _look(current: bool) -> str:
    return "mode" if current else ""


def _parts(tab: Tab, current: bool) -> list[Part]:
    action = f"screen.tab({tab.number})"
    name = f" {tab.number} {tab.name}{'*' if current else ''} "
    parts = [Part(name, _look(current), action)]
    if tab.exit_code is not None:
        parts.append(Part(f"x{tab.exit_code} ", "bad" if tab.exit_code else "dim", action))
    elif tab.bell:
        parts.append(Part("! ", "warn", action))
    elif tab.activity:
        parts.append(Part("● ", "ok", action))
    return parts


def _window(groups: Sequence[Sequence[Part]], place: int, room: int) -> tuple[int, int]:
    widths = [sum(cell_len(part.text) for part in group) for group in groups]
    left = right = place
    used = 0
    while right < len(widths) and used + widths[right] <= room:
        used += widths[right]
        right += 1
    while left > 0 and used + widths[left - 1] <= room:
        left -= 1
        used += widths[left]
    return left, max(right, min(place + 1, len(widths)))
