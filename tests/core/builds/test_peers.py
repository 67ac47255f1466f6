"""Dockerfiles built here and by buildah give the same tree and the same config.

What differs on purpose is left out: buildah's own label, the empty ``/etc/hosts`` and
``/etc/resolv.conf`` that its RUN leaves, times, and an entry point in shell form, for which it
does not use SHELL.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from core.connect import open_engine
from core.layers.compression import expand
from core.paths import find_paths
from core.store.layout import Layout
from core.verbs.builds import BuildSpec
from tests import host
from tests.core.builds.peer_cases import CASES, Case
from tests.core.layers.overlay import TREE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIELDS = (
    "Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "OnBuild", "Shell",
    "StopSignal", "User", "Volumes", "WorkingDir",
)  # fmt: skip
LEFT_BY_RUN = ("etc/hosts", "etc/resolv.conf")


@pytest.fixture(scope="module")
def roots() -> Iterator[Path]:
    """Ours and buildah's storage, for all cases: the base is fetched once."""
    root = host.make_root()
    yield root
    host.clear_root(root)


def tree_of(blobs: list[Path], work: Path) -> dict[str, list[str]]:
    """What layers show together, by path; without times."""
    archives = []
    for number, blob in enumerate(blobs):
        path = work / f"{number}.tar"
        with blob.open("rb") as packed:
            chunks = iter(lambda packed=packed: packed.read(1 << 20), b"")
            path.write_bytes(b"".join(expand(chunks)))
        archives.append(str(path))
    argv = [sys.executable, str(TREE), "merge", *archives]
    text = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    rows = (line.split("\t") for line in text.splitlines())
    return {row[0]: [*row[1:6], *row[7:]] for row in rows}


def by_buildah(case: Case, context: Path, root: Path, work: Path) -> tuple[dict[str, Any], Any]:
    storage = ["--root", root / "buildah", "--runroot", root / "run", "--storage-driver", "vfs"]
    arguments = [f"--build-arg={name}={value}" for name, value in case.arguments.items()]
    target = [f"--target={case.target}"] if case.target else []
    bud = ["bud", "--isolation", "chroot", "--tls-verify=false", "--layers=false"]
    place = work / "pushed"
    for command in (
        [*bud, "--format", "docker", "--quiet", "-t", "x:1", *arguments, *target, context],
        ["push", "--quiet", "--disable-compression", "x:1", f"dir:{place}"],
        ["rmi", "--force", "x:1"],
    ):
        done = subprocess.run(
            ["buildah", *storage, *command], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    manifest = json.loads((place / "manifest.json").read_text())
    config = json.loads((place / manifest["config"]["digest"].partition(":")[2]).read_text())
    blobs = [place / layer["digest"].partition(":")[2] for layer in manifest["layers"]]
    return config, tree_of(blobs, work)


async def by_us(case: Case, context: Path, root: Path, work: Path) -> tuple[dict[str, Any], Any]:
    ours = root / "ours"
    spec = BuildSpec(
        context=str(context), arguments=tuple(case.arguments.items()), target=case.target
    )
    async with open_engine(root=ours, embedded=True) as engine:
        job = await engine.build(spec)
        image = await engine.image((await engine.result(job.id)).result)
    layout = Layout(find_paths(ours).data)
    config = json.loads(layout.blob(image.config_digest).read_text())
    return config, tree_of([layout.blob(layer.digest) for layer in image.layers], work)


@pytest.mark.parametrize("name", CASES)
async def test_buildah_and_we_make_the_same_of_a_dockerfile(
    name: str, roots: Path, tmp_path: Path, fix: dict[str, Any]
) -> None:
    case = CASES[name]
    context, ours, theirs = (tmp_path / folder for folder in ("context", "ours", "theirs"))
    for folder in (context, ours, theirs):
        folder.mkdir()
    case.write(context, f"{fix['registries']['plain']['host']}/lib/busybox")
    their_config, their_tree = by_buildah(case, context, roots, theirs)
    config, tree = await by_us(case, context, roots, ours)
    for path in LEFT_BY_RUN:
        their_tree.pop(path, None)
    assert tree == their_tree
    assert config.get("author") == (their_config.get("author") or None)
    run, their_run = config["config"], their_config["config"]
    their_run["Labels"].pop("io.buildah.version")
    for field in FIELDS:
        assert (run.get(field) or None) == (their_run.get(field) or None), field
