"""What ``.dockerignore`` leaves out of a build's context.

Dockerfile reference, ".dockerignore files": Go's ``filepath.Match`` with ``**``, the last line that
matches decides, ``!`` takes back in, and what a folder's pattern says holds for all in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 1 << 20
_NOTHING = re.compile(rb"(?!)")
MOST_PATTERNS = 10_000


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line."""

    parts: tuple[re.Pattern[bytes] | None, ...]
    """A component each; None is ``**``, any number of folders."""
    taken_back: bool

    def matches(self, path: tuple[bytes, ...]) -> bool:
        """Whether the whole of ``path`` is meant. Takes no longer than the product of both."""
        at = begin = 0
        star = -1
        for_star = 0
        while at < len(path):
            part = self.parts[begin] if begin < len(self.parts) else _NOTHING
            if part is None:
                if begin + 1 == len(self.parts):
                    return True  # at the end it means all that is in the folder
                star, for_star = begin, at
                begin += 1
            elif part.fullmatch(path[at]):
                at += 1
                begin += 1
            elif star >= 0:
                for_star += 1
                at, begin = for_star, star + 1
            else:
                return False
        return begin == len(self.parts)


class Ignore:
    """The lines of one file."""

    def __init__(self, patterns: tuple[Pattern, ...] = ()) -> None:
        self._patterns = patterns
        self.may_take_back = any(pattern.taken_back for pattern in patterns)
        """Whether something in a folder that is left out may be taken in all the same."""

    def leaves_out(self, path: tuple[bytes, ...]) -> bool:
        """Whether the file or folder at ``path`` below the context is left out."""
        if not self._patterns:
            return False
        prefixes = [path[:depth] for depth in range(len(path), 0, -1)]
        out = False
        for pattern in self._patterns:
            if pattern.taken_back == out and any(map(pattern.matches, prefixes)):
                out = not pattern.taken_back
        return out


def parse_ignore(data: bytes, file: str) -> Ignore:
    """Read a ``.dockerignore``.

    Raises:
        InvalidInput: a pattern is malformed; the error names file and line.
    """
    if len(data) > MOST_BYTES:
        raise InvalidInput(file, f"larger than {MOST_BYTES >> 20} MiB")
    found: list[Pattern] = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        text = line.strip()
        if not text or line.startswith(b"#"):
            continue
        taken_back = text.startswith(b"!")
        parts = _clean(text[taken_back:].strip())
        if not parts:
            if taken_back:
                raise InvalidInput(f"{file}:{number}", "a lone !")
            continue
        if len(found) >= MOST_PATTERNS:
            raise InvalidInput(f"{file}:{number}", f"more than {MOST_PATTERNS} lines")
        try:
            found.append(Pattern(tuple(_components(parts)), taken_back))
        except ValueError as error:
            raise InvalidInput(f"{file}:{number}", str(error)) from None
    return Ignore(tuple(found))


def _clean(pattern: bytes) -> list[bytes]:
    parts: list[bytes] = []
    for part in pattern.split(b"/"):
        if part == b"..":
            del parts[-1:]
        elif part not in (b"", b"."):
            parts.append(part)
    return parts


def _components(parts: list[bytes]) -> Iterator[re.Pattern[bytes] | None]:
    for part in parts:
        if part.startswith(b"**"):
            yield None
            part = part.lstrip(b"*")
            if not part:
                continue
        yield glob(part)


def glob(pattern: bytes) -> re.Pattern[bytes]:
    """A pattern of Go's ``filepath.Match`` for one component, as an expression to match it whole.

    Raises:
        ValueError: it is malformed.
    """
    pieces, piece, at = [], b"", 0
    while at < len(pattern):
        char = pattern[at : at + 1]
        at += 1
        if char == b"*":
            pieces.append(piece)
            piece = b""
        elif char == b"?":
            piece += b"."
        elif char == b"[":
            end = _class_end(pattern, at)
            piece += _class(pattern[at:end])
            at = end + 1
        elif char == b"\\":
            if at == len(pattern):
                raise ValueError("a pattern ends with its escape character")
            piece += re.escape(pattern[at : at + 1])
            at += 1
        else:
            piece += re.escape(char)
    out = piece
    if pieces:
        # What follows a * is taken where it comes first, for good: no pattern can take for ever.
        middle = b"".join(b"(?>.*?" + one + b")" for one in pieces[1:] if one)
        out = pieces[0] + middle + b".*" + piece
    try:
        return re.compile(out, re.DOTALL)
    except re.error as error:
        raise ValueError(f"malformed pattern: {error}") from None


def _class_end(pattern: bytes, at: int) -> int:
    start = at + (pattern[at : at + 1] == b"^")
    at = start
    while at < len(pattern):
        if pattern[at : at + 1] == b"\\":
            at += 1
        elif pattern[at : at + 1] == b"]" and at > start:
            return at
        at += 1
    raise ValueError("a pattern has [ without ]")


def _class(body: bytes) -> bytes:
    negated = body[:1] == b"^"
    out, at = b"", int(negated)
    while at < len(body):
        char = body[at : at + 1]
        if char == b"\\":
            at += 1
            out += re.escape(body[at : at + 1])
        elif char == b"-":
            out += char
        else:
            out += re.escape(char)
        at += 1
    return (b"[^" if negated else b"[") + out + b"]"
