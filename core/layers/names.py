"""Names in archives: bytes, hostile until split.

OCI image spec v1.1, layer.md, "Whiteouts".
"""

from __future__ import annotations

from core.errors import Hostile

WHITEOUT = b".wh."
META = b".wh..wh."
OPAQUE_MARK = b".wh..wh..opq"
JOURNAL = b".wh..wh..journal"
"""Where a layer that is not settled keeps its journal; no layer can hold such a name."""


def show(name: bytes) -> str:
    """A name for messages; control characters are replaced where they are shown."""
    return name.decode("utf-8", "backslashreplace")


def split(name: bytes) -> list[bytes]:
    """The components of an archive's path; empty for the root itself.

    Raises:
        Hostile: the name is empty, goes up, or has a whiteout for a folder.
    """
    if not name:
        raise Hostile("archive", "empty name")
    parts = [part for part in name.split(b"/") if part not in (b"", b".")]
    if b".." in parts:
        raise Hostile(show(name), "the path goes up")
    return parts
