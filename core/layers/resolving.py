"""Follow symbolic links inside a tree, by hand and within bounds.

path_resolution(7), with the tree's root for ``/`` and nothing above it. A link may be as long as a
path, so that forty of them can ask for eighty thousand steps, once for every member of an archive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Hostile
from core.layers.names import show

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_HOPS = 40
"""Symbolic links on one path, as in the kernel."""
MOST_STEPS = 4096
"""Components of one path, those of its links included; a path alone has at most 2048."""
MOST_STEPS_OF_ALL = 64 << 20
"""Bytes of all links that the members of one archive go through; a million members through links
as long as any distro has are half of it."""


def resolve(
    path: tuple[bytes, ...], link_at: Callable[[tuple[bytes, ...]], bytes | None]
) -> tuple[bytes, ...]:
    """``path`` with all links followed; what does not exist stays as it is.

    ``link_at`` gives the target of the link at a path that itself goes through none.

    Raises:
        Hostile: the path goes round in circles, or on and on.
    """
    done: list[bytes] = []
    todo = list(reversed(path))
    hops = steps = 0
    while todo:
        steps += 1
        part = todo.pop()
        if part in (b"", b"."):
            continue
        if part == b"..":
            done[-1:] = []
            continue
        link = link_at((*done, part))
        if link is None:
            done.append(part)
            continue
        hops += 1
        if hops > MOST_HOPS or steps > MOST_STEPS:
            raise Hostile(show(b"/".join(path)), "too many symbolic links")
        if link.startswith(b"/"):
            done = []
        todo.extend(reversed(link.split(b"/")))
    return tuple(done)
