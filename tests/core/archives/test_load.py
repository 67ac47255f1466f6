"""Loading: every form of archive gives its images, layers once, and names."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
from typing import TYPE_CHECKING, Any

import pytest
from backports import zstd

from core.domain import Platform
from core.errors import InvalidInput, NotFound, Unsupported
from core.images.assemble import stored_config
from tests.core.archives.making import (
    NAME,
    Docker,
    Link,
    Oci,
    config_of,
    digest_of,
    in_pieces,
    layer_tar,
    load,
    tar_of,
    untouched,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.store.store import Store

A, B, C = layer_tar("a"), layer_tar("b"), layer_tar("c", bytes(400_000))
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}


@pytest.mark.parametrize("made", [Docker.of(A, C), Oci.of(A, C)], ids=["docker", "oci"])
@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("piped", [False, True], ids=["file", "pipe"])
async def test_an_image_comes_out_as_it_went_in(
    store: Store, tmp_path: Path, made: Docker | Oci, packer: str, piped: bool
) -> None:
    body = PACKERS[packer](made.tar())
    (tmp_path / "x.tar").write_bytes(body)
    (loaded,) = await load(store, in_pieces(body) if piped else tmp_path / "x.tar")
    image = store.image(loaded.digest)
    assert image.references == loaded.references == (NAME,)
    assert image.origin == "load"
    assert [layer.diff_id for layer in image.layers] == [digest_of(A), digest_of(C)]
    assert stored_config(store, image.digest) == config_of(A, C)
    lower, upper = store.layer_paths(image.digest)
    assert (lower / "a").read_text() == "a"
    assert (upper / "c").stat().st_size == 400_000
    for layer in image.layers:
        assert digest_of(store.layout.blob(layer.digest).read_bytes()) == layer.digest
    assert not list(store.layout.ingest.iterdir())


async def test_an_oci_image_keeps_its_digest(store: Store, tmp_path: Path) -> None:
    made = Oci.of(A)
    (tmp_path / "x").write_bytes(made.tar())
    (loaded,) = await load(store, tmp_path / "x")
    assert loaded.digest == made.entries[0]["digest"]


@pytest.mark.parametrize("made", [Docker.of(A, B), Oci.of(A, B)], ids=["docker", "oci"])
async def test_a_folder_is_read_like_the_archive(
    store: Store, tmp_path: Path, made: Docker | Oci
) -> None:
    for name, body in made.listed():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        assert isinstance(body, bytes)
        (tmp_path / "folder" / name).write_bytes(body)
    (loaded,) = await load(store, tmp_path / "folder")
    assert loaded.references == (NAME,)


async def test_several_images_share_what_they_have_in_common(store: Store, tmp_path: Path) -> None:
    made = Docker.of(A, B, name="q.io/x:1")
    made.add(A, C, name="q.io/x:2")
    (tmp_path / "x").write_bytes(made.tar())
    first, second = await load(store, tmp_path / "x")
    assert (first.references, second.references) == (("q.io/x:1",), ("q.io/x:2",))
    assert len(list(store.layout.layers.iterdir())) == 3


async def test_what_is_there_is_not_unpacked_again(store: Store, tmp_path: Path) -> None:
    (tmp_path / "docker").write_bytes(Docker.of(A).tar())
    (tmp_path / "oci").write_bytes(Oci.of(A).tar())
    await load(store, tmp_path / "docker")
    (tree,) = store.layout.layers.iterdir()
    before = tree.stat().st_ino
    for name in ("docker", "oci"):
        await load(store, tmp_path / name)
    (tree,) = store.layout.layers.iterdir()
    assert tree.stat().st_ino == before


async def test_a_compressed_layer_of_a_tree_that_is_there_keeps_its_blob(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(Docker.of(A).tar())
    await load(store, tmp_path / "x")
    made, packed = Oci(), gzip.compress(A)
    entry = made.image(A)
    manifest = made.blobs.pop(entry["digest"])
    size = str(len(A)).encode()
    manifest = manifest.replace(digest_of(A).encode(), digest_of(packed).encode())
    manifest = manifest.replace(b'"size": ' + size, b'"size": %d' % len(packed))
    made.entries = [made.blob(manifest, entry["mediaType"])]
    made.blobs[digest_of(packed)] = packed
    (tmp_path / "y").write_bytes(made.tar())
    (loaded,) = await load(store, tmp_path / "y")
    assert store.layout.blob(digest_of(packed)).read_bytes() == packed
    assert store.image(loaded.digest).layers[0].digest == digest_of(packed)


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
async def test_layer_tars_may_be_compressed(
    store: Store, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    made = Docker.of(A)
    made.files[f"{digest_of(A)[7:]}.tar"] = packed = pack(A)
    (tmp_path / "x").write_bytes(made.tar())
    (loaded,) = await load(store, tmp_path / "x")
    assert store.image(loaded.digest).layers[0].digest == digest_of(packed)


@pytest.mark.parametrize("hard", [False, True])
async def test_a_layer_may_be_a_link_to_another_one(
    store: Store, tmp_path: Path, hard: bool
) -> None:
    made = Docker.of(A)
    name = f"{digest_of(A)[7:]}.tar"
    made.files["old/layer.tar"] = Link(name if hard else f"../{name}", hard)
    made.entries[0]["Layers"] = ["old/layer.tar"]
    (tmp_path / "x").write_bytes(made.tar())
    (loaded,) = await load(store, tmp_path / "x")
    assert loaded.references == (NAME,)


async def test_names_are_in_repositories_where_the_manifest_has_none(
    store: Store, tmp_path: Path
) -> None:
    made = Docker.of(A)
    made.files["top/layer.tar"] = Link(f"../{digest_of(A)[7:]}.tar")
    made.files["repositories"] = b'{"q.io/old":{"2":"top"}}'
    made.entries[0] |= {"RepoTags": None, "Layers": ["top/layer.tar"]}
    (tmp_path / "x").write_bytes(made.tar())
    (loaded,) = await load(store, tmp_path / "x")
    assert loaded.references == ("q.io/old:2",)


async def test_short_names_are_those_of_docker_hub(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(Docker.of(A, name="box:1").tar())
    (loaded,) = await load(store, tmp_path / "x")
    assert loaded.references == ("docker.io/library/box:1",)


async def test_a_tag_alone_is_no_name_and_is_told(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(Oci.of(A, name="latest").tar())
    (loaded,) = await load(store, tmp_path / "x")
    assert loaded.references == ()
    assert "its archive gives it no name but the tag latest" in loaded.warnings


def several_platforms() -> Oci:
    made = Oci()
    entries = []
    for architecture, layer in (("amd64", A), ("arm64", B)):
        entry = made.image(layer, architecture=architecture)
        entry["platform"] = {"os": "linux", "architecture": architecture}
        entries.append(entry)
    note = {"org.opencontainers.image.ref.name": NAME}
    made.entries = [made.index(*entries, annotations=note)]
    return made


@pytest.mark.parametrize("nested", [True, False])
async def test_the_platform_decides(store: Store, tmp_path: Path, nested: bool) -> None:
    made = several_platforms()
    if not nested:
        index = made.blobs[made.entries[0]["digest"]]
        note = made.entries[0]["annotations"]
        made.entries = [{**entry, "annotations": note} for entry in json.loads(index)["manifests"]]
    (tmp_path / "x").write_bytes(made.tar())
    (loaded,) = await load(store, tmp_path / "x", platform=Platform(architecture="arm64"))
    assert store.image(loaded.digest).platform.architecture == "arm64"
    assert loaded.references == (NAME,)
    with pytest.raises(NotFound, match="no image for linux/s390x"):
        await load(store, tmp_path / "x", platform=Platform(architecture="s390x"))


async def test_a_name_moves_to_what_was_loaded_last(store: Store, tmp_path: Path) -> None:
    for number, layer in enumerate((A, B)):
        (tmp_path / f"{number}").write_bytes(Docker.of(layer).tar())
        (loaded,) = await load(store, tmp_path / f"{number}")
    assert store.find_image(NAME).digest == loaded.digest
    assert len(store.images()) == 2


async def test_an_image_without_layers_loads(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(Docker.of().tar())
    (loaded,) = await load(store, tmp_path / "x")
    assert store.image(loaded.digest).layers == ()


async def test_both_layouts_in_one_archive_are_read_as_oci(store: Store, tmp_path: Path) -> None:
    oci = Oci.of(A)
    (tmp_path / "x").write_bytes(tar_of([*oci.listed(), *Docker.of(A).listed()]))
    (loaded,) = await load(store, tmp_path / "x")
    assert loaded.digest == oci.entries[0]["digest"]


@pytest.mark.parametrize(
    ("body", "error", "match"),
    [
        (tar_of([("etc/passwd", b"x")]), Unsupported, "no archive of images"),
        (tar_of([("repositories", b"{}")]), Unsupported, "docker before 1.10"),
        (b"", Unsupported, "no archive of images"),
    ],
)
async def test_what_is_no_archive_of_images_is_told(
    store: Store, tmp_path: Path, body: bytes, error: Any, match: str
) -> None:
    (tmp_path / "x.tar").write_bytes(body)
    with pytest.raises(error, match=match) as caught:
        await load(store, tmp_path / "x.tar")
    assert caught.value.what == "x.tar"
    assert untouched(store)


async def test_only_files_and_folders_are_opened(store: Store, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInput, match="not a regular file"):
        await load(store, tmp_path / "pipe")
    with pytest.raises(NotFound, match="no such file"):
        await load(store, tmp_path / "none")
