"""tmux as an oracle: the screen it shows after the same bytes.

What it shows is stored (``python -m tests.core.terminal.tmux`` asks about every case anew), so
the tests need no tmux and do not depend on its version; stored was 3.3a.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from tests.core.terminal.cases import CASES, COLUMNS, ROWS
from tests.core.terminal.looks import Look, shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

STORED = Path(__file__).parent / "cases.tmux.z"

Shown = tuple[int, int, list[str]]
"""Row and column of the cursor, then the rows without trailing blanks."""

_ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "TERM": "xterm-256color"}


def key_of(data: bytes) -> str:
    """What bytes are stored under."""
    return hashlib.sha256(data).hexdigest()[:12]


class Tmux:
    """A server with one pane, begun anew for each piece of data; use it in ``with``."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.folder = tempfile.TemporaryDirectory()

    def _run(self, *arguments: str) -> str:
        command = ["tmux", "-S", f"{self.folder.name}/socket", "-f", "/dev/null", *arguments]
        return subprocess.run(
            command, check=True, env=_ENVIRONMENT, capture_output=True, text=True, timeout=10
        ).stdout

    def __enter__(self) -> Tmux:
        size = ("-x", str(self.columns), "-y", str(self.rows))
        self._run("new-session", "-d", *size, "sleep infinity")
        self._run("set", "-g", "status", "off")
        self._run("set", "-g", "remain-on-exit", "on")
        self._run("resize-window", *size)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run("kill-server")
        self.folder.cleanup()

    def show(self, data: bytes) -> Shown:
        """What stands on the screen after the bytes, which must not end inside a sequence."""
        source = Path(self.folder.name, "data")
        # The answer to the question tells that everything before it was read.
        source.write_bytes(data + b"\x1b[5n")
        command = f"stty raw -echo; cat {source}; head -c 4 >/dev/null; tmux wait-for -S fed"
        self._run("respawn-pane", "-k", f"{command}; exec sleep infinity")
        self._run("wait-for", "fed")
        position, *rows = self._run(
            "display", "-p", "#{cursor_y} #{cursor_x}", ";", "capture-pane", "-p"
        ).split("\n")
        y, x = map(int, position.split())
        return y, min(x, self.columns - 1), [row.rstrip(" ") for row in rows[: self.rows]]


def stored() -> dict[str, Shown]:
    """What tmux showed for each case."""
    shown: dict[str, Shown] = json.loads(zlib.decompress(STORED.read_bytes()))
    return shown


def shown_by(answer: Shown) -> Look:
    """The answer in the form in which two terminals are compared; it has no looks."""
    y, x, rows = answer
    return Look([shown(row) for row in rows], (y, x), False, [])


def ask(data: Iterable[bytes], rows: int, columns: int) -> dict[str, Shown]:
    """What tmux shows for each of these."""
    with Tmux(rows, columns) as tmux:
        return {key_of(one): tmux.show(one) for one in data}


def main() -> None:
    """Ask about every case and store the answers."""
    answers = ask((case.data for case in CASES), ROWS, COLUMNS)
    text = json.dumps(answers, ensure_ascii=False, separators=(",", ":"))
    STORED.write_bytes(zlib.compress(text.encode(), 9))
    sys.stdout.write(f"{len(answers)} cases\n")


if __name__ == "__main__":
    main()
