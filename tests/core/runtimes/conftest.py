"""The distros of the tests of sessions."""

from __future__ import annotations

from tests.core.shells.conftest import (
    busybox,
    busybox_archive,
    debian,
    debian_archive,
    link,
    person,
    shared_root,
    spec,
)

__all__ = [
    "busybox",
    "busybox_archive",
    "debian",
    "debian_archive",
    "link",
    "person",
    "shared_root",
    "spec",
]
