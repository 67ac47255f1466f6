"""The bytes of an archive, taken in exact pieces from chunks of any size."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from core.errors import Corrupt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write ``data`` whole; the kernel may take less at a time."""
    while data:
        data = data[os.write(fd, data) :]


class Stream:
    """A reader over chunks; ``what`` in its methods names the entry if the archive ends in it."""

    __slots__ = ("_at", "_chunk", "_chunks")

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self._chunk = b""
        self._at = 0

    def _next(self) -> bool:
        self._at = 0
        self._chunk = b""
        for chunk in self._chunks:
            if chunk:
                self._chunk = chunk
                return True
        return False

    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self._at >= len(self._chunk) and not self._next()

    def read(self, count: int, what: str) -> bytes:
        """Exactly ``count`` bytes.

        Raises:
            Corrupt: the archive ends before.
        """
        end = self._at + count
        if end <= len(self._chunk):
            data = self._chunk[self._at : end]
            self._at = end
            return data
        return b"".join(self._views(count, what))

    def copy(self, count: int, fd: int, what: str) -> None:
        """Write ``count`` bytes to ``fd``.

        Raises:
            Corrupt: the archive ends before.
        """
        end = self._at + count
        if end <= len(self._chunk):
            write_all(fd, self._chunk[self._at : end])
            self._at = end
            return
        for view in self._views(count, what):
            write_all(fd, view)

    def skip(self, count: int, what: str) -> None:
        """Leave out ``count`` bytes.

        Raises:
            Corrupt: the archive ends before.
        """
        end = self._at + count
        if end <= len(self._chunk):
            self._at = end
            return
        for _ in self._views(count, what):
            pass

    def expect_zeros(self) -> None:
        """Read to the end.

        Raises:
            Corrupt: there is anything but padding.
        """
        while not self.at_end():
            rest = self._chunk[self._at :]
            if rest.count(0) != len(rest):
                raise Corrupt("tar archive", "something follows its end")
            self._at = len(self._chunk)

    def _views(self, count: int, what: str) -> Iterator[memoryview]:
        while count:
            if self.at_end():
                raise Corrupt(what, "the archive is truncated")
            view = memoryview(self._chunk)[self._at : self._at + count]
            self._at += len(view)
            count -= len(view)
            yield view
