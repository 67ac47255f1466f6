"""See layers as a distro will: through an overlay mount, as text that tree.py makes."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.conftest import FIXTURES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TREE = FIXTURES.with_name("tree.py")
SUBIDS = ("unshare", "--user", "--map-auto", "--map-root-user")
ONE_UID = ("unshare", "--user", "--map-root-user")

_SCRIPT = """
mkdir -p .empty .merged
mount -t overlay overlay -o "userxattr,lowerdir=$LOWERS:.empty" .merged
exec "$@" .merged
"""


def run_on_overlay(
    layers: Sequence[Path], command: Sequence[str], *, before: Sequence[str] = ()
) -> str:
    """What ``command`` prints about the folder in which ``layers``, bottom to top, are merged.

    The layers are siblings, as their folder is where the mount is made.

    Args:
        layers: Their directories.
        command: Gets the folder as its last argument.
        before: Command prefix that makes it another user, in another user namespace.
    """
    folder = layers[0].parent
    names = ":".join(layer.name for layer in reversed(layers))
    mount = ["unshare", "--mount", "env", f"LOWERS={names}", "sh", "-e", "-c", _SCRIPT, "sh"]
    done = subprocess.run(
        [*before, *mount, *command],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done
    return done.stdout


def listing(layers: Sequence[Path], *, before: Sequence[str] = ()) -> str:
    """The merged tree in the form of tree.py."""
    return run_on_overlay(layers, ["python3", str(TREE), "list"], before=before)
