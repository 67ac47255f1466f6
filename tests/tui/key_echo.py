"""A console in small: prints every key's name and bytes to the descriptor named in argv."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from textual.app import App

from tui.driver import DeckDriver
from widgets.terminal.raw_key import raw_bytes

if TYPE_CHECKING:
    from textual import events


class KeyEcho(App[None], inherit_bindings=False):
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, descriptor: int) -> None:
        super().__init__(driver_class=DeckDriver)
        self._descriptor = descriptor

    def on_ready(self) -> None:
        self._say(kind="ready")

    def on_key(self, event: events.Key) -> None:
        raw = raw_bytes(event)
        self._say(
            kind="key",
            key=event.key,
            character=event.character,
            raw=None if raw is None else raw.hex(),
            at=time.monotonic(),
        )

    def on_paste(self, event: events.Paste) -> None:
        self._say(kind="paste", text=event.text)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._say(kind="mouse", x=event.x, y=event.y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._say(kind="move", x=event.x, y=event.y)

    def _say(self, **fact: Any) -> None:
        os.write(self._descriptor, json.dumps(fact).encode() + b"\n")


if __name__ == "__main__":
    KeyEcho(int(sys.argv[1])).run()
