"""What a program tells and asks beyond its cells: titles, colours, marks, notes, answers.

xterm control sequences (OSC and XTWINOPS), and OSC 133 for the marks. Replies are kept only
while ``answering``: viewers and replays must not answer.
"""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from core.terminal.editing import Editor
from core.terminal.marks import parse_mark, with_mark
from core.terminal.notifications import Notifications

TITLE_LIMIT = 1024
TITLE_STACK_LIMIT = 10
REPLY_LIMIT = 65536

Rgb = tuple[int, int, int]


class Announcer(Editor):
    """Cells, and everything a program says about them to whoever shows them."""

    def __init__(self, columns: int, lines: int, scrollback: int = 0) -> None:
        self.answering = False
        self.replies: list[str] = []
        self.bells = 0
        self.clipboard: list[str] = []
        self.notifications = Notifications()
        self.foreground: Rgb = (0xD0, 0xD0, 0xD0)
        """Answer to OSC 10 while the program set none; whoever draws sets the real one."""
        self.background: Rgb = (0x00, 0x00, 0x00)
        """Answer to OSC 11, likewise."""
        super().__init__(columns, lines, scrollback)

    @override
    def reset(self) -> None:
        """RIS: nothing was said yet."""
        self.title = ""
        self.icon_name = ""
        self.title_stack: list[str] = []
        self.directory = ""
        self.palette: dict[int, Rgb] = {}
        self.dynamic_colors: dict[int, Rgb] = {}
        """Colours the program set for text (10), background (11) and cursor (12)."""

    @override
    def set_title(self, param: str) -> None:
        self.title = param[:TITLE_LIMIT]

    @override
    def set_icon_name(self, param: str) -> None:
        self.icon_name = param[:TITLE_LIMIT]

    def push_title(self) -> None:
        """XTWINOPS 22."""
        self.title_stack.append(self.title)
        del self.title_stack[:-TITLE_STACK_LIMIT]

    def pop_title(self) -> None:
        """XTWINOPS 23."""
        if self.title_stack:
            self.title = self.title_stack.pop()

    def mark(self, body: str) -> None:
        """OSC 133; the alternate screen takes no marks."""
        if body.partition(";")[0] == "L" and self.cursor.x > 0:
            self.carriage_return()
            self.index()
        mark = parse_mark(body, self.cursor.x)
        if mark is not None and not self.alternate:
            line = self.grid[self.cursor.y]
            line.marks = with_mark(line.marks, mark)

    def dynamic_color(self, code: int) -> Rgb:
        """OSC 10 text, 11 background, 12 cursor: as the program set it, or as drawn."""
        default = self.background if code == 11 else self.foreground
        return self.dynamic_colors.get(code) or default

    @override
    def bell(self, *args: Any) -> None:
        self.bells += 1

    @override
    def write_process_input(self, data: str) -> None:
        if self.answering and sum(map(len, self.replies)) < REPLY_LIMIT:
            self.replies.append(data)
