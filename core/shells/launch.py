"""Start holders, find those that run, and read what ended ones left.

A holder belongs to nobody: its starter may be killed at any time, and the next one finds it by
its folder, ``<run>/holders/<distro id>/``.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.domain import Mount, Session
from core.errors import HostForbids, InvalidInput, TimedOut, Unreachable
from core.runtimes.bwrap import bwrap_path
from core.runtimes.forking import raise_fault
from core.runtimes.mounts import check_mount
from core.runtimes.spec import MountSpec, SandboxSpec
from core.shells import records
from core.shells.dialing import Silent, connect, dial
from core.shells.link import HolderLink, session_of
from core.shells.reaching import lives

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.runtimes.idmap import IdMap

__all__ = [
    "HolderLink",
    "HolderSpec",
    "dial",
    "ended_sessions",
    "ensure_holder",
    "find_holders",
    "forget_session",
    "live_holders",
]

HOLDERS = "holders"
_START_LIMIT = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderSpec:
    """All that a holder needs to know of its distro."""

    run: Path
    """:attr:`core.paths.Paths.run`."""
    distro: str
    """Its id, a file name; stays when the distro is renamed."""
    name: str
    layers: tuple[Path, ...]
    """Unpacked layers, bottom first."""
    upper: Path
    """Its writable layer."""
    work: Path
    """overlayfs's work folder, beside ``upper``."""
    idmap: IdMap
    mounts: tuple[Mount, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    """Of the image's config."""
    user: str = ""
    """Of the image's config."""
    host_root: bool = False
    """*This host*: the lower files are this machine's own, ``layers`` is empty."""
    masks: tuple[Path, ...] = ()
    """What a ``host_root`` distro must not see: the store's folders."""
    held: bool = False
    """Keep it running without sessions from the start."""
    linger: float = 2.0
    """Seconds without sessions after which it stops by itself."""

    @property
    def folder(self) -> Path:
        """Where its holder lives."""
        return self.run / HOLDERS / self.distro


async def ensure_holder(spec: HolderSpec) -> HolderLink:
    """Connect to the distro's holder; start one if none runs. Many may do so at once.

    Cancelled, it leaves the holder that it may have started running; that one stops by itself.

    Raises:
        NotFound: an unpacked layer is missing.
        Unreachable: its holder runs, but does not answer.
        InvalidInput: a mount that cannot be made.
        HostForbids: this machine does not allow sandboxes.
    """
    folder = spec.folder
    _check(spec)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for _ in range(3):
        try:
            return await HolderLink.connect(folder)
        except Silent:
            raise
        except Unreachable:
            await asyncio.to_thread(_start_locked, spec)
    return await HolderLink.connect(folder)


async def find_holders(run: Path) -> list[HolderLink]:
    """Connect to every holder that runs and answers."""
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(_find(folder)) for folder in _folders(run)]
    return [link for task in asked if (link := task.result())]


async def _find(folder: Path) -> HolderLink | None:
    try:
        return await HolderLink.connect(folder)
    except Unreachable:
        return None


def live_holders(run: Path) -> frozenset[str]:
    """The distro ids of every holder that runs, answering or not."""
    return frozenset(folder.name for folder in _folders(run) if lives(folder))


def ended_sessions(run: Path, *, running: frozenset[str] = frozenset()) -> list[Session]:
    """Sessions that are over, of every distro: exited, or lost with their holder.

    ``running`` are the distro ids whose holders run: of theirs only the exited are given.
    """
    found = [
        session_of(record)
        for folder in _folders(run)
        for record in records.read_records(str(folder))
        if record["state"] == "exited" or folder.name not in running
    ]
    return sorted(found, key=lambda session: session.id)


def forget_session(run: Path, distro: str, session: int) -> None:
    """Delete what is on disk of an ended session; fine if there is nothing."""
    records.remove_record(str(run / HOLDERS / distro), session)


def _folders(run: Path) -> list[Path]:
    try:
        return sorted(path for path in (run / HOLDERS).iterdir() if path.is_dir())
    except FileNotFoundError:
        return []


def _check(spec: HolderSpec) -> None:
    if "/" in spec.distro or spec.distro in {"", ".", ".."}:
        raise InvalidInput(spec.distro, "not an id")
    for mount in spec.mounts:
        check_mount(_mount(mount))


def _start_locked(spec: HolderSpec) -> None:
    with _lock(spec.folder / "start.lock"):
        if _answers(spec.folder):
            return
        records.write_json(str(spec.folder / "spec.json"), _plain(spec))
        _start(spec)


def _answers(folder: Path) -> bool:
    try:
        connect(folder).close()
    except Unreachable:
        return False
    return True


def _start(spec: HolderSpec) -> None:
    """Run the holder until it says that it is ready; blocks."""
    argv = [sys.executable, "-P", "-m", "core.shells.holder", str(spec.folder)]
    log = spec.folder / "holder.log"
    with log.open("ab") as errors:
        try:
            done = subprocess.run(
                argv,
                cwd="/",
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                timeout=_START_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TimedOut(spec.name, "its holder did not start in time") from None
    raise_fault(done.stdout)
    if not _answers(spec.folder):
        said = log.read_text(errors="replace").strip().splitlines()
        why = f"its holder ended at once: {said[-1]}" if said else "its holder ended at once"
        raise HostForbids(spec.name, why, hint=f"more may be in {log}")


def _mount(mount: Mount) -> MountSpec:
    return MountSpec(source=mount.source, target=mount.target, read_only=mount.read_only)


def _plain(spec: HolderSpec) -> dict[str, object]:
    sandbox = SandboxSpec(
        name=spec.name,
        layers=[str(path) for path in spec.layers],
        upper=str(spec.upper),
        work=str(spec.work),
        namespaces=list(spec.idmap.namespaces),
        bwrap=bwrap_path(),
        host_root=spec.host_root,
        masks=[str(path) for path in spec.masks],
        mounts=[_mount(mount) for mount in spec.mounts],
    )
    return {
        "distro": spec.distro,
        "name": spec.name,
        "sandbox": sandbox,
        "env": spec.env,
        "user": spec.user,
        "held": spec.held,
        "linger": spec.linger,
    }


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
