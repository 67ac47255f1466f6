"""What an archive of images holds, by name; nothing of it is ever created under that name.

Links stay inside: ``docker save`` and ``podman save`` write a layer that two images share once
and link to it.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from core.errors import Corrupt, Hostile, InvalidInput
from core.limits import DEFAULTS
from core.pausing import passage
from core.store.ingest import CHUNK
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from contextlib import ExitStack
    from pathlib import Path

_MOST_LINKS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file or link of an archive."""

    name: str
    kind: Literal["file", "link"] = "file"
    size: int = 0
    target: str = ""
    """The name that a link leads to."""
    offset: int = 0
    """Where its bytes begin in what :attr:`Members.open` opens."""
    path: Path | None = None
    """Its bytes in a file of our own; None: in the archive."""
    shared: bool = False
    """Whether other members are in :attr:`path` too."""
    digest: str = ""
    """Of its bytes, where they have been read once."""


class Members:
    """The members of one archive by name."""

    def __init__(
        self, archive: str, open_: Callable[[Member], int], *, most: int, passing: ExitStack
    ) -> None:
        """``open_`` gives a descriptor for what is not in a file of our own.

        ``archive`` is what errors call it, ``most`` how many members it may have, ``passing``
        removes our own files.
        """
        self.archive = archive
        self.limits = DEFAULTS
        """What its documents may cost; for whoever opened it to set."""
        self._open = open_
        self._most = most
        self._passing = passing
        self._members: dict[str, Member] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._passing.close()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def add(self, member: Member) -> None:
        """Take a member in.

        Raises:
            Hostile: there is one of that name, or there are too many.
        """
        if member.name in self._members:
            raise Hostile(self.of(member.name), "is in the archive twice")
        if len(self._members) >= self._most:
            raise Hostile(self.archive, f"more than {self._most} members")
        self._members[member.name] = member

    def of(self, name: str) -> str:
        """How errors call a member."""
        return f"{self.archive}, {clean(name, 200)}"

    def find(self, name: str) -> Member:
        """The file under a name that a document of the archive gives; links are followed.

        Raises:
            Hostile: the name is absolute or goes up, or links go round in circles.
            Corrupt: there is no such member.
        """
        wanted = plain_name(name, of=self.of(name))
        for _ in range(_MOST_LINKS):
            member = self._members.get(wanted)
            if member is None:
                raise Corrupt(self.of(name), "is not in the archive")
            if member.kind == "file":
                return member
            wanted = member.target
        raise Hostile(self.of(name), "links that go round in circles")

    async def read(self, name: str, *, cap: int) -> bytes:
        """All of a small file.

        Raises:
            Hostile: it is longer than ``cap``; else as for :meth:`find`.
            Corrupt: the archive ends in it.
        """
        member = self.find(name)
        if member.size > cap:
            raise Hostile(self.of(name), f"larger than {cap} bytes")
        async with aclosing(self.chunks(member)) as chunks:
            return b"".join([chunk async for chunk in chunks])

    async def chunks(self, member: Member) -> AsyncGenerator[bytes]:
        """The bytes of a file, as many as its size says.

        Raises:
            Corrupt: it became shorter.
        """
        file = os.open(member.path, os.O_RDONLY | os.O_CLOEXEC) if member.path else -1
        if file < 0:
            file = self._open(member)
        try:
            done = 0
            while done < member.size:
                await passage()
                count = min(CHUNK, member.size - done)
                chunk = await asyncio.to_thread(os.pread, file, count, member.offset + done)
                if not chunk:
                    raise Corrupt(self.of(member.name), "the archive is truncated")
                done += len(chunk)
                yield chunk
        finally:
            os.close(file)


def plain_name(name: str, *, of: str, below: str = "") -> str:
    """A name in its one form: no ``.``, no empty part; relative to the folder ``below``.

    Raises:
        Hostile: it is absolute, holds NUL, or leaves the archive.
        InvalidInput: it is empty.
    """
    if not name:
        raise InvalidInput(of, "an empty name")
    if name.startswith("/") or "\0" in name:
        raise Hostile(of, "an absolute path" if "\0" not in name else "NUL in a name")
    parts: list[str] = [part for part in below.split("/") if part]
    for part in name.split("/"):
        if part == "..":
            if not parts:
                raise Hostile(of, "leads out of the archive")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
