"""podman, skopeo and buildah as referees: what we write they read, what they write we read."""

from __future__ import annotations

import json
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from core.archives.save import prepare, save_file, save_folder
from core.images.pull import pull_image
from core.images.reference import parse_reference
from core.store.store import Store
from tests.core.archives.making import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSYBOX, EDGE = "lib/busybox", "lib/edge"


@pytest.fixture
def storage() -> Iterator[list[str]]:
    """Options that give podman and buildah a store of their own; podman wants short paths."""
    with tempfile.TemporaryDirectory(prefix="deck-", dir="/var/tmp") as folder:
        root, run = f"{folder}/storage", f"{folder}/run"
        yield ["--root", root, "--runroot", run, "--storage-driver", "vfs"]


def peer(*argv: str | Path) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=100, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def host(fix: dict[str, Any]) -> str:
    return str(fix["registries"]["plain"]["host"])


@pytest.fixture
async def pulled(store: Store, host: str) -> Store:
    """A store with an image of one layer and one of five, in three compressions."""
    for name in (BUSYBOX, EDGE):
        async with store.lease() as lease:
            await pull_image(store, parse_reference(f"{host}/{name}"), lease=lease, pinned=True)
    return store


async def save(store: Store, path: Path, *names: str, **options: Any) -> Path:
    async with store.lease() as lease:
        saving = await prepare(store, names, lease=lease, **options)
        folder = options.get("format_", "").endswith("-dir")
        await (save_folder if folder else save_file)(saving, path)
    return path


def identity(store: Store, name: str) -> tuple[str, list[str]]:
    image = store.find_image(name)
    return image.config_digest, [layer.diff_id for layer in image.layers]


def podman_identity(storage: list[str], name: str) -> tuple[str, list[str]]:
    (found,) = json.loads(peer("podman", *storage, "image", "inspect", name))
    return f"sha256:{found['Id']}", found["RootFS"]["Layers"]


async def test_podman_loads_our_docker_archive_of_several_images(
    pulled: Store, tmp_path: Path, storage: list[str], host: str
) -> None:
    names = (f"{host}/{BUSYBOX}:latest", f"{host}/{EDGE}:latest")
    path = await save(pulled, tmp_path / "x.tar", *names)
    peer("podman", *storage, "load", "-q", "-i", path)
    for name in names:
        assert podman_identity(storage, name) == identity(pulled, name)


async def test_podman_loads_our_oci_archive(
    pulled: Store, tmp_path: Path, storage: list[str], host: str
) -> None:
    full = f"{host}/{EDGE}:latest"
    path = await save(pulled, tmp_path / "x.tar", full, format_="oci-archive")
    peer("podman", *storage, "load", "-q", "-i", path)
    assert podman_identity(storage, full) == identity(pulled, full)


@pytest.mark.parametrize(
    ("format_", "transport"),
    [
        ("docker-archive", "docker-archive:{path}:{name}"),
        ("oci-archive", "oci-archive:{path}:{name}"),
        ("oci-dir", "oci:{path}:{name}"),
        ("docker-dir", "dir:{path}"),
    ],
)
async def test_skopeo_reads_and_copies_all_that_we_write(
    pulled: Store, tmp_path: Path, host: str, format_: Any, transport: str
) -> None:
    names = [f"{host}/{EDGE}:latest", f"{host}/{BUSYBOX}:latest"]
    if format_ == "docker-dir":
        del names[1:]
    path = await save(pulled, tmp_path / "x", *names, format_=format_)
    source = transport.format(path=path, name=names[0])
    config_digest, diff_ids = identity(pulled, names[0])
    config = json.loads(peer("skopeo", "inspect", "--config", "--raw", source))
    assert config["rootfs"]["diff_ids"] == diff_ids
    peer("skopeo", "copy", "-q", "--insecure-policy", source, f"dir:{tmp_path}/copy")
    manifest = json.loads((tmp_path / "copy" / "manifest.json").read_text())
    assert manifest["config"]["digest"] == config_digest


async def test_what_podman_saves_loads(
    store: Store, tmp_path: Path, storage: list[str], host: str
) -> None:
    for name, formats in (
        (f"{host}/{EDGE}:latest", ["oci-archive"]),  # to Docker's formats podman saves no zstd
        (f"{host}/{BUSYBOX}:latest", ["docker-archive", "oci-dir", "docker-dir"]),
    ):
        peer("podman", *storage, "pull", "-q", "--tls-verify=false", name)
        for form in formats:
            path = tmp_path / form
            peer("podman", *storage, "save", "-q", "--format", form, "-o", path, name)
            (loaded,) = await load(store, path)
            assert identity(store, loaded.digest) == podman_identity(storage, name)
            assert loaded.references == (() if form == "docker-dir" else (name,))


