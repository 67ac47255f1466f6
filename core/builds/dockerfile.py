"""Read a Dockerfile: its lines, continuations, here-documents and flags.

Dockerfile reference, "Format", "Parser directives", "Here-documents". What an instruction means
is for :mod:`core.builds.stages` and what follows it; here is only its shape, with its line.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.builds.words import raw_words, unquote
from core.errors import InvalidInput
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 2 << 20
"""Of a Dockerfile; with here-documents in it a real one may be long, but never so long."""

KEYWORDS = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip

_WITH_HEREDOCS = ("ADD", "COPY", "RUN")
_WITH_FLAGS = ("ADD", "COPY", "FROM", "HEALTHCHECK", "RUN")
_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*")
_HEREDOC = re.compile(r"(\d*)<<(-?)([^<]+)")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heredoc:
    """A here-document: text that stands in the Dockerfile in place of a file."""

    name: str
    text: str
    expand: bool
    """Whether variables in it mean something; not if its name was quoted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction."""

    keyword: str
    """In capitals."""
    text: str
    """What follows the keyword and its flags; continued lines are one line."""
    file: str
    """The Dockerfile's name, for errors."""
    line: int
    """Where it begins, counted from 1."""
    flags: tuple[tuple[str, str], ...] = ()
    """``--name=value`` as written, the names without dashes."""
    heredocs: tuple[Heredoc, ...] = ()
    escape: str = "\\"

    def fault(self, why: str, *, hint: str = "") -> InvalidInput:
        """The error that something in it cannot be meant."""
        return InvalidInput(f"{self.file}:{self.line}", f"{self.keyword}: {why}", hint=hint)

    def words(self) -> list[str] | None:
        """The words of a JSON array; None where it is none, which is then shell form."""
        if not self.text.startswith("["):
            return None
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError):
            return None
        if isinstance(found, list) and all(isinstance(word, str) for word in found):
            return found
        return None

    def flag(self, name: str, default: str = "") -> str:
        """The value of a flag that stands there once, or not at all."""
        found = [value for key, value in self.flags if key == name]
        if len(found) > 1:
            raise self.fault(f"--{name} twice")
        return found[0] if found else default

    def check_flags(self, *known: str) -> None:
        """Raises: InvalidInput, for a flag that nothing here knows."""
        for name, _ in self.flags:
            if name not in known:
                hint = f"known are {', '.join(f'--{one}' for one in known)}" if known else ""
                raise self.fault(f"--{name} is not supported", hint=hint)

    @property
    def original(self) -> str:
        """The instruction in one line, as a person would recognise it."""
        flags = "".join(
            f"--{name}={value} " if value else f"--{name} " for name, value in self.flags
        )
        return f"{self.keyword} {flags}{self.text}".strip()


