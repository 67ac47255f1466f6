"""Numbers in tar headers: octal text, or base-256 where octal is too small.

POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

from functools import lru_cache

from core.errors import Corrupt


# Modes, owners and times repeat all over an archive.
@lru_cache(maxsize=4096)
def parse_number(field: bytes, what: str) -> int:
    """The value of a header's number; an empty field is 0.

    Raises:
        Corrupt: it is neither octal nor base-256.
    """
    if field[0] & 0x80:
        # The first bit marks the form, the second is the sign of the rest.
        value = int.from_bytes(field, "big") & ~(0x80 << (8 * (len(field) - 1)))
        return value - (1 << (8 * len(field) - 1)) if field[0] & 0x40 else value
    digits = field.partition(b"\0")[0].strip()
    if not digits:
        return 0
    # int() alone would also take signs, underscores and 0o.
    if digits.isdigit() and b"8" not in digits and b"9" not in digits:
        return int(digits, 8)
    raise Corrupt("tar header", f"bad {what}")
