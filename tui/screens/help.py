"""The keys, from the same table that the bindings come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static
from typing_extensions import override

from tui.keymap import COPY, NORMAL, PREFIX_LABEL, PREFIXED, Key
from tui.screens.dialog import Dialog
from widgets.state_line import Hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

_COLUMNS = (("Move", "Console"), ("Distro", "Pull", "List"))
_COPY_COLUMNS = 3


class HelpDialog(Dialog[None]):
    """NORMAL, what follows the prefix, and copy mode; the last first for who is in it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,q,enter", "close", "Close", show=False),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, *, copying: bool = False) -> None:
        super().__init__("Keys", classes="-help")
        self._copying = copying

    @override
    def body(self) -> ComposeResult:
        rows = [self._everywhere, self._copy_mode]
        with VerticalScroll(can_focus=False):
            for row in reversed(rows) if self._copying else rows:
                with Horizontal(classes="columns"):
                    yield from row()

    @override
    def hints(self) -> Sequence[Hint]:
        return (*super().hints(), Hint("j k", "more", "scroll(5)"))

    def _everywhere(self) -> ComposeResult:
        for groups in _COLUMNS:
            keys = [(group, [key for key in NORMAL if key.group == group]) for group in groups]
            yield Static(_table(keys), markup=False)
        yield Static(_table([(f"Shell: {PREFIX_LABEL}, then", PREFIXED)]), markup=False)

    def _copy_mode(self) -> ComposeResult:
        rows = -(-len(COPY) // _COPY_COLUMNS)
        title = f"Copy mode: {PREFIX_LABEL} ["
        for start in range(0, len(COPY), rows):
            yield Static(_table([(title, COPY[start : start + rows])]), markup=False)
            title = ""

    def action_scroll(self, lines: int) -> None:
        """Scroll."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def _table(groups: Sequence[tuple[str, Sequence[Key]]]) -> Content:
    lines: list[Content] = []
    width = max(len(key.shown) for _, keys in groups for key in keys)
    for title, keys in groups:
        if lines:
            lines.append(Content(""))
        lines.append(Content.styled(title, "bold $text-accent"))
        lines += [
            Content.assemble((f"{key.shown:<{width}} ", "bold $text-primary"), (key.sentence, ""))
            for key in keys
        ]
    return Content("\n").join(lines)