def parse_dockerfile(data: bytes, file: str = "Dockerfile") -> list[Instruction]:
    """The instructions of a Dockerfile, in order.

    Raises:
        InvalidInput: it is no Dockerfile; the error names file and line.
    """
    if len(data) > MOST_BYTES:
        raise InvalidInput(file, f"larger than {MOST_BYTES >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InvalidInput(f"{file}:{line}", "not UTF-8 text") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InvalidInput(f"{file}:{line}", "a NUL character")
    found = list(_Reader(text, file))
    if not found:
        raise InvalidInput(file, "has no instructions", hint="begin with FROM")
    return found


def parse_line(text: str, file: str, line: int, escape: str = "\\") -> Instruction:
    """One instruction from its own line: what ONBUILD keeps, or ``--change`` takes.

    Raises:
        InvalidInput: it is none.
    """
    return _split(text.strip(), file, line, escape, ())


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self._lines = [line.removesuffix("\r") for line in text.split("\n")]
        self._file = file
        self._at = 0
        self._escape = "\\"

    def __iter__(self) -> Iterator[Instruction]:
        self._read_directives()
        continued = re.compile(rf"(?<!{re.escape(self._escape)}){re.escape(self._escape)}[ \t]*")
        while self._at < len(self._lines):
            start = self._at + 1
            logical = self._logical_line(continued)
            if logical:
                yield self._instruction(logical, start)

    def _read_directives(self) -> None:
        seen = set[str]()
        while self._at < len(self._lines):
            found = _DIRECTIVE.fullmatch(self._lines[self._at].strip())
            if not found or found[1].lower() not in ("syntax", "escape", "check"):
                return
            name, value = found[1].lower(), found[2]
            where = f"{self._file}:{self._at + 1}"
            if name in seen:
                raise InvalidInput(where, f"the directive {name} twice")
            seen.add(name)
            if name == "escape":
                if value not in ("\\", "`"):
                    raise InvalidInput(where, "escape has to be \\ or `")
                self._escape = value
            self._at += 1

    def _logical_line(self, continued: re.Pattern[str]) -> str:
        """The next instruction's text; comments and blank lines inside it are left out."""
        text = ""
        more = False
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            bare = line.strip()
            if not bare or bare.startswith("#"):
                if more:
                    continue
                return ""
            line = line if more else line.lstrip()
            body = line.rstrip(" \t")
            more = bool(continued.match(body, len(body) - 1)) if body else False
            text += body[:-1] if more else line.rstrip()
            if not more:
                break
        return text.strip()

    def _instruction(self, text: str, line: int) -> Instruction:
        keyword = text.split(None, 1)[0].upper()
        line = self._first_line(line)
        heredocs: tuple[Heredoc, ...] = ()
        target = text
        if keyword == "ONBUILD" and len(rest := text.split(None, 2)) > 2:
            keyword, target = rest[1].upper(), text.split(None, 1)[1]
        if keyword in _WITH_HEREDOCS and not target.split(None, 1)[-1].lstrip().startswith("["):
            heredocs = tuple(self._heredocs(text, line))
        return _split(text, self._file, line, self._escape, heredocs)

    def _first_line(self, line: int) -> int:
        while not self._lines[line - 1].strip():  # the line a logical line began on is never blank
            line += 1
        return line

    def _heredocs(self, text: str, line: int) -> Iterator[Heredoc]:
        for word in raw_words(text, self._escape):
            found = _HEREDOC.fullmatch(word)
            if not found:
                continue
            name, quoted = unquote(found[3], self._escape)
            if not name:
                continue
            yield Heredoc(
                name=name, text=self._heredoc(name, line, strip=bool(found[2])), expand=not quoted
            )

    def _heredoc(self, name: str, line: int, *, strip: bool) -> str:
        found: list[str] = []
        while self._at < len(self._lines):
            content = self._lines[self._at]
            self._at += 1
            if strip:
                content = content.lstrip("\t")
            if content == name:
                return "".join(found)
            found.append(f"{content}\n")
        raise InvalidInput(
            f"{self._file}:{line}", f"the here-document {clean(name, 40)} has no end", hint=name
        )


def _split(
    text: str, file: str, line: int, escape: str, heredocs: tuple[Heredoc, ...]
) -> Instruction:
    """Keyword, flags and the rest of one logical line."""
    where = f"{file}:{line}"
    if not text:
        raise InvalidInput(where, "an empty instruction")
    word, _, rest = _partition(text)
    keyword = word.upper()
    if keyword not in KEYWORDS:
        near = difflib.get_close_matches(keyword, KEYWORDS, n=1)
        hint = f"did you mean {near[0]}?" if near else "check the line before it, too"
        raise InvalidInput(where, f"no such instruction: {clean(word, 40)}", hint=hint)
    flags = []
    while keyword in _WITH_FLAGS and rest.startswith("--"):
        first = next(iter(raw_words(rest, escape)), "")
        found = _FLAG.fullmatch(first)
        rest = rest[len(first) :].lstrip()
        if first == "--":
            break
        if not found:
            raise InvalidInput(where, f"{keyword}: malformed flag {clean(first, 60)}")
        flags.append(
            (found[1], unquote(found[2] or "", escape)[0] if "$" not in first else found[2])
        )
    if not rest:
        raise InvalidInput(where, f"{keyword} needs something to follow it")
    return Instruction(
        keyword=keyword,
        text=rest,
        file=file,
        line=line,
        flags=tuple(flags),
        heredocs=heredocs,
        escape=escape,
    )


def _partition(text: str) -> tuple[str, str, str]:
    found = re.match(r"(\S+)(\s*)(.*)", text, re.DOTALL)
    return (found[1], found[2], found[3]) if found else (text, "", "")
