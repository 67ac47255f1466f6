"""This machine's own files as a distro: an overlay for each top-level folder.

One overlay over ``/`` with a writable layer inside it is refused by the kernel, so each folder
gets its own; a folder that holds something masked (the store) is split into its children in
turn. Renames and links across these borders fail with EXDEV. Homes, ``/mnt``, ``/media`` and
``/boot`` are not shown; ``/run``, ``/tmp`` and ``/var/tmp`` are the distro's own.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from core.runtimes import syscalls
from core.runtimes.overlay import ROOT

if TYPE_CHECKING:
    from core.runtimes.spec import SandboxSpec

_EMPTY = ("home", "media", "mnt", "root")
_SKIPPED = frozenset({*_EMPTY, "boot", "dev", "lost+found", "proc", "run", "sys", "tmp"})
_TEMPORARY = "var/tmp"
_SECRETS = (
    "etc/shadow",
    "etc/shadow-",
    "etc/gshadow",
    "etc/gshadow-",
    "etc/ssl/private",
    "etc/distrodeck",
)
_COPY_LIMIT = 1 << 20
_OCTAL = re.compile(rb"\\([0-7]{3})")
_WHITEOUT = os.makedev(0, 0)


def mount_host_root(folder: str, spec: SandboxSpec) -> None:
    """Mount this machine's files below ``folder``/root in this mount namespace."""
    syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
    root = os.path.join(folder, ROOT)
    upper = spec["upper"]
    syscalls.mount(upper, root, "", syscalls.MS_BIND)
    for name in _EMPTY:
        os.makedirs(os.path.join(upper, name), exist_ok=True)
    os.chmod(os.path.join(upper, "root"), 0o700)
    masks = [os.path.realpath(path).strip("/") for path in (*spec["masks"], upper, folder)]
    for name in sorted(os.listdir("/")):
        if name not in _SKIPPED:
            _show(name, root, spec, masks)


def mount_points() -> list[str]:
    """The overlays of a host root, seen from inside it."""
    # Not /proc/self: whoever has entered only the mount namespace has no process there.
    with open("/proc/1/mounts", "rb") as file:
        rows = [line.split(b" ") for line in file]
    return [_unescape(row[1]) for row in rows if row[2] == b"overlay" and row[1] != b"/"]


def _unescape(path: bytes) -> str:
    # proc(5): space, tab, newline and backslash are octal; no codec may be imported here.
    return os.fsdecode(_OCTAL.sub(lambda found: bytes([int(found[1], 8)]), path))


def _show(name: str, root: str, spec: SandboxSpec, masks: list[str]) -> None:
    source = os.path.join("/", name)
    target = os.path.join(spec["upper"], name)
    if name in masks:
        return
    try:
        status = os.lstat(source)
    except FileNotFoundError:
        return
    if name == _TEMPORARY:
        _make_like(target, status)
        return
    if stat.S_ISLNK(status.st_mode):
        if not os.path.lexists(target):
            os.symlink(os.readlink(source), target)
    elif stat.S_ISREG(status.st_mode):
        readable = os.access(source, os.R_OK) and status.st_size <= _COPY_LIMIT
        if readable and not os.path.lexists(target):
            _copy(source, target, status)
    elif stat.S_ISDIR(status.st_mode) and not os.path.islink(target):
        _make_like(target, status)
        if any(inner.startswith(name + "/") for inner in (*masks, _TEMPORARY)):
            for child in sorted(os.listdir(source)):
                _show(os.path.join(name, child), root, spec, masks)
        else:
            _mount_folder(name, root, spec)


def _mount_folder(name: str, root: str, spec: SandboxSpec) -> None:
    upper = os.path.join(spec["upper"], name)
    if os.geteuid() == 0 and not spec["namespaces"]:
        _hide_secrets(name, upper)
    work = os.path.join(spec["work"], name.replace("/", "%"))
    os.makedirs(work, exist_ok=True)
    # The names are links' targets here, so that a comma or colon in them means nothing.
    links = os.path.join(os.path.dirname(root), "layers")
    for link, path in (("0", os.path.join("/", name)), ("u", upper), ("w", work)):
        place = os.path.join(links, link)
        if os.path.islink(place):
            os.unlink(place)
        os.symlink(path, place)
    os.chdir(links)
    options = "lowerdir=0,upperdir=u,workdir=w,userxattr"
    syscalls.mount("overlay", os.path.join(root, name), "overlay", 0, options)


def _hide_secrets(name: str, upper: str) -> None:
    """White out what only the machine's own root may read, in the writable layer."""
    keys = []
    if name == "etc" and os.path.isdir("/etc/ssh"):
        keys = [f"etc/ssh/{key}" for key in os.listdir("/etc/ssh") if key.endswith("_key")]
    for secret in (*_SECRETS, *keys):
        source = os.path.join("/", secret)
        if not secret.startswith(name + "/") or not os.path.lexists(source):
            continue
        place = os.path.join(upper, os.path.relpath(secret, name))
        _make_like(os.path.dirname(place), os.stat(os.path.dirname(source)))
        if os.path.lexists(place):
            continue
        if secret in {"etc/shadow", "etc/gshadow"}:
            _write_locked(source, place)
        else:
            os.mknod(place, stat.S_IFCHR, _WHITEOUT)


def _write_locked(source: str, place: str) -> None:
    """The same accounts, none of them with a password: adduser expects to find the file."""
    with open(source, encoding="utf-8", errors="surrogateescape") as file:
        rows = [line.rstrip("\n").split(":") for line in file]
    text = "".join(":".join([row[0], "*", *row[2:]]) + "\n" for row in rows)
    status = os.stat(source)
    with open(place, "w", encoding="utf-8", errors="surrogateescape") as file:
        os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
        os.fchown(file.fileno(), status.st_uid, status.st_gid)
        file.write(text)


def _copy(source: str, target: str, status: os.stat_result) -> None:
    with open(source, "rb") as file, open(target, "wb") as copy:
        copy.write(file.read())
        os.fchmod(copy.fileno(), stat.S_IMODE(status.st_mode))


def _make_like(path: str, status: os.stat_result) -> None:
    if os.path.isdir(path):
        return
    os.mkdir(path)
    os.chmod(path, stat.S_IMODE(status.st_mode))
    if os.geteuid() == 0:
        try:
            os.chown(path, status.st_uid, status.st_gid)
        except OSError:
            # An owner without a number in this user namespace stays the distro's root.
            return
