r"""Names of files as text that says which bytes they are, and back.

A file name is any bytes but ``/`` and NUL. As text, bytes that are no UTF-8 and characters that a
terminal would act on are ``\xNN``; a name may hold such a text itself (systemd's units do), so one
that comes in is looked for as it stands first.
"""

from __future__ import annotations

import re

from core.text import UNSAFE

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


def escape(name: bytes) -> str:
    """A name, or a path, as text that moves no cursor."""
    text = name.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return UNSAFE.sub(lambda found: _hex(found[0].encode()), text)


def _hex(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)


def unescape(text: str) -> list[bytes]:
    r"""The names that ``text`` may stand for: itself, then with its ``\xNN`` as bytes."""
    plain = text.encode("utf-8", "surrogateescape")
    raw = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), plain)
    return [plain] if raw == plain else [plain, raw]