async def test_what_podman_saves_of_several_images_loads(
    store: Store, tmp_path: Path, storage: list[str], host: str
) -> None:
    names = [f"{host}/{name}:latest" for name in (BUSYBOX, "lib/multi")]
    for name in names:
        peer("podman", *storage, "pull", "-q", "--tls-verify=false", name)
    peer("podman", *storage, "save", "-q", "-m", "-o", tmp_path / "x", *names)
    await load(store, tmp_path / "x")
    for name in names:
        assert identity(store, name) == podman_identity(storage, name)


@pytest.mark.parametrize("transport", ["docker-archive", "oci-archive", "oci", "dir"])
async def test_what_skopeo_copies_loads(
    store: Store, tmp_path: Path, fix: dict[str, Any], host: str, transport: str
) -> None:
    source = f"docker://{host}/{BUSYBOX}:latest"
    tail = "" if transport == "dir" else ":q.io/box:1"
    target = f"{transport}:{tmp_path}/x{tail}"
    peer("skopeo", "copy", "-q", "--insecure-policy", "--src-tls-verify=false", source, target)
    (loaded,) = await load(store, tmp_path / "x")
    image = store.image(loaded.digest)
    assert image.layers[0].diff_id == fix["images"]["busybox"]["layers"][0]["diff_id"]
    assert image.references == (("q.io/box:1",) if tail else ())
    if transport in ("oci-archive", "oci"):
        assert image.digest == fix["images"]["busybox"]["digest"]


async def test_an_index_that_skopeo_copies_loads_for_this_platform(
    store: Store, tmp_path: Path, host: str
) -> None:
    source, target = f"docker://{host}/lib/multi:latest", f"oci:{tmp_path}/x:q.io/box:1"
    options = ("-q", "--all", "--insecure-policy", "--src-tls-verify=false")
    peer("skopeo", "copy", *options, source, target)
    (loaded,) = await load(store, tmp_path / "x")
    assert loaded.warnings == ()


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
async def test_skopeo_reads_our_compressed_archive(
    pulled: Store, tmp_path: Path, host: str, compression: str
) -> None:
    name = f"{host}/{BUSYBOX}:latest"
    options = {"format_": "oci-archive", "compression": compression}
    path = await save(pulled, tmp_path / "x.tar.gz", name, **options)
    config = json.loads(peer("skopeo", "inspect", "--config", "--raw", f"oci-archive:{path}"))
    assert config["rootfs"]["diff_ids"] == identity(pulled, name)[1]


@pytest.mark.parametrize("transport", ["docker-archive", "oci-archive"])
async def test_what_buildah_pushes_loads(
    store: Store, tmp_path: Path, storage: list[str], transport: str
) -> None:
    (tmp_path / "hello").write_text("hello")
    made = peer("buildah", *storage, "from", "scratch").strip()
    peer("buildah", *storage, "copy", "-q", made, tmp_path / "hello", "/hello")
    ident = peer("buildah", *storage, "commit", "-q", made).strip()
    target = f"{transport}:{tmp_path}/x:q.io/made:1"
    peer("buildah", *storage, "push", "-q", ident, target)
    (loaded,) = await load(store, tmp_path / "x")
    assert loaded.references == ("q.io/made:1",)
    assert store.image(loaded.digest).config_digest == f"sha256:{ident}"
    assert (store.layer_paths(loaded.digest)[0] / "hello").read_text() == "hello"


async def test_our_archive_goes_through_podman_and_comes_back(
    pulled: Store, tmp_path: Path, storage: list[str], host: str
) -> None:
    name = f"{host}/{EDGE}:latest"
    path = await save(pulled, tmp_path / "1.tar", name)
    peer("podman", *storage, "load", "-q", "-i", path)
    peer("podman", *storage, "save", "-q", "-o", tmp_path / "2.tar", name)
    async with Store.open(tmp_path / "other", privileged=True, idmap="root") as other:
        await load(other, tmp_path / "2.tar")
        assert identity(other, name) == identity(pulled, name)
