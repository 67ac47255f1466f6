"""A pytest plugin that puts this emulator's screen and stream in the place of pyte's."""

from __future__ import annotations

import codecs

import pyte
from typing_extensions import override

from core.terminal.screen import Screen
from core.terminal.stream import Stream


class ByteStream(Stream):
    """The stream with pyte's interface for bytes."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @override
    def feed(self, data: bytes) -> None:  # type: ignore[override]
        super().feed(self._decoder.decode(data))


pyte.Screen = Screen
pyte.Stream = Stream
pyte.ByteStream = ByteStream
