"""Read a tar archive: ustar, pax, GNU long names, base-256 numbers, GNU and pax sparse files.

POSIX.1-2017 pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar
Format". The standard library's reader is several times too slow for layers, and lenient where a
hostile archive must be refused.

Names and links stay bytes; nothing here touches a file system.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from core.errors import Corrupt, Hostile, Unsupported
from core.layers.names import show
from core.layers.numbers import parse_number
from core.layers.pax import parse_decimal, parse_records, parse_time
from core.layers.sparse import Region, old_map, pax_map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.layers.stream import Stream

BLOCK = 512
_ZERO = bytes(BLOCK)
_HEADER = struct.Struct("100s8s8s8s12s12s8sc100s8s32s32s8s8s155s12s")
_META_LIMIT = 1 << 20  # bytes of a pax header or long name; the same as in Go's reader
_NANO = 10**9
_LAST_SECOND = 1 << 34  # ext4 stores no later ones
_MOST_ID = 2**32 - 2  # -1 means "leave it" to chown(2)

FILE, LINK, SYMLINK, FOLDER = "file", "hard link", "symbolic link", "folder"
CHARACTER, DEVICE, FIFO = "character device", "block device", "fifo"
_KINDS = {
    b"0": FILE, b"\0": FILE, b"7": FILE, b"S": FILE, b"1": LINK, b"2": SYMLINK,
    b"3": CHARACTER, b"4": DEVICE, b"5": FOLDER, b"6": FIFO,
}  # fmt: skip


class Entry:
    """One member of an archive. A plain class: importing dataclasses costs the worker 9 ms.

    Attributes:
        name: As stored, not normalised; never with NUL.
        kind: One of the constants of this module.
        mode: Permission bits with set-uid, set-gid and sticky.
        mtime: Nanoseconds since the epoch.
        size: Bytes of the file once unpacked, holes included.
        stored: Bytes of data that follow in the archive.
        regions: Where the stored data belongs in a sparse file; None for any other.
        link: Target of a hard or symbolic link, as stored.
        xattrs: Extended attributes by name; None where there are none.
    """

    __slots__ = (
        "gid", "kind", "link", "major", "minor", "mode", "mtime",
        "name", "regions", "size", "stored", "uid", "xattrs",
    )  # fmt: skip

    name: bytes
    kind: str
    mode: int
    uid: int
    gid: int
    mtime: int
    size: int
    stored: int
    regions: list[Region] | None
    link: bytes
    major: int
    minor: int
    xattrs: dict[bytes, bytes] | None


def _verify_checksum(block: bytes) -> None:
    stored = block[148:156]
    expected = parse_number(stored, "checksum")
    found = sum(block) - sum(stored) + 8 * 0x20
    if found == expected:
        return
    # Some old writers summed signed characters.
    high = sum(1 for byte in block[:148] + block[156:] if byte > 127)
    if found - 256 * high != expected:
        raise Corrupt("tar header", "the checksum does not match")


def _to_nul(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


class _Pending:
    """What the headers before an entry say about it."""

    __slots__ = ("link", "name", "records")

    def __init__(self) -> None:
        self.name = b""
        self.link = b""
        self.records: dict[bytes, bytes] = {}


class Archive:
    """Iterates over the entries of an archive.

    The consumer takes an entry's ``stored`` bytes from the stream, or calls :meth:`skip`, before
    it asks for the next.
    """

    def __init__(self, stream: Stream, most_entries: int) -> None:
        self._stream = stream
        self._most = most_entries
        self.headers = 0
        """Headers read so far, those of pax records and long names included."""
        self.ended = False
        """Whether the two zero blocks at the end were there."""
        self.ignored_globals = 0
        """Global pax headers that said more than a comment."""

    def __iter__(self) -> Iterator[Entry]:
        """Every entry in the archive's order.

        Raises:
            Corrupt: the archive is truncated or damaged, or something follows its end.
            Hostile: a number is negative or impossible, or there are too many headers.
            Unsupported: a member is of an unknown type.
        """
        stream = self._stream
        pending = _Pending()
        fresh = True
        while not stream.at_end():
            block = stream.read(BLOCK, "tar header")
            if block == _ZERO:
                self._finish(fresh)
                return
            self.headers += 1
            if self.headers > self._most:
                raise Hostile("archive", f"more than {self._most} entries")
            _verify_checksum(block)
            flag = block[156:157]
            if flag in b"xXgLKV":
                self._read_meta(flag, block, pending)
                fresh = fresh and flag in b"gV"
                continue
            entry = self._parse(block, flag, pending)
            if not fresh:
                pending = _Pending()
                fresh = True
            yield entry
            if padding := -entry.stored % BLOCK:
                stream.skip(padding, "padding")
        if not fresh:
            raise Corrupt("tar header", "the archive is truncated")

    def skip(self, entry: Entry) -> None:
        """Leave out the data of ``entry``."""
        self._stream.skip(entry.stored, show(entry.name))

    def _finish(self, fresh: bool) -> None:
        if not fresh:
            raise Corrupt("tar header", "a pax or long name header describes nothing")
        self.ended = True
        self._stream.expect_zeros()

    def _read_meta(self, flag: bytes, block: bytes, pending: _Pending) -> None:
        """A header that describes the next one."""
        what = {b"L": "long name", b"K": "long link", b"V": "volume label"}.get(flag, "pax header")
        size = parse_number(block[124:136], "size")
        if size < 0 or size > _META_LIMIT:
            raise Hostile(what, f"impossible size {size}")
        data = self._stream.read(size, what)
        self._stream.skip(-size % BLOCK, what)
        if flag == b"L":
            pending.name = _to_nul(data)
        elif flag == b"K":
            pending.link = _to_nul(data)
        elif flag in b"xX":
            pending.records = parse_records(data, what)
        elif flag == b"g" and parse_records(data, what).keys() - {b"comment"}:
            self.ignored_globals += 1

    def _parse(self, block: bytes, flag: bytes, pending: _Pending) -> Entry:
        (name, mode, uid, gid, size, mtime, _, _, link, magic, _, _, major, minor, prefix, tail) = (
            _HEADER.unpack(block)
        )
        entry = Entry()
        name = _to_nul(name)
        if magic[:6] == b"ustar\0":  # GNU's header ("ustar  ") has times where the prefix is
            if tail[8:] == b"tar\0":  # star
                prefix = prefix[:131]
            if prefix[0]:
                name = _to_nul(prefix) + b"/" + name
        entry.name = pending.name or name
        entry.kind = _KINDS.get(flag, "")
        entry.link = pending.link or _to_nul(link)
        entry.mode = parse_number(mode, "mode") & 0o7777
        entry.uid = parse_number(uid, "owner")
        entry.gid = parse_number(gid, "group")
        entry.size = parse_number(size, "size")
        entry.mtime = parse_number(mtime, "time") * _NANO
        if entry.kind in (CHARACTER, DEVICE):
            entry.major = parse_number(major, "device")
            entry.minor = parse_number(minor, "device")
        entry.xattrs = None
        entry.regions = None
        if pending.records:
            _apply_records(entry, pending.records)
        if not entry.kind:
            raise Unsupported(show(entry.name), f"tar member of unknown type {flag!r}")
        if flag == b"\0" and entry.name.endswith(b"/"):
            entry.kind = FOLDER  # how archives from before ustar mark a folder
        self._settle_size(entry, flag, block, pending.records)
        if not 0 <= entry.uid <= _MOST_ID or not 0 <= entry.gid <= _MOST_ID:
            raise Hostile(show(entry.name), f"impossible owner {entry.uid}:{entry.gid}")
        if abs(entry.mtime) >= _LAST_SECOND * _NANO:
            entry.mtime = 0
        return entry

    def _settle_size(
        self, entry: Entry, flag: bytes, block: bytes, records: dict[bytes, bytes]
    ) -> None:
        what = show(entry.name)
        if entry.kind != FILE:
            entry.size = 0  # links may state the size of what they name; no data follows
        if entry.size < 0 or entry.size >> 62:
            raise Hostile(what, f"impossible size {entry.size}")
        entry.stored = entry.size
        if flag == b"S":
            entry.size, entry.regions = old_map(block, self._stream, entry.stored, what)
        elif records and entry.kind == FILE:
            found = pax_map(records, self._stream, entry.stored, what)
            if found:
                entry.size, entry.stored, entry.regions = found


def _apply_records(entry: Entry, records: dict[bytes, bytes]) -> None:
    """What pax records override; an empty value means the header's own."""
    what = show(entry.name)
    entry.name = records.get(b"GNU.sparse.name") or records.get(b"path") or entry.name
    entry.link = records.get(b"linkpath") or entry.link
    if b"\0" in entry.name or b"\0" in entry.link:
        raise Hostile(show(entry.name), "NUL in a name")
    if value := records.get(b"size"):
        entry.size = parse_decimal(value, what)
    if value := records.get(b"uid"):
        entry.uid = parse_decimal(value, what)
    if value := records.get(b"gid"):
        entry.gid = parse_decimal(value, what)
    if value := records.get(b"mtime"):
        entry.mtime = parse_time(value, what)
    for key, value in records.items():
        if key.startswith(b"SCHILY.xattr."):
            if entry.xattrs is None:
                entry.xattrs = {}
            entry.xattrs[key[13:]] = value
