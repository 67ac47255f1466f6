"""What can be installed without any setting: well-known distros, and this host itself.

The list is ``builtin.toml`` beside this module. *This host* is an overlay on the machine's own
root, so that a first shell needs no network; see os-release(5) for its title.
"""

from __future__ import annotations

import platform
import tomllib
from dataclasses import replace
from functools import cache
from importlib.resources import files

from core.catalog.wire import TITLE_LIMIT, VERSION_LIMIT, host_architecture
from core.config import BUILTIN
from core.domain import CatalogEntry
from core.text import clean

HOST = "host"
"""Name of the entry for this machine's own root."""


@cache
def distros(architecture: str) -> tuple[CatalogEntry, ...]:
    """The well-known distros that are made for ``architecture``."""
    listed = tomllib.loads(files("core.catalog").joinpath("builtin.toml").read_text("utf-8"))
    return tuple(
        CatalogEntry(
            name=distro["name"],
            aliases=tuple(distro.get("aliases", ())),
            source=distro["reference"],
            catalog=BUILTIN,
            version=distro["name"].partition("/")[2],
            title=distro["title"],
            architecture=architecture,
            kind="oci",
        )
        for distro in listed["distro"]
        if architecture in distro["architectures"]
    )


def this_host() -> CatalogEntry:
    """The entry for this machine's own root."""
    entry = CatalogEntry(
        name=HOST,
        aliases=(f"{HOST}:",),
        source=f"{HOST}:",
        catalog=BUILTIN,
        title="this host",
        architecture=host_architecture(),
        kind="host",
    )
    try:
        told = platform.freedesktop_os_release()
    except OSError:
        return entry
    return replace(
        entry,
        title=clean(f"this host: {told.get('PRETTY_NAME', 'Linux')}", TITLE_LIMIT),
        version=clean(told.get("VERSION_ID", ""), VERSION_LIMIT),
    )
