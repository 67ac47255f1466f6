"""What system a root file system holds.

``os-release(5)``: ``/etc/os-release``, else ``/usr/lib/os-release``.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.store.lookup import read_file
from core.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OsRelease:
    """The few fields that are shown; empty where the file does not say."""

    id: str = ""
    version_id: str = ""
    pretty_name: str = ""


def read_os_release(layers: Sequence[Path]) -> OsRelease:
    """Read it from a stack of layers, bottom to top; links are kept inside of it."""
    for path in ("etc/os-release", "usr/lib/os-release"):
        text = read_file(layers, path) if layers else None
        if text is not None:
            return parse_os_release(text.decode("utf-8", "replace"))
    return OsRelease()


def parse_os_release(text: str) -> OsRelease:
    """Read the shell-like assignments; a malformed line is passed over."""
    fields = dict[str, str]()
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if not equals or key.startswith("#"):
            continue
        try:
            fields[key] = "".join(shlex.split(value)[:1])
        except ValueError:
            continue
    return OsRelease(
        id=clean(fields.get("ID", ""), 80),
        version_id=clean(fields.get("VERSION_ID", ""), 80),
        pretty_name=clean(fields.get("PRETTY_NAME", "") or fields.get("NAME", ""), 120),
    )
