"""Where distrodeck keeps its things.

XDG base directory specification for ordinary users, the FHS for root; ``--root DIR`` or
``DISTRODECK_ROOT`` puts all of it under one folder. Sockets live beside the state and not in
``$XDG_RUNTIME_DIR``: that folder goes at the last logout, and shells must outlive it.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from core.errors import DeckError, InvalidInput, NoSpace, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The folders of one engine; :meth:`make` creates them."""

    config: Path
    """``config.toml`` and friends; written by people."""
    data: Path
    """The store: blobs, layers, index, writable layers, partial blobs, trash."""
    state: Path
    """Logs and recordings."""
    cache: Path
    """Catalog answers; may be deleted at any time."""
    run: Path
    """Sockets, locks, session logs; 0700."""

    @property
    def socket(self) -> Path:
        """The daemon's socket."""
        return self.run / "api.sock"

    @property
    def logins(self) -> Path:
        """Registry credentials that the engine keeps under names; not beside root's logs."""
        return self.data / "logins.json"

    @property
    def lock(self) -> Path:
        """Held by the one engine that may write the store."""
        return self.run / "engine.lock"

    @property
    def log(self) -> Path:
        """The daemon's log file."""
        return self.state / "daemon.log"

    def make(self) -> None:
        """Create the folders, private to the user.

        Raises:
            Refused: they cannot be written, or the one of the sockets is somebody else's.
            InvalidInput: something that is no folder is in the way.
            NoSpace: the disk is full.
        """
        for folder in (self.config, self.data, self.state, self.cache, self.run):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise _not_made(folder, error) from error
        found = self.run.stat()
        if found.st_uid != os.geteuid():
            raise Refused(str(self.run), "belongs to another user", hint=_ANOTHER)
        if stat.S_IMODE(found.st_mode) & 0o077:
            self.run.chmod(0o700)


_ANOTHER = "choose another folder with --root"


def _not_made(folder: Path, error: OSError) -> DeckError:
    why = (error.strerror or str(error)).lower()
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(str(folder), why, hint="free some space, or choose another --root")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Refused(str(folder), why, hint=_ANOTHER)
    return InvalidInput(str(folder), why, hint=_ANOTHER)


def default_root() -> Path | None:
    """``DISTRODECK_ROOT``, or None for the standard places."""
    value = os.environ.get("DISTRODECK_ROOT")
    return Path(value).absolute() if value else None


def find_paths(root: Path | None = None) -> Paths:
    """The folders under ``root``, or the standard places of this user."""
    root = root.absolute() if root else default_root()
    if root:
        return Paths(
            config=root / "config",
            data=root / "data",
            state=root / "state",
            cache=root / "cache",
            run=root / "run",
        )
    if os.geteuid() == 0:
        return Paths(
            config=Path("/etc/distrodeck"),
            data=Path("/var/lib/distrodeck"),
            state=Path("/var/log/distrodeck"),
            cache=Path("/var/cache/distrodeck"),
            run=Path("/var/lib/distrodeck/run"),
        )
    home = Path.home()

    def base(variable: str, fallback: str) -> Path:
        value = os.environ.get(variable, "")
        return (Path(value) if value.startswith("/") else home / fallback) / "distrodeck"

    state = base("XDG_STATE_HOME", ".local/state")
    return Paths(
        config=base("XDG_CONFIG_HOME", ".config"),
        data=base("XDG_DATA_HOME", ".local/share"),
        state=state,
        cache=base("XDG_CACHE_HOME", ".cache"),
        run=state / "run",
    )
