"""A build's context: a folder, the tree of a tar archive, or a git repository; and its Dockerfile.

What comes from elsewhere is unpacked into a folder of this build, by the same means as layers and
as confined. A stream that is no archive is taken for a Dockerfile, as other builders do.
"""

from __future__ import annotations

import asyncio
import os
import stat
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.builds.confined import Tree, open_tree, split
from core.builds.dockerfile import MOST_BYTES
from core.builds.ignore import MOST_BYTES as MOST_IGNORED
from core.errors import Corrupt, Hostile, InvalidInput, NotFound
from core.layers.compression import HEAD, compression_of
from core.layers.unpack import open_unpacker, settle
from core.limits import DEFAULTS
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.limits import Limits
    from core.verbs.builds import BuildSpec

NAMES = ("Dockerfile", "Containerfile")
IGNORES = (".dockerignore", ".containerignore")
_CHUNK = 256 << 10
_TAR_MAGIC = slice(257, 262)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a build has to work with."""

    root: Path
    """Folder of its files; an empty one where there is no context."""
    dockerfile: bytes
    file: str
    """What errors call the Dockerfile."""
    ignore: str = ""
    """Lines of its ``.dockerignore``."""


async def unpack_content(
    content: AsyncIterator[bytes], root: Path, *, limits: Limits = DEFAULTS
) -> bytes:
    """Unpack an archive to ``root``, which must not exist; or give the Dockerfile that it is.

    Raises:
        Corrupt, Hostile, Unsupported: no archive that can be trusted, and no Dockerfile.
        NoSpace: the disk is full.
    """
    pieces = content.__aiter__()
    head = b""
    while len(head) < 2 * _CHUNK:
        piece = await anext(pieces, b"")
        if not piece:
            break
        head += piece
        if compression_of(head[:HEAD]) != "none" or len(head) >= 512:
            break
    if compression_of(head[:HEAD]) == "none" and head[_TAR_MAGIC] != b"ustar":
        if head and (len(head) < 512 or b"\0" not in head[:512]):
            return await _rest(head, pieces)
        if not any(head):
            raise InvalidInput("context", "empty", hint="send a tar archive, or a Dockerfile")
    async with open_unpacker(root, privileged=False, limits=limits) as unpacker:
        try:
            await unpacker.write(head)
            async for piece in pieces:
                await unpacker.write(piece)
            unpacked = await unpacker.finish()
            if unpacked.needs_lower:
                await settle(root, [], privileged=False)
        except (Corrupt, Hostile) as error:
            raise type(error)("context", error.message, hint="send a whole tar archive") from error
    return b""


async def _rest(head: bytes, pieces: AsyncIterator[bytes]) -> bytes:
    text = head
    async for piece in pieces:
        text += piece
        if len(text) > MOST_BYTES:
            raise InvalidInput("context", "neither a tar archive nor a Dockerfile")
    return text


async def read_file(path: Path) -> AsyncIterator[bytes]:
    """A file's bytes."""
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


def check_folder(path: Path) -> None:
    """Raises: NotFound or InvalidInput, where it can be no context."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except FileNotFoundError:
        raise NotFound(str(path), "no such folder", hint="name the context's folder") from None
    except OSError as error:
        why = (error.strerror or "cannot be read").lower()
        raise InvalidInput(str(path), why, hint="name a folder that you can read") from None


def open_context(root: Path, spec: BuildSpec, sent: bytes) -> Context:
    """Find the Dockerfile and the ``.dockerignore``; blocks.

    ``sent`` is a Dockerfile that came in place of an archive.

    Raises:
        NotFound: there is no Dockerfile.
        InvalidInput: it is too large, or no file.
    """
    with closing(_Root(root)) as files:
        if spec.dockerfile or sent:
            text, name = spec.dockerfile.encode() or sent, "Dockerfile"
        elif spec.file.startswith("/"):
            text, name = _read_host(spec.file), spec.file
        else:
            name = spec.file or files.first(NAMES) or NAMES[0]
            found = files.read(name, MOST_BYTES)
            if found is None:
                hint = "name it with --file; its path is looked for in the context"
                raise NotFound(clean(name, 200), "no such Dockerfile in the context", hint=hint)
            text = found
        return Context(
            root=root,
            dockerfile=text,
            file=clean(name.rstrip("/").rpartition("/")[2], 200) or NAMES[0],
            ignore=_ignore(files, name),
        )


def _ignore(files: _Root, dockerfile: str) -> str:
    own = f"{dockerfile}.dockerignore"
    if dockerfile.startswith("/"):
        try:
            return _read_host(own).decode("utf-8", "surrogateescape")
        except NotFound:
            own = ""
    for name in (own, *IGNORES):
        found = files.read(name, MOST_IGNORED) if name else None
        if found is not None:
            return found.decode("utf-8", "surrogateescape")
    return ""


def _read_host(path: str) -> bytes:
    folder, _, base = path.rpartition("/")
    try:
        with closing(_Root(folder or "/")) as files:
            found = files.read(base, MOST_BYTES)
    except OSError:
        found = None
    if found is None:
        raise NotFound(path, "no such Dockerfile", hint="check the path")
    return found


class _Root:
    """Small files of a folder."""

    def __init__(self, path: Path | str) -> None:
        self._tree: Tree = open_tree(os.fspath(path))

    def close(self) -> None:
        os.close(self._tree.fd)

    def first(self, names: tuple[str, ...]) -> str:
        for name in names:
            try:
                self._tree.resolve(split(os.fsencode(name)))
            except OSError:
                continue
            return name
        return ""

    def read(self, name: str, most: int) -> bytes | None:
        """A file's bytes; None where there is none. Raises: InvalidInput."""
        try:
            path = self._tree.resolve(split(os.fsencode(name)))
            if not path or not stat.S_ISREG(self._tree.lstat(path).st_mode):
                raise InvalidInput(clean(name, 200), "not a regular file")
            fd = self._tree.open_file(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise InvalidInput(clean(name, 200), (error.strerror or "unreadable").lower()) from None
        with os.fdopen(fd, "rb") as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise InvalidInput(clean(name, 200), f"larger than {most >> 20} MiB")
        return data
