"""One layer of a pull as a line: short digest, bar, how far, how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.segment import Segment

from core.domain import LayerState
from widgets import format as fmt
from widgets.line_list import fit

if TYPE_CHECKING:
    from rich.style import Style

_FULL, _HALF, _REST = "━", "╸", "─"
_WORDS = {
    "waiting": "waiting",
    "verify": "verify",
    "unpack": "unpack",
    "done": "done",
    "exists": "have it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BarStyles:
    """The styles a bar is drawn with."""

    text: Style
    dim: Style
    full: Style
    done: Style
    rest: Style


def bar(done: int, total: int, width: int, styles: BarStyles) -> list[Segment]:
    """A bar of ``width`` cells with half-cell steps."""
    if total <= 0:
        return [Segment(" " * width, styles.text)]
    halves = min(2 * width, 2 * width * done // total)
    full, half = divmod(halves, 2)
    colour = styles.done if done >= total else styles.full
    segments = [Segment(_FULL * full + _HALF * half, colour)]
    if rest := width - full - half:
        segments.append(Segment(_REST * rest, styles.rest))
    return segments


def layer_line(layer: LayerState, width: int, styles: BarStyles) -> list[Segment]:
    """The whole line in ``width`` cells; a waiting layer has no bar."""
    state = _WORDS.get(layer.phase) or fmt.percent(layer.done, layer.total)
    if layer.phase in {"fetch", "verify", "push"}:
        amount = fmt.progress(layer.done, layer.total) if layer.total else fmt.size(layer.done)
    else:
        amount = fmt.size(layer.total) if layer.total else ""
    room = max(6, min(40, width - 34))
    done = layer.total if layer.phase in {"unpack", "done", "exists"} else layer.done
    head = Segment(f" {fmt.short(layer.digest, 8):<8}  ", styles.dim)
    body = (
        [Segment(" " * room, styles.text)]
        if layer.phase == "waiting"
        else bar(done, layer.total, room, styles)
    )
    tail = Segment(f"  {fit(state, 7)} ", styles.text if layer.phase != "waiting" else styles.dim)
    return [head, *body, tail, Segment(fit(amount, max(0, width - 21 - room)), styles.dim)]
