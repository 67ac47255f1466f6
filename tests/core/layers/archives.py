"""Archives written byte by byte, so that a test can make what no tool would."""

from __future__ import annotations

BLOCK = 512
END = bytes(2 * BLOCK)


def octal(number: int, width: int) -> bytes:
    return b"%0*o\0" % (width - 1, number)


def base256(number: int, width: int) -> bytes:
    data = bytearray((number & ((1 << (8 * width)) - 1)).to_bytes(width, "big"))
    data[0] |= 0x80
    return bytes(data)


def header(
    name: bytes,
    kind: bytes = b"0",
    *,
    size: int | bytes = 0,
    mode: bytes | int = 0o644,
    uid: bytes | int = 0,
    gid: bytes | int = 0,
    mtime: bytes | int = 1_700_000_000,
    link: bytes = b"",
    magic: bytes = b"ustar\00000",
    device: tuple[int, int] | None = None,
    prefix: bytes = b"",
    checksum: bytes | None = None,
) -> bytes:
    """One header block; numbers given as bytes are taken as they are."""

    def field(value: bytes | int, width: int) -> bytes:
        return value.ljust(width, b"\0") if isinstance(value, bytes) else octal(value, width)

    major, minor = device or (0, 0)
    parts = [
        name.ljust(100, b"\0"), field(mode, 8), field(uid, 8), field(gid, 8), field(size, 12),
        field(mtime, 12), b" " * 8, kind, link.ljust(100, b"\0"), magic, bytes(64),
        octal(major, 8) if device else bytes(8), octal(minor, 8) if device else bytes(8),
        prefix.ljust(155, b"\0"), bytes(12),
    ]  # fmt: skip
    block = b"".join(parts)
    assert len(block) == BLOCK, len(block)
    summed = checksum if checksum is not None else b"%06o\0 " % sum(block)
    return block[:148] + summed + block[156:]


def sign_checksum(block: bytes) -> bytes:
    """The header with its checksum summed over signed characters."""
    blank = block[:148] + b" " * 8 + block[156:]
    total = sum(blank) - 256 * sum(1 for byte in blank if byte > 127)
    return block[:148] + b"%06o\0 " % total + block[156:]


def pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def file(name: bytes, data: bytes = b"x", **fields: object) -> bytes:
    """A regular file."""
    return header(name, size=len(data), **fields) + pad(data)  # type: ignore[arg-type]


def folder(name: bytes, mode: int = 0o755, **fields: object) -> bytes:
    return header(name, b"5", mode=mode, **fields)  # type: ignore[arg-type]


def symlink(name: bytes, target: bytes) -> bytes:
    return header(name, b"2", link=target, mode=0o777)


def hardlink(name: bytes, target: bytes) -> bytes:
    return header(name, b"1", link=target)


def device(name: bytes, kind: bytes = b"3", number: tuple[int, int] = (1, 3)) -> bytes:
    return header(name, kind, device=number)


def record(key: bytes, value: bytes) -> bytes:
    """One pax record with its own length in front."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest)
    while len(b"%d" % length) + len(rest) != length:
        length = len(b"%d" % length) + len(rest)
    return b"%d" % length + rest


def pax(*records: bytes, kind: bytes = b"x") -> bytes:
    """An extended header for the next member."""
    data = b"".join(records)
    return header(b"PaxHeaders/x", kind, size=len(data)) + pad(data)


def gnu_long(text: bytes, kind: bytes = b"L") -> bytes:
    """A GNU long name (``L``) or link (``K``) for the next member."""
    data = text + b"\0"
    return header(b"././@LongLink", kind, size=len(data), magic=b"ustar  \0") + pad(data)


def old_sparse(
    name: bytes, size: int, regions: list[tuple[int, int]], data: bytes, extra: bytes = b""
) -> bytes:
    """A file in the old GNU sparse form; at most four regions, ``extra`` are extension blocks."""
    block = bytearray(header(name, b"S", size=len(data), magic=b"ustar  \0"))
    for number, (offset, length) in enumerate(regions):
        block[386 + 24 * number : 410 + 24 * number] = octal(offset, 12) + octal(length, 12)
    block[482] = 1 if extra else 0
    block[483:495] = octal(size, 12)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + extra + pad(data)
