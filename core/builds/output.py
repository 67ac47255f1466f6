"""What a build says: lines, spooled to a file, read from the start and followed to the end."""

from __future__ import annotations

import asyncio
import os
import struct
import tempfile
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from core.text import clean
from core.verbs.builds import BuildLine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MOST_BYTES = 32 << 20
"""Spooled for one build; what its commands write beyond that is left out."""
LONGEST = 4096
"""Characters of a line; the rest is left out."""
_RESERVE = 1 << 20
"""Of the spool, for what the builder itself says."""
_LENGTH = struct.Struct(">I")


class Output:
    """One build's lines. The file has no name: it goes with this object, or with the process."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by close()
        self._size = 0
        self._began = time.monotonic()
        self._cut = False
        self._over = False
        self._news = asyncio.Event()

    def say(self, line: BuildLine) -> None:
        """Add a line; its time is set here, its text made safe to show."""
        if line.kind in ("output", "error") and self._size > MOST_BYTES - _RESERVE:
            if self._cut:
                return
            self._cut = True
            line = replace(line, kind="note", text="more output than is kept; the rest is left out")
        text = clean(line.text.rstrip("\r\n").expandtabs(), LONGEST)
        line = replace(line, text=text, time=time.monotonic() - self._began)
        body = msgspec.json.encode(line)
        data = _LENGTH.pack(len(body)) + body
        if self._over or self._size + len(data) > MOST_BYTES:
            return
        try:
            os.pwrite(self._file.fileno(), data, self._size)
        except OSError:  # a full disk: the build's own writes tell
            return
        self._size += len(data)
        self._wake()

    def end(self) -> None:
        """Nothing more comes."""
        self._over = True
        self._wake()

    def close(self) -> None:
        """Forget all of it; whoever still reads comes to the end."""
        self.end()
        self._file.close()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def lines(self) -> AsyncIterator[BuildLine]:
        """Every line from the first, then those that come, until the end."""
        offset = 0
        while not self._file.closed:
            news, over = self._news, self._over
            while offset < self._size and not self._file.closed:
                fd = self._file.fileno()
                (length,) = _LENGTH.unpack(os.pread(fd, _LENGTH.size, offset))
                body = os.pread(fd, length, offset + _LENGTH.size)
                offset += _LENGTH.size + length
                yield msgspec.json.decode(body, type=BuildLine)
            if over:
                return
            await news.wait()
