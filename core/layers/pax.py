"""Records of a pax extended header.

POSIX.1-2017, "pax Extended Header"; ``SCHILY.xattr.`` is star's and everybody's way to carry
extended attributes, raw bytes included.
"""

from __future__ import annotations

from core.errors import Corrupt, Hostile

_NANO = 10**9


def parse_records(data: bytes, what: str) -> dict[bytes, bytes]:
    """Keyword to value; the last of a repeated keyword counts.

    The offset and length records of GNU sparse 0.0 are repeated on purpose and are joined under
    ``GNU.sparse.map``, which makes them the map of version 0.1.

    Raises:
        Corrupt: a record's length does not fit.
    """
    records: dict[bytes, bytes] = {}
    sparse: list[bytes] = []
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 12)
        length = data[at:space] if space > 0 else b""
        end = at + int(length) if length.isdigit() else 0
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if end > len(data) or end <= space + 2 or data[end - 1] != 0x0A or not equals or not key:
            if data[at:].strip(b"\0") == b"":
                break
            raise Corrupt(what, "bad pax record")
        if key in {b"GNU.sparse.offset", b"GNU.sparse.numbytes"}:
            sparse.append(value)
        else:
            records[key] = value
        at = end
    if sparse:
        records[b"GNU.sparse.map"] = b",".join(sparse)
    return records


def parse_decimal(value: bytes, what: str) -> int:
    """A non-negative decimal number of at most 19 digits.

    Raises:
        Hostile: it is something else.
    """
    if not value.isdigit() or len(value) > 19:
        raise Hostile(what, "impossible number in a pax record")
    return int(value)


def parse_time(value: bytes, what: str) -> int:
    """Nanoseconds of ``seconds[.fraction]``.

    Raises:
        Corrupt: it is something else.
    """
    sign = -1 if value[:1] == b"-" else 1
    seconds, _, fraction = value.removeprefix(b"-").partition(b".")
    if not seconds.isdigit() or len(seconds) > 19 or not (fraction.isdigit() or not fraction):
        raise Corrupt(what, "bad time in a pax record")
    return sign * (int(seconds) * _NANO + int(fraction[:9].ljust(9, b"0")))
