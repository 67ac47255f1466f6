"""Write the headers of a tar archive: ustar, with pax records where its fields are too small.

POSIX.1-2017 pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Storing
Sparse Files", version 1.0; star(5) for ``SCHILY.xattr``. The same entry gives the same bytes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from core.layers import tar
from core.layers.tar import BLOCK

if TYPE_CHECKING:
    from core.layers.tar import Entry

END = bytes(2 * BLOCK)
"""What follows the last entry."""

_HEADER = struct.Struct("100s8s8s8s12s12s8sc100s8s32s32s8s8s155s12s")
_FLAGS = {
    tar.FILE: b"0", tar.LINK: b"1", tar.SYMLINK: b"2", tar.CHARACTER: b"3", tar.DEVICE: b"4",
    tar.FOLDER: b"5", tar.FIFO: b"6",
}  # fmt: skip
_NANO = 10**9
_NAME = 100
_SMALL = 0o7777777  # the most in 7 octal digits
_LARGE = 0o77777777777  # the most in 11


def padding(size: int) -> bytes:
    """What follows ``size`` bytes of data up to the next block."""
    return bytes(-size % BLOCK)


def encode(entry: Entry) -> bytes:
    """Everything that stands before the data of ``entry``, with its sparse map if it has one.

    ``stored`` is not looked at: it is the size, or the sum of the regions.
    """
    records: dict[bytes, bytes] = {}
    name, size, data = entry.name, entry.size, b""
    if entry.kind != tar.FILE:
        size = 0
    elif entry.regions is not None:
        data = _sparse_map(entry.regions)
        records[b"GNU.sparse.major"], records[b"GNU.sparse.minor"] = b"1", b"0"
        records[b"GNU.sparse.name"] = entry.name
        records[b"GNU.sparse.realsize"] = b"%d" % entry.size
        size = len(data) + sum(length for _, length in entry.regions)
        name = b"GNUSparseFile.0/" + entry.name.rpartition(b"/")[2]
    seconds, nanoseconds = divmod(entry.mtime, _NANO)
    if nanoseconds or not 0 <= seconds <= _LARGE:
        records[b"mtime"] = _time(entry.mtime)
        seconds = min(max(seconds, 0), _LARGE)
    if len(name) > _NAME:
        records[b"path"] = name
    if len(entry.link) > _NAME:
        records[b"linkpath"] = entry.link
    numbers = ((b"uid", entry.uid, _SMALL), (b"gid", entry.gid, _SMALL), (b"size", size, _LARGE))
    records |= {key: b"%d" % value for key, value, most in numbers if value > most}
    for key in sorted(entry.xattrs or ()):
        records[b"SCHILY.xattr." + key] = (entry.xattrs or {})[key]
    block = _block(entry, name, size, seconds, _FLAGS[entry.kind])
    return (_pax(records, name) if records else b"") + block + data


def _block(entry: Entry, name: bytes, size: int, seconds: int, flag: bytes) -> bytes:
    device = entry.kind in (tar.CHARACTER, tar.DEVICE)
    return _checked(
        _HEADER.pack(
            name[:_NAME],
            b"%07o\0" % entry.mode,
            b"%07o\0" % (entry.uid if entry.uid <= _SMALL else 0),
            b"%07o\0" % (entry.gid if entry.gid <= _SMALL else 0),
            b"%011o\0" % (size if size <= _LARGE else 0),
            b"%011o\0" % seconds,
            b" " * 8,
            flag,
            entry.link[:_NAME],
            b"ustar\x0000",
            b"",
            b"",
            b"%07o\0" % (entry.major if device else 0),
            b"%07o\0" % (entry.minor if device else 0),
            b"",
            b"",
        )
    )


def _checked(block: bytes) -> bytes:
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _time(nanoseconds: int) -> bytes:
    sign = b"-" if nanoseconds < 0 else b""
    seconds, rest = divmod(abs(nanoseconds), _NANO)
    return sign + b"%d" % seconds + (b".%09d" % rest).rstrip(b"0").rstrip(b".")


def _pax(records: dict[bytes, bytes], name: bytes) -> bytes:
    """The extended header that overrides the next one."""
    named = [value for key, value in records.items() if key.endswith((b"path", b"name"))]
    if any(not _is_utf8(value) for value in named):
        records = {b"hdrcharset": b"BINARY", **records}
    data = b"".join(_record(key, value) for key, value in records.items())
    plain = tar.Entry()
    plain.kind, plain.mode, plain.uid, plain.gid, plain.link = tar.FILE, 0o644, 0, 0, b""
    block = _block(plain, b"PaxHeaders.0/" + name.rpartition(b"/")[2][:80], len(data), 0, b"x")
    return block + data + padding(len(data))


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _record(key: bytes, value: bytes) -> bytes:
    """``length key=value``: the length counts its own digits."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    if len(str(length)) > len(str(rest)):
        length += 1
    return b"%d %s=%s\n" % (length, key, value)


def _sparse_map(regions: list[tuple[int, int]]) -> bytes:
    text = b"%d\n" % len(regions)
    text += b"".join(b"%d\n%d\n" % region for region in regions)
    return text + padding(len(text))
