"""What a terminal answers when nobody looks at it.

Many programs ask at their start and wait for the answer, so with no controller attached the
holder answers the two queries that have constant answers (ECMA-48 8.3.24 DA and 8.3.35 DSR).
"""

from __future__ import annotations

_ANSWERS = {
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[0c": b"\x1b[?62;22c",
    b"\x1b[5n": b"\x1b[0n",
}
_LONGEST = max(map(len, _ANSWERS))


class Answerer:
    """Find queries in a session's output, wherever reads have cut it."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> bytes:
        """The answers to the queries that end in ``data``, in their order."""
        seen = len(self._tail)
        text = self._tail + data
        self._tail = text[-(_LONGEST - 1) :]
        if b"\x1b[" not in text:
            return b""
        found = []
        for query, answer in _ANSWERS.items():
            at = text.find(query)
            while at >= 0:
                if at + len(query) > seen:
                    found.append((at, answer))
                at = text.find(query, at + 1)
        return b"".join(answer for _, answer in sorted(found))
