"""The bottom line: who gets the keys, and what the next useful keys are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from widgets.part_line import Part, PartLine

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Hint:
    """A key, what it does, and the action a click asks for."""

    key: str
    label: str
    action: str = ""


class StateLine(PartLine):
    """`` NORMAL `` or `` SHELL name 82x28 ``, told apart by word and by colour."""

    DEFAULT_CSS = """
    StateLine {
        background: $panel;
        &.-shell > .part-line--mode { background: $accent; }
    }
    """

    def update(
        self, mode: str, hints: Sequence[Hint], always: Sequence[Hint] = (), *, shell: bool
    ) -> None:
        """Say ``mode`` and ``hints``, as many as fit; ``always`` stays at the right."""
        self.set_class(shell, "-shell")
        parts = [Part(f" {mode} ", "mode"), Part(" ")]
        self.show([*parts, *hint_parts(hints)], hint_parts(always))


def hint_parts(hints: Sequence[Hint]) -> list[Part]:
    """Hints as parts: the key strong, the word beside it."""
    return [
        part
        for hint in hints
        for part in (
            Part(f" {hint.key}", "key", hint.action),
            Part(f" {hint.label} " if hint.label else " ", "", hint.action),
        )
    ]


class KeyRow(PartLine):
    """The keys of a dialog, along its lower edge."""

    DEFAULT_CSS = """
    KeyRow { margin-top: 1; }
    """

    def update(self, hints: Sequence[Hint]) -> None:
        """Show these keys."""
        self.show(hint_parts(hints))
