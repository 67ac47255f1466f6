"""Copy text out to the person's own clipboard, across SSH and tmux: OSC 52, or else a file.

xterm control sequences (OSC 52); tmux(1), allow-passthrough. Nobody answers an OSC 52, so what
is told is where the text was sent.
"""

from __future__ import annotations

import base64
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LIMIT = 74_994
"""Bytes sent by OSC 52: 100,000 characters of base64, which every terminal that has it takes."""
FILE = "copied.txt"
_WITHOUT = frozenset({"", "dumb", "linux", "vt100", "vt220"})
"""Terminals that have no clipboard."""


class Clipboard:
    """The way out of this terminal.

    Args:
        write: Sends a control sequence to the terminal.
        environ: Tells what the terminal is.
        folder: Where a text that cannot be sent is kept, in :data:`FILE`.
    """

    def __init__(
        self, write: Callable[[str], None], environ: Mapping[str, str], folder: Path
    ) -> None:
        self._write = write
        self._environ = environ
        self._file = folder / FILE

    def put(self, text: str) -> str:
        """Send ``text``; a sentence that says how much went where."""
        data = text.encode("utf-8", "replace")
        size = f"{len(data):,} bytes" if len(data) != 1 else "1 byte"
        why = self._hindrance(len(data))
        if not why:
            self._write(self._sequence(data))
            through = " through tmux" if self._environ.get("TMUX") else ""
            return f"copied {size} to the terminal's clipboard (OSC 52{through})"
        try:
            self._keep(data)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            return f"not copied: {why}, and {self._file}: {reason}"
        return f"copied {size} to {self._file}: {why}"

    def _hindrance(self, size: int) -> str:
        if size > LIMIT:
            return f"more than the {LIMIT:,} a terminal's clipboard takes"
        if self._environ.get("TERM", "") in _WITHOUT:
            return "this terminal has no clipboard"
        if self._environ.get("STY") and not self._environ.get("TMUX"):
            return "screen passes nothing on to the clipboard"
        return ""

    def _sequence(self, data: bytes) -> str:
        plain = f"\x1b]52;c;{base64.b64encode(data).decode('ascii')}\x07"
        if not self._environ.get("TMUX"):
            return plain
        # The first counts where set-clipboard is on, the other where allow-passthrough is.
        return f"{plain}\x1bPtmux;{plain.replace(chr(27), chr(27) * 2)}\x1b\\"

    def _keep(self, data: bytes) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Created private and renamed: what was copied may be a secret.
        descriptor, name = tempfile.mkstemp(dir=self._file.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(name).replace(self._file)
        except OSError:
            Path(name).unlink()
            raise
