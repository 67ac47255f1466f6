"""Make text from images, registries and catalogs safe to show.

Names and labels are data. A terminal acts on C0 and C1 control characters, and a reader is
misled by bidirectional overrides, so each is replaced where the text enters the engine.
"""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""What a terminal acts on, what misleads a reader, and what no codec takes."""


def clean(text: str, limit: int = 4096) -> str:
    """``text`` with every control, bidi and surrogate character replaced, cut at ``limit``."""
    if len(text) > limit:
        text = text[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return UNSAFE.sub(REPLACEMENT, text)
