"""Choose the manifest for a platform from an image index.

OCI image index, "platform", with the variants of Go's GOARM and GOAMD64.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from core.domain import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

_MACHINES = {
    "x86_64": ("amd64", ""),
    "aarch64": ("arm64", "v8"),
    "armv8l": ("arm", "v8"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "i686": ("386", ""),
    "i586": ("386", ""),
    "loongarch64": ("loong64", ""),
}
# what a machine without a stated variant is
_IMPLIED = {"arm64": "v8", "arm": "v7", "amd64": "v1"}


def host_platform() -> Platform:
    """The platform of this machine."""
    machine = os.uname().machine
    architecture, variant = _MACHINES.get(machine, (machine, ""))
    return Platform(os="linux", architecture=architecture, variant=variant)


def choose(wanted: Platform, offered: Iterable[Platform]) -> int | None:
    """Index of the best of ``offered`` for ``wanted``, or None if nothing there runs on it.

    The same variant is best, then the highest one below it (an ARM v7 machine runs v6).
    """
    best: tuple[int, int] | None = None
    for position, platform in enumerate(offered):
        if (platform.os, platform.architecture) != (wanted.os, wanted.architecture):
            continue
        rank = _rank(wanted, platform)
        if rank is not None and (best is None or rank < best[0]):
            best = (rank, position)
    return best[1] if best else None


def suits(wanted: Platform, offered: Platform) -> bool:
    """Whether an image for ``offered`` runs on ``wanted``."""
    return choose(wanted, (offered,)) is not None


def _rank(wanted: Platform, offered: Platform) -> int | None:
    """0 for the same variant, more the further below; None: does not run there."""
    if wanted.variant == offered.variant:
        return 0
    implied = _IMPLIED.get(wanted.architecture, "")
    want, have = wanted.variant or implied, offered.variant or implied
    if not (want[1:].isdigit() and have[1:].isdigit()):
        return None
    below = int(want[1:]) - int(have[1:])
    return 1 + below if below >= 0 else None
