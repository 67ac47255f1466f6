"""The top line: where one is, how much there is, what runs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from widgets import format as fmt
from widgets.part_line import Part, PartLine

_SPARKS = " ▁▂▃▄▅"


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the header says."""

    host: str = "local"
    state: str = ""
    """``connecting`` or ``connection lost``; empty while all is well."""
    distros: int = 0
    shells: int = 0
    pulls: int = 0
    per_second: float = 0.0
    store: int = 0


class Header(PartLine):
    """Counts and a live total rate; where room lacks, the last ones are left out."""

    DEFAULT_CSS = """
    Header { background: $panel; padding: 0 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._rates: deque[float] = deque(maxlen=6)
        self._ticked = 0.0

    def tick(self, per_second: float, now: float) -> None:
        """Note the total rate; the spark line shows the last ones, a second apart."""
        if now - self._ticked >= 1.0:
            self._ticked = now
            self._rates.append(per_second)

    def update(self, totals: Totals) -> None:
        """Show these totals."""
        parts = [Part("distrodeck", "key"), Part(f"  {totals.host}  ", "strong")]
        if totals.state:
            parts.append(Part(totals.state, "warn"))
        else:
            parts.append(Part(fmt.plural(totals.distros, "distro"), "dim"))
            parts.append(Part(f" · {fmt.plural(totals.shells, 'shell')}", "dim"))
        if totals.pulls:
            parts.append(Part(f" · {fmt.plural(totals.pulls, 'pull')} ", "dim"))
            parts.append(Part(self._sparks(), "ok"))
            parts.append(Part(f" {fmt.rate(totals.per_second)}", "ok"))
        if totals.store:
            parts.append(Part(f" · store {fmt.size(totals.store)}", "dim"))
        self.show(parts, (Part("? ", "key", "screen.help"), Part("keys", "dim", "screen.help")))

    def _sparks(self) -> str:
        highest = max(self._rates, default=0.0)
        if highest <= 0:
            return ""
        steps = len(_SPARKS) - 1
        return "".join(_SPARKS[round(rate / highest * steps)] for rate in self._rates)
