"""The history of an image, newest first, joined with its layers."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from core.domain import HistoryEntry
from widgets import format as fmt
from widgets.line_list import Column, LineList, Look


def _layer(entry: HistoryEntry) -> str:
    return fmt.short(entry.layer.digest, 8) if entry.layer else "(empty)"


def _layer_look(entry: HistoryEntry) -> Look:
    return "busy" if entry.layer else "dim"


def _created_by(entry: HistoryEntry) -> str:
    text = entry.created_by or entry.comment
    for shell in ("/bin/sh -c #(nop) ", "/bin/sh -c "):
        if text.startswith(shell):
            return text.removeprefix(shell).strip()
    return text


class HistoryList(LineList[HistoryEntry]):
    """One line a step: its layer, its size, what made it."""

    EMPTY: ClassVar = ("no history",)

    @override
    def columns(self) -> list[Column[HistoryEntry]]:
        return [
            Column("LAYER", 8, _layer, _layer_look, keep=8),
            Column(
                "SIZE",
                8,
                lambda e: fmt.size(e.size) if e.layer else "",
                sort=lambda e: -e.size,
                right=True,
                keep=9,
            ),
            Column("CREATED BY", 20, _created_by, lambda _: "name", flex=True, keep=10),
        ]

    @override
    def key(self, row: HistoryEntry) -> object:
        return row.created, row.created_by, _layer(row)

    def summary(self) -> str:
        """``4 layers · 78.1 MB``."""
        layers = [entry for entry in self._rows if entry.layer]
        if not layers:
            return ""
        total = sum(entry.size for entry in layers)
        return f"{fmt.plural(len(layers), 'layer')} · {fmt.size(total)}"
