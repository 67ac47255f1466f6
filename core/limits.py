"""How much an image may cost before it is refused: ``[limits]`` of the settings.

Hostile images and archives are small and ask for much. The defaults are beyond what a real distro
needs, and low enough that nothing here hangs or fills a disk by surprise.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """``[limits]``."""

    entries: int = 1_000_000
    """Headers of one layer's archive, those of pax records and long names included."""
    path_length: int = 4096
    """Bytes of a path in an archive."""
    ratio: int = 200
    """How many times its size an archive may expand, beyond the first GiB."""
    total_bytes: int = 256 << 30
    """Bytes of all files of one layer, holes included; also of one blob."""
    layers: int = 500
    """Layers of one image; the kernel's own limit for one overlay."""
    manifest_bytes: int = 4 << 20
    """Bytes of a manifest or index; registries store no larger ones."""
    config_bytes: int = 8 << 20
    """Bytes of an image's config."""
    json_depth: int = 64
    """Objects and lists inside one another, in each of these."""


DEFAULTS = Limits()
