"""Undo the compression of layers and root file system tarballs.

OCI image spec v1.1, layer.md: tar, tar+gzip, tar+zstd. xz and bzip2 are how distributions publish
root file systems. The kind is read from the data, never from a media type or a file name.

Imported by the layer worker, whose start-up is paid once a layer: the codecs load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from core.errors import Corrupt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PIECE = 64 << 10  # of input: what follows a member's end is copied, so a small step bounds that
_OUTPUT = 512 << 10  # of output: a bomb is met in steps of this size
_XZ_MEMORY = 512 << 20  # xz -9 needs 65 MiB

HEAD = 6
"""Bytes that :func:`compression_of` needs to see."""


class _Codec(Protocol):
    """What isal, zstd, lzma and bz2 decompressors have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def compression_of(head: bytes) -> str:
    """``gzip``, ``zstd``, ``xz``, ``bzip2`` or ``none``, by the first :data:`HEAD` bytes."""
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    # A zstd file may start with a skippable frame (RFC 8878, 3.1.2).
    if head[:4] == b"\x28\xb5\x2f\xfd" or (
        head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F
    ):
        return "zstd"
    if head[:6] == b"\xfd7zXZ\x00":
        return "xz"
    if head[:3] == b"BZh":
        return "bzip2"
    return "none"


def _open_codec(kind: str) -> tuple[_Codec, type[Exception]]:
    codec: _Codec
    error: type[Exception]
    if kind == "gzip":
        from isal import igzip_lib

        codec = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
        error = igzip_lib.IsalError  # type: ignore[assignment]  # its stub says instance
        return codec, error
    if kind == "zstd":
        from backports import zstd

        return zstd.ZstdDecompressor(), zstd.ZstdError
    if kind == "xz":
        import lzma

        codec = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        return codec, lzma.LZMAError
    import bz2

    return bz2.BZ2Decompressor(), OSError


def load_codecs() -> None:
    """Load all of them now, for a process that will not be able to later."""
    for kind in ("gzip", "zstd", "xz", "bzip2"):
        _open_codec(kind)


def _pieces(source: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in source:
        for start in range(0, len(chunk), _PIECE):
            yield chunk[start : start + _PIECE]


def _expand_members(kind: str, source: Iterable[bytes]) -> Iterator[bytes]:
    """The content of one or more members or frames that follow each other."""
    codec: _Codec | None
    codec, error = _open_codec(kind)
    members = 0
    try:
        for piece in _pieces(source):
            data = piece
            while data or (codec and not codec.needs_input):
                if codec is None:
                    data = data.lstrip(b"\0")  # gzip(1) ignores zeros after the last member
                    if not data:
                        break
                    codec = _open_codec(kind)[0]
                output = codec.decompress(data, _OUTPUT)
                data = b""
                if output:
                    yield output
                if codec.eof:
                    data = codec.unused_data
                    codec = None
                    members += 1
    except error as fault:
        where = f"after {members} good parts" if members else "damaged"
        raise Corrupt(f"{kind} data", f"{where}: {str(fault).lower()}") from fault
    if codec is not None:
        raise Corrupt(f"{kind} data", "truncated")


def expand(source: Iterable[bytes]) -> Iterator[bytes]:
    """The uncompressed bytes of ``source``, in pieces of at most half a MiB.

    Raises:
        Corrupt: the data is truncated or damaged, or something else follows its end.
    """
    chunks = iter(source)
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD:
            break
    kind = compression_of(head)

    def whole() -> Iterator[bytes]:
        if head:
            yield head
        yield from chunks

    yield from whole() if kind == "none" else _expand_members(kind, whole())
