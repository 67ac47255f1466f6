"""What a command wrote, line by line; standard error is marked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from core.text import clean
from widgets.line_list import Column, LineList

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_MOST_LINES = 100_000


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One line."""

    number: int
    text: str
    error: bool


class OutputList(LineList[OutputLine]):
    """Lines without their escape sequences; ``!`` before those of standard error."""

    EMPTY: ClassVar = ("",)

    @override
    def columns(self) -> list[Column[OutputLine]]:
        return [
            Column("", 1, lambda line: "!" if line.error else "", lambda _: "bad", keep=9),
            Column(
                "OUTPUT",
                20,
                lambda line: line.text,
                lambda line: "warn" if line.error else "name",
                flex=True,
                keep=10,
            ),
        ]

    @override
    def key(self, row: OutputLine) -> object:
        return row.number

    def show_output(self, stdout: bytes, stderr: bytes) -> None:
        """Show both streams, standard output first."""
        width = max(20, self.size.width - 2)
        lines: list[OutputLine] = []
        for data, error in ((stdout, False), (stderr, True)):
            for text in data.decode(errors="replace").splitlines()[:_MOST_LINES]:
                plain = clean(_ESCAPES.sub("", text.expandtabs()), limit=100_000)
                for start in range(0, max(1, len(plain)), width):
                    lines.append(OutputLine(len(lines), plain[start : start + width], error))
        self.show(lines)
        self.explain_empty("it wrote nothing")
