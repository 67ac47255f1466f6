"""What the keys after the prefix do; shown when somebody hesitates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence


class WhichKey(Widget, inherit_bindings=False):
    """A table of keys in as many columns as fit."""

    DEFAULT_CSS = """
    WhichKey { height: auto; width: 100%; }
    """

    def __init__(
        self,
        keys: Sequence[tuple[str, str]],
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._keys = keys

    @override
    def render(self) -> Content:
        label = max(len(key) for key, _ in self._keys)
        cell = label + max(len(text) for _, text in self._keys) + 4
        across = max(1, self.size.width // cell)
        down = -(-len(self._keys) // across)
        lines = []
        for row in range(down):
            parts: list[Content | tuple[str, str]] = []
            for key, text in self._keys[row::down]:
                parts.append((f" {key:<{label}}", "bold $text-primary"))
                parts.append((f" {text:<{cell - label - 2}}", ""))
            lines.append(Content.assemble(*parts))
        return Content("\n").join(lines)
