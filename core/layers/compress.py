"""Compress an archive on its way out, and hash it before and after.

OCI image spec v1.1, layer.md: tar, tar+gzip, tar+zstd. Imported by the layer worker, whose start-up
is paid once a layer: the codecs load on first use. The same bytes give the same blob as long as
the codec's release is the same.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

Compression = Literal["none", "gzip", "zstd"]
"""What a blob that we write may be compressed with."""

_GZIP_LEVEL = 1
_ZSTD_LEVEL = 3
_GZIP_WINDOW = 31  # 15 bits, with gzip's header and no time in it
_GATHER = 256 << 10


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def open_compressor(kind: Compression) -> _Compressor:
    """A compressor of one member or frame."""
    compressor: _Compressor
    if kind == "gzip":
        from isal import isal_zlib

        compressor = isal_zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)
        return compressor
    if kind == "zstd":
        from backports import zstd

        return zstd.ZstdCompressor(level=_ZSTD_LEVEL)
    return _Plain()


class BlobWriter:
    """Takes an archive and gives the blob, in pieces, to ``output``."""

    def __init__(self, kind: Compression, output: Callable[[bytes], None]) -> None:
        self._compressor = open_compressor(kind)
        self._plain = kind == "none"
        self._output = output
        self._archive = hashlib.sha256()
        self._blob = hashlib.sha256()
        self._gathered: list[bytes] = []
        self._waiting = 0
        self.tar_size = 0
        """Bytes of the archive so far."""
        self.size = 0
        """Bytes of the blob so far."""

    def write(self, data: bytes) -> None:
        """The next bytes of the archive."""
        self._gathered.append(data)
        self._waiting += len(data)
        if self._waiting >= _GATHER:
            self._pass_on()

    def close(self) -> None:
        """All bytes were written."""
        self._pass_on()
        self._put(self._compressor.flush())

    @property
    def diff_id(self) -> str:
        """The digest of the archive."""
        return f"sha256:{self._archive.hexdigest()}"

    @property
    def digest(self) -> str:
        """The digest of the blob."""
        return self.diff_id if self._plain else f"sha256:{self._blob.hexdigest()}"

    def _pass_on(self) -> None:
        data = b"".join(self._gathered)
        self._gathered.clear()
        self._waiting = 0
        self.tar_size += len(data)
        self._archive.update(data)
        self._put(self._compressor.compress(data))

    def _put(self, data: bytes) -> None:
        if not data:
            return
        self.size += len(data)
        if not self._plain:
            self._blob.update(data)
        self._output(data)
