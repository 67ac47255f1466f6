"""COPY and ADD: what they mean, and a digest of what they would place.

Dockerfile reference, "COPY" and "ADD". Where files come from is gathered here; placing them is for
:mod:`core.builds.worker`.
"""

from __future__ import annotations

import os
import posixpath
import re
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.builds.confined import open_tree
from core.builds.ignore import parse_ignore
from core.builds.selection import digest, select
from core.builds.stages import replaced
from core.builds.words import expand, raw_words
from core.errors import InvalidInput
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.builds.context import Context
    from core.builds.dockerfile import Heredoc, Instruction
    from core.builds.spec import GroupSpec
    from core.builds.state import State

_URL = re.compile(r"https?://", re.IGNORECASE)
_GIT = re.compile(r"(git@|git://|ssh://|https?://[^#]*\.git(#|$))", re.IGNORECASE)
_HEREDOC = re.compile(r"\d*<<-?([^<]+)")


@dataclass(slots=True, kw_only=True)
class Copy:
    """One COPY or ADD with its variables filled in."""

    step: Instruction
    target: str
    """Absolute; with a slash at its end if it was written so."""
    paths: list[str] = field(default_factory=list)
    """In the context, stage or image."""
    urls: list[str] = field(default_factory=list)
    documents: list[tuple[str, bytes]] = field(default_factory=list)
    """Here-documents by the name of the file they become."""
    source: str = ""
    """Stage or image; empty: the context."""
    owner: str = ""
    mode: int = -1
    checksum: str = ""

    @property
    def created_by(self) -> str:
        """For the history."""
        return self.step.original


def read_copy(step: Instruction, state: State) -> Copy:
    """Understand the instruction. Raises: InvalidInput, with file and line."""
    add = step.keyword == "ADD"
    step.check_flags("chown", "chmod", "link", *(("checksum",) if add else ("from",)))
    words = step.words()
    raw = raw_words(step.text, step.escape) if words is None else words
    heredocs = list(step.heredocs)
    if len(raw) < 2:
        raise step.fault("needs something to copy and a target", hint="COPY FROM… TO")
    target = replaced(step, raw[-1], state.lookup)
    if not target:
        raise step.fault("the target is empty")
    made = Copy(
        step=step,
        target=_absolute(state.workdir, target),
        source=replaced(step, step.flag("from"), state.lookup),
        owner=replaced(step, step.flag("chown"), state.lookup),
        mode=_mode(step, replaced(step, step.flag("chmod"), state.lookup)),
        checksum=replaced(step, step.flag("checksum"), state.lookup),
    )
    for word in raw[:-1]:
        if words is None and heredocs and _HEREDOC.fullmatch(word):
            heredoc = heredocs.pop(0)
            made.documents.append((heredoc.name, _text(step, heredoc, state.lookup)))
            continue
        text = replaced(step, word, state.lookup)
        if not text:
            raise step.fault(f"{clean(word, 60)} is empty", hint="name what to copy")
        if add and _GIT.match(text):
            raise step.fault("git repositories are not added", hint="clone it in a RUN")
        (made.urls if add and _URL.match(text) else made.paths).append(text)
    if made.checksum and (len(made.urls) != 1 or made.paths or made.documents):
        raise step.fault("--checksum is for one URL")
    return made


def _absolute(workdir: str, target: str) -> str:
    """The target from the root; ``.`` and a trailing slash say that it is a folder."""
    path = posixpath.normpath(posixpath.join("/", workdir, target))
    folder = target.endswith(("/", "/.")) or target == "."
    return f"{path.rstrip('/')}/" if folder else path


def _mode(step: Instruction, text: str) -> int:
    if not text:
        return -1
    if not re.fullmatch(r"[0-7]{3,4}", text):
        raise step.fault(f"--chmod={clean(text, 40)} is no octal mode", hint="--chmod=0755")
    return int(text, 8)


def _text(step: Instruction, heredoc: Heredoc, lookup: Callable[[str], str | None]) -> bytes:
    if not heredoc.expand:
        return heredoc.text.encode()
    try:
        return expand(heredoc.text, lookup, step.escape, keep_quotes=True).encode()
    except InvalidInput as error:
        raise step.fault(error.message, hint=error.hint) from None


def context_group(copy: Copy, context: Context) -> tuple[GroupSpec, str]:
    """Where its files come from in the context, and a digest of them; blocks.

    Raises:
        NotFound: something it names is not there.
        InvalidInput: something it names is not in the context, or cannot be read.
    """
    ignore = parse_ignore(context.ignore.encode("utf-8", "surrogateescape"), ".dockerignore")
    tree = open_tree(os.fspath(context.root))
    with closing(_Closing(tree.fd)):
        found = digest(tree, select(tree, copy.paths, ignore), ignore)
    group = folder_group(context.root, copy.paths, extract=copy.step.keyword == "ADD")
    group["ignore"] = context.ignore
    return group, found


def folder_group(root: Path, wanted: list[str], *, extract: bool = False) -> GroupSpec:
    """Files of a folder."""
    return {
        "tree": str(root),
        "layers": [],
        "wanted": wanted,
        "ignore": "",
        "extract": extract,
        "keep_owners": False,
    }


def layers_group(layers: list[Path], wanted: list[str]) -> GroupSpec:
    """Files of a stage or an image."""
    return {
        "tree": "",
        "layers": [str(path) for path in layers],
        "wanted": wanted,
        "ignore": "",
        "extract": False,
        "keep_owners": True,
    }


def write_documents(copy: Copy, folder: Path) -> GroupSpec:
    """Here-documents as files of a folder; blocks."""
    folder.mkdir()
    for name, data in copy.documents:
        if "/" in name or name in (".", ".."):
            raise copy.step.fault(f"{clean(name, 60)!r} cannot be a file's name")
        path = folder / name
        path.write_bytes(data)
        path.chmod(0o644)
    # names are no patterns: what means something in one is escaped
    return folder_group(folder, [literal(name) for name, _ in copy.documents])


def literal(name: str) -> str:
    """A pattern that means just this name."""
    return re.sub(r"([*?\[\\])", r"\\\1", name)


class _Closing:
    def __init__(self, fd: int) -> None:
        self._fd = fd

    def close(self) -> None:
        os.close(self._fd)
