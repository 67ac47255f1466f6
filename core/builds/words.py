"""Words and variables as Dockerfiles have them: quotes, the escape character, ``${NAME:-…}``.

Dockerfile reference, "Environment replacement"; POSIX shell, 2.6.2, for the modifiers.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from core.errors import InvalidInput
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable


_FIRST = string.ascii_letters + "_"
_REST = _FIRST + string.digits
_SPECIAL = string.digits + "@*#?-$!"
_MODIFIERS = ("-", "+", "?")
_DEEPEST = 40


def expand(
    text: str,
    lookup: Callable[[str], str | None],
    escape: str = "\\",
    *,
    keep_quotes: bool = False,
) -> str:
    """One word with its variables replaced and, unless ``keep_quotes``, its quotes taken away.

    What a variable holds is not looked into again.

    Raises:
        InvalidInput: a brace or quote without its end, an unknown modifier, or ``${NAME:?…}``.
    """
    return "".join(
        piece for piece, _ in _Expander(text, lookup, escape, keep_quotes=keep_quotes).run()
    )


def expand_words(text: str, lookup: Callable[[str], str | None], escape: str = "\\") -> list[str]:
    """The words of ``text``; a variable outside of quotes may hold several."""
    words: list[str] = []
    open_word = False
    for piece, quoted in _Expander(text, lookup, escape, keep_quotes=False).run():
        if quoted:
            if not open_word:
                words.append("")
            words[-1] += piece
            open_word = True
            continue
        for at, part in enumerate(_cut(piece)):
            if at:
                open_word = False
            if part:
                if not open_word:
                    words.append("")
                words[-1] += part
                open_word = True
    return words


def _cut(piece: str) -> list[str]:
    """Split at white space; empty strings at the ends tell where some was."""
    parts = piece.split()
    if not parts:
        return ["", ""] if piece else [""]
    lead = [""] if piece[0].isspace() else []
    tail = [""] if piece[-1].isspace() else []
    return [*lead, *parts, *tail]


def raw_words(text: str, escape: str = "\\") -> list[str]:
    """The words of ``text`` with quotes and escapes as written; what is unclosed ends with it."""
    words: list[str] = []
    word = quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        if char == escape and quote != "'" and at + 1 < len(text):
            word += text[at : at + 2]
            at += 2
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char.isspace():
            if word:
                words.append(word)
                word = ""
            at += 1
            continue
        word += char
        at += 1
    return [*words, word] if word else words


def unquote(word: str, escape: str = "\\") -> tuple[str, bool]:
    """A word without its quotes and escapes, and whether there were quotes."""
    out = quote = ""
    quoted = False
    chars = iter(word)
    for char in chars:
        if char == escape and quote != "'":
            out += next(chars, "")
        elif quote:
            if char == quote:
                quote = ""
            else:
                out += char
        elif char in "'\"":
            quote, quoted = char, True
        else:
            out += char
    return out, quoted


class _Expander:
    """Pieces of text, each with whether it was quoted (and so stays one word)."""

    def __init__(
        self,
        text: str,
        lookup: Callable[[str], str | None],
        escape: str,
        *,
        keep_quotes: bool,
        depth: int = 0,
    ) -> None:
        if depth > _DEEPEST:
            raise InvalidInput("variable", f"nested more than {_DEEPEST} times")
        self._text = text
        self._lookup = lookup
        self._escape = escape
        self._keep = keep_quotes
        self._depth = depth
        self._at = 0
        self._found: list[tuple[str, bool]] = []

    def run(self) -> list[tuple[str, bool]]:
        """The pieces, in order."""
        text = self._text
        while self._at < len(text):
            char = text[self._at]
            if char == self._escape:
                self._escaped()
            elif char == "'" and not self._keep:
                end = text.find("'", self._at + 1)
                if end < 0:
                    raise InvalidInput(clean(text, 60), "a quote without its end")
                self._put(text[self._at + 1 : end], quoted=True)
                self._at = end + 1
            elif char == '"' and not self._keep:
                self._double()
            elif char == "$":
                self._put(self._variable(), quoted=self._keep)
            else:
                self._put(char, quoted=False)
                self._at += 1
        return self._found

    def _put(self, piece: str, *, quoted: bool) -> None:
        self._found.append((piece, quoted))

    def _escaped(self) -> None:
        following = self._text[self._at + 1 : self._at + 2]
        keep = self._keep and following not in ("$", self._escape)
        self._put((self._escape if keep or not following else "") + following, quoted=True)
        self._at += 2

    def _double(self) -> None:
        text = self._text
        self._at += 1
        self._put("", quoted=True)
        while self._at < len(text):
            char = text[self._at]
            if char == '"':
                self._at += 1
                return
            if char == "$":
                self._put(self._variable(), quoted=True)
                continue
            if char == self._escape and text[self._at + 1 : self._at + 2] in (
                '"',
                "$",
                self._escape,
            ):
                self._at += 1
                char = text[self._at]
            self._put(char, quoted=True)
            self._at += 1
        raise InvalidInput(clean(text, 60), "a quote without its end")

    def _variable(self) -> str:
        text = self._text
        self._at += 1
        following = text[self._at : self._at + 1]
        if following == "{":
            return self._braced()
        if following and following in _SPECIAL:
            self._at += 1
            return self._lookup(following) or ""
        name = self._name()
        return (self._lookup(name) or "") if name else "$"

    def _name(self) -> str:
        text, start = self._text, self._at
        if self._at < len(text) and text[self._at] in _FIRST:
            while self._at < len(text) and text[self._at] in _REST:
                self._at += 1
        return text[start : self._at]

    def _braced(self) -> str:
        text = self._text
        self._at += 1
        if text[self._at : self._at + 1] and text[self._at] in _SPECIAL:
            self._at += 1
            name = text[self._at - 1]
        else:
            name = self._name()
        if not name:
            raise InvalidInput(clean(text, 60), "${…} without a variable's name")
        value = self._lookup(name)
        if text[self._at : self._at + 1] == "}":
            self._at += 1
            return value or ""
        colon = text[self._at : self._at + 1] == ":"
        self._at += colon
        modifier = text[self._at : self._at + 1]
        if modifier not in _MODIFIERS or not modifier:
            why = f"${{{name}… has no end" if not modifier else f"unknown modifier {modifier!r}"
            raise InvalidInput(clean(text, 60), why, hint="known are :- :+ :? - + ?")
        self._at += 1
        word = self._word_in_braces(name)
        there = bool(value) if colon else value is not None
        if modifier == "-":
            return value or "" if there else word
        if modifier == "+":
            return word if there else ""
        if not there:
            raise InvalidInput(name, clean(word, 200) or "is not set")
        return value or ""

    def _word_in_braces(self, name: str) -> str:
        """What follows a modifier, up to the brace that closes it, with its own variables."""
        text, start, depth = self._text, self._at, 0
        while self._at < len(text):
            char = text[self._at]
            if char == self._escape:
                self._at += 1
            elif char == "$" and text[self._at + 1 : self._at + 2] == "{":
                depth += 1
                self._at += 1
            elif char == "}":
                if not depth:
                    inner = _Expander(
                        text[start : self._at],
                        self._lookup,
                        self._escape,
                        keep_quotes=self._keep,
                        depth=self._depth + 1,
                    )
                    self._at += 1
                    return "".join(piece for piece, _ in inner.run())
                depth -= 1
            self._at += 1
        raise InvalidInput(clean(text, 60), f"${{{name}… has no end")
