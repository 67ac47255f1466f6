"""A session's output on disk: a log of records and the last two checkpoints.

Positions are counted from the session's first byte of log, record headers included, and stay
what they are when the head of the log is cut away. The file holds what came since the older of
the two checkpoints; :attr:`SessionLog.full` says that the writer has to wait.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import NamedTuple

from core.shells import frames
from core.terminal import logformat

CAP = 4 << 20
"""Bytes of log per session."""
_KEPT = 2
_CUT = 1 << 20
"""Cutting copies what is kept, so it waits until there is this much to cut."""


class Start(NamedTuple):
    """Where a client begins: restore ``checkpoint`` at this size, then read from ``offset``."""

    offset: int
    rows: int
    columns: int
    checkpoint: bytes


class SessionLog:
    """Append, read, cut."""

    def __init__(self, folder: str, rows: int, columns: int, cap: int = CAP) -> None:
        self._folder = folder
        self._cap = cap
        self._fd = self._create("log")
        self._sizes = [(0, rows, columns)]
        self._checkpoints: list[tuple[int, int, int]] = []
        self.base = 0
        """Position of the first byte that is still there."""
        self.end = 0
        """Position after the last record."""

    def close(self) -> None:
        """Close the file; it stays."""
        os.close(self._fd)

    @property
    def full(self) -> bool:
        """Whether the cap is reached: nothing should be appended before a cut."""
        return self.end - self.base >= self._cap

    @property
    def ripe(self) -> bool:
        """Whether so much came since the newest checkpoint that another one is due."""
        return self.end - self._newest() >= self._cap // 2

    def append(self, kind: int, payload: bytes) -> bytes:
        """Add a record and give it as it stands in the log. A full disk costs the history."""
        record = logformat.pack_record(kind, payload)
        if kind == logformat.RESIZE:
            rows, columns = logformat.Record(kind, payload).size
            self._sizes.append((self.end, rows, columns))
        try:
            self._write(record)
        except OSError:
            self.end += len(record)
            self.forget()
            return record
        self.end += len(record)
        return record

    def read(self, offset: int, limit: int) -> bytes:
        """Whole records from ``offset`` on: about ``limit`` bytes, at least one record."""
        data = os.pread(self._fd, limit, offset - self.base)
        length = logformat.whole_length(data)
        if not length and len(data) >= logformat.HEADER_SIZE:
            _, size = frames.HEADER.unpack_from(data)
            length = logformat.HEADER_SIZE + size
            data = os.pread(self._fd, length, offset - self.base)
        return data[:length]

    def start(self) -> Start:
        """Where a client that has nothing begins."""
        if not self._checkpoints:
            return Start(self.base, *self.size_at(self.base), b"")
        offset, rows, columns = self._checkpoints[-1]
        with open(self._checkpoint_path(offset), "rb") as file:
            return Start(offset, rows, columns, file.read())

    def hand_in(self, offset: int, checkpoint: bytes) -> bool:
        """Take a checkpoint of the screen at ``offset``; False for one that is of no use."""
        if not self._newest() < offset <= self.end or offset < self.base:
            return False
        path = self._checkpoint_path(offset)
        try:
            with open(path + ".new", "wb") as file:
                file.write(checkpoint)
            os.rename(path + ".new", path)
        except OSError:
            return False
        self._checkpoints.append((offset, *self.size_at(offset)))
        if len(self._checkpoints) > _KEPT:
            os.unlink(self._checkpoint_path(self._checkpoints.pop(0)[0]))
        if len(self._checkpoints) == _KEPT:
            oldest = self._checkpoints[0][0]
            if oldest - self.base >= _CUT or self.full:
                self.cut(oldest)
        return True

    def cut(self, offset: int) -> None:
        """Let go of everything before ``offset``, the beginning of a record."""
        rest = os.pread(self._fd, self.end - offset, offset - self.base)
        if rest:
            try:
                fresh = self._create("log.new")
            except OSError:
                return
            try:
                _write_whole(fresh, rest)
            except OSError:
                os.close(fresh)
                os.unlink(os.path.join(self._folder, "log.new"))
                return
            os.rename(os.path.join(self._folder, "log.new"), os.path.join(self._folder, "log"))
            os.close(self._fd)
            self._fd = fresh
        else:
            os.ftruncate(self._fd, 0)
        self.base = offset
        self._trim_sizes()

    def tail(self, lag: int) -> int:
        """Where to cut so that ``lag`` bytes stay, and half a log for who comes later."""
        wanted = self.end - max(lag, self._cap // 2 if lag == 0 else 0)
        at = self.base
        while at < wanted:
            for record in logformat.unpack_records(self.read(at, 1 << 16)):
                if at >= wanted:
                    break
                at += logformat.HEADER_SIZE + len(record.payload)
        return at

    def forget(self) -> None:
        """Let go of all of it, checkpoints too: the next reader starts from a blank screen."""
        for offset, _, _ in self._checkpoints:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._checkpoint_path(offset))
        self._checkpoints.clear()
        os.ftruncate(self._fd, 0)
        self.base = self.end
        self._trim_sizes()

    def size_at(self, offset: int) -> tuple[int, int]:
        """Rows and columns after the record that ends at ``offset``."""
        found = self._sizes[0]
        for entry in self._sizes:
            if entry[0] < offset:
                found = entry
        return found[1], found[2]

    def _newest(self) -> int:
        return self._checkpoints[-1][0] if self._checkpoints else self.base

    def _trim_sizes(self) -> None:
        rows, columns = self.size_at(self.base)
        later = [entry for entry in self._sizes if entry[0] >= self.base]
        # Strictly before the base, so that size_at(base) finds it and not a later one.
        self._sizes = [(self.base - 1, rows, columns), *later]

    def _write(self, record: bytes) -> None:
        try:
            _write_whole(self._fd, record)
        except OSError:
            os.ftruncate(self._fd, self.end - self.base)
            raise

    def _create(self, name: str) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        return os.open(os.path.join(self._folder, name), flags, 0o600)

    def _checkpoint_path(self, offset: int) -> str:
        return os.path.join(self._folder, f"checkpoint-{offset}")


def _write_whole(fd: int, data: bytes) -> None:
    """Write all of it. Raises: OSError, also where a disk that fills up took only a part."""
    if os.write(fd, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
