"""Mount a distro's root: its layers under its writable one.

overlayfs takes one page (4 KiB) of mount options, and bubblewrap's own ``--overlay-src`` fills
it with the full path of every layer: about 30 of them fit. So the overlay is mounted here, from
a folder of short symbolic links (``0:1:2…``) that the kernel resolves, where 500 layers fit
(OVL_MAX_STACK), and bubblewrap is given the result.

Documentation/filesystems/overlayfs.rst.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from core.runtimes import syscalls

if TYPE_CHECKING:
    from core.runtimes.spec import SandboxSpec

ROOT = "root"
"""Name of the mount point in the holder's folder."""

_LINKS = "layers"


def link_layers(folder: str, layers: list[str], upper: str, work: str) -> None:
    """Make the folder of short links that :func:`mount_overlay` works from.

    The highest layer is link 0, as overlayfs counts.
    """
    os.makedirs(os.path.join(folder, ROOT), exist_ok=True)
    links = os.path.join(folder, _LINKS)
    os.makedirs(links, exist_ok=True)
    for name in os.listdir(links):
        path = os.path.join(links, name)
        if os.path.islink(path):
            os.unlink(path)
    if not layers:
        # overlayfs wants a lower folder even for an image without layers.
        none = os.path.join(links, "none")
        os.makedirs(none, exist_ok=True)
        layers = [none]
    targets = {str(number): layer for number, layer in enumerate(reversed(layers))}
    for name, target in {**targets, "u": upper, "w": work}.items():
        os.symlink(target, os.path.join(links, name))


def mount_layers(folder: str, layers: list[str]) -> str:
    """Mount layers, bottom first, for reading only; gives the mount point, below ``folder``.

    Changes the working directory.
    """
    link_layers(folder, layers, "none", "none")
    # An overlay without an upper folder wants two lower ones.
    none = os.path.join(folder, _LINKS, "none")
    os.makedirs(none, exist_ok=True)
    os.chdir(os.path.join(folder, _LINKS))
    lower = ":".join([*map(str, range(len(layers))), "none"] if layers else ["none", "u"])
    root = os.path.join(folder, ROOT)
    syscalls.mount("overlay", root, "overlay", syscalls.MS_RDONLY, f"lowerdir={lower},userxattr")
    return root


def prepare_upper(upper: str, work: str) -> None:
    """Make sure that both folders are there; a new one lets every user of the distro in."""
    for path in (upper, work):
        if not os.path.isdir(path):
            os.makedirs(path, mode=0o755)
    if not os.listdir(upper):
        os.chmod(upper, 0o755)  # noqa: S103 - it becomes the distro's /


def mount_overlay(folder: str, count: int) -> None:
    """Mount ``count`` linked layers and the upper folder at ``folder``/root.

    Changes the working directory: for a child process that executes bubblewrap next.
    """
    os.chdir(os.path.join(folder, _LINKS))
    lower = ":".join(str(number) for number in range(max(count, 1)))
    options = f"lowerdir={lower},upperdir=u,workdir=w,userxattr"
    syscalls.mount("overlay", os.path.join("..", ROOT), "overlay", 0, options)


def mount_root(folder: str, spec: SandboxSpec) -> None:
    """Mount the whole root of ``spec`` below ``folder`` in this mount namespace."""
    syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
    mount_overlay(folder, len(spec["layers"]))
