"""Try one thing that a sandbox needs, in a process of its own: ``doctor`` runs this.

``python -P -m core.runtimes.trial overlay|sandbox FOLDER``; nothing on standard output is
success, else one line says why not. Mounts end with the process.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys

from core.errors import DeckError
from core.runtimes import forking, overlay, syscalls
from core.runtimes.sandbox import start_sandbox

_OPAQUE = "user.overlay.opaque"


def try_overlay(folder: str) -> None:
    """Mount an overlay, delete through it, and find the whiteout and the attribute.

    The process is in a mount namespace of its own, as the id mapping makes it.

    Raises:
        OSError: what the kernel refused.
    """
    lower, upper, work = (os.path.join(folder, name) for name in ("lower", "upper", "work"))
    os.makedirs(os.path.join(lower, "folder"))
    overlay.prepare_upper(upper, work)
    overlay.link_layers(folder, [lower], upper, work)
    syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
    overlay.mount_overlay(folder, 1)
    root = os.path.join(folder, overlay.ROOT)
    os.rmdir(os.path.join(root, "folder"))
    status = os.lstat(os.path.join(upper, "folder"))
    if not stat.S_ISCHR(status.st_mode) or status.st_rdev != 0:
        raise OSError(errno.EOPNOTSUPP, "a deletion leaves no whiteout", upper)
    os.mkdir(os.path.join(root, "folder"))
    if os.getxattr(os.path.join(upper, "folder"), _OPAQUE) != b"y":
        raise OSError(errno.EOPNOTSUPP, "a new folder is not opaque", upper)


def try_sandbox(folder: str) -> None:
    """Start a sandbox on an empty root, open a terminal in it, end it.

    Raises:
        DeckError: what did not work.
    """
    with open(os.path.join(folder, "spec.json"), encoding="utf-8") as file:
        spec = json.load(file)
    sandbox = start_sandbox(folder, spec)
    try:
        os.close(os.open(f"/proc/{sandbox.pid}/root/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY))
    finally:
        sandbox.kill()
        os.waitpid(sandbox.monitor, 0)
        sandbox.close()


def main(argv: list[str]) -> int:
    """Try ``argv[1]`` in the folder ``argv[2]``."""
    trials = {"overlay": try_overlay, "sandbox": try_sandbox}
    try:
        trials[argv[1]](argv[2])
    except DeckError as error:
        sys.stdout.write(error.message)
        return 1
    except OSError as error:
        sys.stdout.write(forking.from_os(error).message)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
