"""Other people's tools: a real registry of a test's own, skopeo, podman with private storage."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 100


def environment(**more: str) -> dict[str, str]:
    """This process's, without what steers registries and their clients."""
    steering = ("REGISTRY", "DOCKER", "XDG_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(steering)}
    return {**kept, **more}


@contextmanager
def docker_registry(folder: Path) -> Iterator[str]:
    """An empty CNCF registry on a free loopback port; gives ``host:port``."""
    config = folder / "registry.yml"
    config.write_text(
        "version: 0.1\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/registry}}}}\n"
        "http: {addr: '127.0.0.1:0', secret: x}\n"
    )
    log = folder / "registry.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            ["docker-registry", "serve", config], stdout=out, stderr=out, env=environment()
        )
    try:
        yield _listening(process, log)
    finally:
        process.terminate()
        process.wait()


def _listening(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until it says where."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if match := re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text()):
            return match[1]
        time.sleep(0.05)
    raise AssertionError(f"docker-registry did not start: {log.read_text()}")


def skopeo(*words: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        ["skopeo", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env=environment(**(env or {})),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def raw(reference: str, *more: str) -> dict[str, Any]:
    """The manifest or index that skopeo finds under a reference."""
    found: dict[str, Any] = json.loads(
        skopeo("inspect", "--raw", "--tls-verify=false", *more, f"docker://{reference}")
    )
    return found


def diff_ids(reference: str, *more: str) -> list[str]:
    """The diff_ids of the config that skopeo finds under a reference."""
    config = json.loads(
        skopeo("inspect", "--config", "--tls-verify=false", *more, f"docker://{reference}")
    )
    return list(config["rootfs"]["diff_ids"])


@contextmanager
def podman() -> Iterator[Podman]:
    """Podman on storage of its own; cleared at the end."""
    # its paths may not be longer than 50 characters
    with tempfile.TemporaryDirectory(prefix="pm-", dir="/var/tmp") as name:
        one = Podman(Path(name))
        try:
            yield one
        finally:
            one("rmi", "--all", "--force")


class Podman:
    """Runs podman; raises if it ends otherwise than well."""

    def __init__(self, folder: Path) -> None:
        self._argv = [
            *("podman", "--root", str(folder / "s"), "--runroot", str(folder / "r")),
            *("--storage-driver", "vfs"),
        ]

    def __call__(self, *words: str, given: str = "", env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            [*self._argv, *words],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            env=environment(**(env or {})),
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pulled(self, reference: str, *more: str) -> tuple[str, list[str]]:
        """Config digest and diff_ids of an image that it pulls and unpacks."""
        self("pull", "--quiet", "--tls-verify=false", *more, reference)
        (found,) = json.loads(self("inspect", "--type", "image", reference))
        return f"sha256:{found['Id']}", list(found["RootFS"]["Layers"])
