"""Where things are under the store's folder.

::

    index.sqlite  lock  reserve
    blobs/sha256/AB/ABCD…      verified content, named by its digest
    ingest/                    content on its way in; kept over a crash for resuming
    staging/RANDOM/fs          a layer being unpacked; thrown away at the next opening
    layers/KEY/fs              an unpacked layer; KEY is its diff_id, or its chain_id where its
                               content depends on the layers below
    l/N -> ../layers/KEY/fs    short names, since all options of a mount share one page
    distros/ID/{upper,work,home}
    builds/caches/HASH/fs      what builds keep from one to the next
    trash/RANDOM               renamed here, then deleted in the background

Trees are kept one folder down (``fs``): an image may give its root any owner and mode, and a
folder that is not ours cannot be renamed.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PASSING = "passing-"
"""How the names of files begin that are of no use to anybody but the job that made them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths under one store folder."""

    data: Path

    def make(self) -> None:
        """Create the folders that are missing, private to the user."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("ingest", "staging", "layers", "l", "distros", "trash"):
            (self.data / name).mkdir(exist_ok=True, mode=0o700)
        self.blobs.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def index(self) -> Path:
        """The SQLite file."""
        return self.data / "index.sqlite"

    @property
    def lock(self) -> Path:
        """Held while the store is open."""
        return self.data / "lock"

    @property
    def reserve(self) -> Path:
        """Space put by for a full disk."""
        return self.data / "reserve"

    @property
    def blobs(self) -> Path:
        """Folder of the blobs."""
        return self.data / "blobs" / "sha256"

    @property
    def ingest(self) -> Path:
        """Folder of content on its way in."""
        return self.data / "ingest"

    @property
    def staging(self) -> Path:
        """Folder of layers being unpacked."""
        return self.data / "staging"

    @property
    def layers(self) -> Path:
        """Folder of unpacked layers."""
        return self.data / "layers"

    @property
    def links(self) -> Path:
        """Folder of the short names."""
        return self.data / "l"

    @property
    def distros(self) -> Path:
        """Folder of the installed distros."""
        return self.data / "distros"

    @property
    def build_caches(self) -> Path:
        """Folder of what builds keep for the next ones; there once one did."""
        return self.data / "builds" / "caches"

    @property
    def trash(self) -> Path:
        """Folder of what is to be deleted."""
        return self.data / "trash"

    def blob(self, digest: str) -> Path:
        """A blob's file."""
        name = hex_of(digest)
        return self.blobs / name[:2] / name

    def partial(self, digest: str) -> Path:
        """The file of a blob on its way in."""
        return self.ingest / hex_of(digest)

    def passing(self) -> Path:
        """A new file beside the partial blobs that nobody goes on with after a crash."""
        return self.ingest / f"{PASSING}{secrets.token_hex(8)}"

    def layer(self, key: str) -> Path:
        """An unpacked layer's folder (the one that holds ``fs``)."""
        return self.layers / hex_of(key)

    def link(self, number: int) -> Path:
        """A layer's short name."""
        return self.links / format(number, "x")

    def discard(self, path: Path) -> None:
        """Move something to the trash; fine if it is not there."""
        try:
            path.rename(self.trash / secrets.token_hex(8))
        except FileNotFoundError:
            return


def hex_of(digest: str) -> str:
    """The hexadecimal part of ``sha256:…``."""
    return digest.removeprefix("sha256:")
