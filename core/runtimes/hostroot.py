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
_ACCOUNTS = frozenset({"etc/shadow", "etc/gshadow"})
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
        _make(os.path.join(upper, name), 0o700 if name == "root" else 0o755)
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
    if name in _secrets(spec):
        _hide_secret(name, spec["upper"], white_out=False)
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
    elif stat.S_ISDIR(status.st_mode):
        _make_like(target, status)
        if not stat.S_ISDIR(os.lstat(target).st_mode):
            # A link planted from inside would lead every name below it out of the distro.
            return
        if any(inner.startswith(name + "/") for inner in (*masks, _TEMPORARY)):
            for child in sorted(os.listdir(source)):
                _show(os.path.join(name, child), root, spec, masks)
        else:
            _mount_folder(name, root, spec)


def _mount_folder(name: str, root: str, spec: SandboxSpec) -> None:
    upper = os.path.join(spec["upper"], name)
    for secret in sorted(_secrets(spec)):
        if secret.startswith(name + "/"):
            _hide_secret(secret, spec["upper"], white_out=True)
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


def _secrets(spec: SandboxSpec) -> frozenset[str]:
    """What only the machine's own root may read, where the distro's root is that one."""
    if os.geteuid() or spec["namespaces"]:
        return frozenset()
    found = [*_SECRETS]
    if os.path.isdir("/etc/ssh"):
        found += [f"etc/ssh/{key}" for key in os.listdir("/etc/ssh") if key.endswith("_key")]
    return frozenset(secret for secret in found if os.path.lexists(os.path.join("/", secret)))


def _hide_secret(secret: str, upper: str, *, white_out: bool) -> None:
    """Put something else, or a whiteout for the overlay, in the writable layer."""
    try:
        parent = _open_folder(upper, os.path.dirname(secret))
    except NotADirectoryError:
        # Replaced from inside by a link or a file: the machine's own is not seen there.
        return
    try:
        if secret in _ACCOUNTS:
            _write_locked(os.path.join("/", secret), os.path.basename(secret), parent)
        elif white_out:
            os.mknod(os.path.basename(secret), stat.S_IFCHR, _WHITEOUT, dir_fd=parent)
    except FileExistsError:
        return
    finally:
        os.close(parent)


def _open_folder(upper: str, folder: str) -> int:
    """A folder in the writable layer, made like the machine's; never through a link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(upper, flags)
    source = "/"
    for part in folder.split("/"):
        source = os.path.join(source, part)
        try:
            _make_like(part, os.stat(source), dir_fd=fd)
            inner = os.open(part, flags, dir_fd=fd)
        finally:
            os.close(fd)
        fd = inner
    return fd


def _write_locked(source: str, name: str, parent: int) -> None:
    """The same accounts, none of them with a password: adduser expects to find the file."""
    with open(source, encoding="utf-8", errors="surrogateescape") as file:
        rows = [line.rstrip("\n").split(":") for line in file]
    text = "".join(":".join([row[0], "*", *row[2:]]) + "\n" for row in rows)
    status = os.stat(source)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    copy = os.open(name, flags, 0o600, dir_fd=parent)
    with open(copy, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
        os.fchown(copy, status.st_uid, status.st_gid)
        os.fchmod(copy, stat.S_IMODE(status.st_mode))


def _copy(source: str, target: str, status: os.stat_result) -> None:
    with open(source, "rb") as file, open(target, "wb") as copy:
        copy.write(file.read())
        os.fchmod(copy.fileno(), stat.S_IMODE(status.st_mode))


def _make(path: str, mode: int, dir_fd: int | None = None) -> bool:
    """Make a folder; False, and nothing is touched, if the name is taken."""
    try:
        os.mkdir(path, dir_fd=dir_fd)
    except FileExistsError:
        return False
    os.chmod(path, mode, dir_fd=dir_fd)
    return True


def _make_like(path: str, status: os.stat_result, dir_fd: int | None = None) -> None:
    if _make(path, stat.S_IMODE(status.st_mode), dir_fd) and os.geteuid() == 0:
        try:
            os.chown(path, status.st_uid, status.st_gid, dir_fd=dir_fd)
        except OSError:
            # An owner without a number in this user namespace stays the distro's root.
            return
