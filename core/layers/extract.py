"""One layer from its archive to its tree: extraction, then settling if it needs lower layers."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from core.layers.apply import Applier
from core.layers.journal import read_journal, remove_journal, write_journal
from core.layers.stream import Stream
from core.layers.tar import Archive
from core.layers.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.layers.attributes import Stamper


class Extracted:
    """What an archive held.

    Attributes:
        size: Bytes of its files, holes included.
        entries: Its members, whiteouts included.
        needs_lower: Whether :func:`settle_tree` must finish the tree.
    """

    __slots__ = ("entries", "needs_lower", "size")

    def __init__(self, applier: Applier, *, needs_lower: bool) -> None:
        self.size = applier.size
        self.entries = applier.entries
        self.needs_lower = needs_lower


def extract(
    chunks: Iterable[bytes],
    root_fd: int,
    stamper: Stamper,
    *,
    most_entries: int,
    longest_path: int,
    most_bytes: int,
) -> Extracted:
    """Put the uncompressed archive into the empty directory ``root_fd``, which stays open.

    Raises:
        DeckError: the archive is damaged, hostile or beyond a limit.
        OSError: the kernel refused; ``filename`` is the entry's name.
    """
    with closing(Target(root_fd)) as target:
        stamper.drop_inherited(root_fd)
        stream = Stream(chunks)
        archive = Archive(stream, most_entries)
        applier = Applier(target, stream, stamper, most_bytes=most_bytes, longest_path=longest_path)
        applier.apply(archive)
        if archive.headers and not archive.ended:
            stamper.warnings.add("no end mark", b"archive")
        if archive.ignored_globals:
            stamper.warnings.add("global pax headers ignored", b"archive")
        needs_lower = target.needs_lower()
        if needs_lower:
            write_journal(target)
        else:
            target.prune()
            target.finish(stamper)
        return Extracted(applier, needs_lower=needs_lower)


def settle_tree(root_fd: int, lowers: Sequence[int], stamper: Stamper) -> None:
    """Finish a tree against the open root directories of the layers below, bottom to top.

    Raises:
        DeckError: a path or a hard link leads where it must not.
        OSError: the kernel refused.
    """
    from core.layers.below import Below
    from core.layers.settle import Settling

    with closing(read_journal(root_fd)) as target, closing(Below(lowers[::-1])) as below:
        Settling(target, below, stamper).settle()
        remove_journal(root_fd)
        target.prune()
        target.finish(stamper)
