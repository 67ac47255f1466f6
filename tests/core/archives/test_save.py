"""Saving: stable bytes, layers once, written aside; and what is refused."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from backports import zstd

from core.archives.contents import FORMATS, Format
from core.archives.save import prepare, save_file, save_folder, save_stream
from core.errors import Conflict, Corrupt, InvalidInput, NoSpace, NotFound
from core.images.assemble import stored_config
from core.store.store import Store
from tests.core.archives.making import Docker, Oci, digest_of, layer_tar, load, untouched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

A, B = layer_tar("a"), layer_tar("b", bytes(3_000_000))
ONE, TWO = "q.io/x:1", "q.io/x:2"


@pytest.fixture
async def full(store: Store, tmp_path: Path) -> Store:
    """A store with two images that share a layer."""
    made = Docker.of(A, name=ONE)
    made.add(A, B, name=TWO)
    (tmp_path / "in.tar").write_bytes(made.tar())
    await load(store, tmp_path / "in.tar")
    return store


async def save(store: Store, path: Path, *names: str, **options: Any) -> Path:
    async with store.lease() as lease:
        saving = await prepare(store, names, lease=lease, **options)
        folder = options.get("format_", "").endswith("-dir")
        await (save_folder if folder else save_file)(saving, path)
    return path


def members(path: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(path) as archive:
        return {member.name: member for member in archive}


@pytest.mark.parametrize("format_", ["docker-archive", "oci-archive"])
async def test_the_same_images_give_the_same_bytes(
    full: Store, tmp_path: Path, format_: Format
) -> None:
    first = await save(full, tmp_path / "1", ONE, TWO, format_=format_)
    second = await save(full, tmp_path / "2", ONE, TWO, format_=format_)
    assert first.read_bytes() == second.read_bytes()
    assert {(one.mtime, one.uid, one.uname) for one in members(first).values()} == {(0, 0, "")}


async def test_layers_are_in_it_once_and_uncompressed(full: Store, tmp_path: Path) -> None:
    found = members(await save(full, tmp_path / "x", ONE, TWO))
    layers = {name: one.size for name, one in found.items() if name.endswith(".tar")}
    assert layers == {f"{digest_of(A)[7:]}.tar": len(A), f"{digest_of(B)[7:]}.tar": len(B)}


@pytest.mark.parametrize("format_", FORMATS)
async def test_what_was_saved_loads_as_it_was(full: Store, tmp_path: Path, format_: Format) -> None:
    names = (TWO,) if format_ == "docker-dir" else (ONE, TWO)
    path = await save(full, tmp_path / "out", *names, format_=format_)
    wanted = {
        stored_config(full, full.find_image(name).digest): () if len(names) == 1 else (name,)
        for name in names
    }
    async with Store.open(tmp_path / "other", privileged=True, idmap="root") as other:
        await load(other, path)
        found = {stored_config(other, one.digest): one.references for one in other.images()}
        if format_.startswith("oci"):
            assert {one.digest for one in other.images()} == {one.digest for one in full.images()}
    assert found == wanted


@pytest.mark.parametrize(("kind", "unpack"), [("gzip", gzip.decompress), ("zstd", zstd.decompress)])
async def test_a_compressed_archive_is_the_same_inside(
    full: Store, tmp_path: Path, kind: Any, unpack: Any
) -> None:
    plain = await save(full, tmp_path / "plain", TWO)
    packed = await save(full, tmp_path / "packed", TWO, compression=kind)
    assert unpack(packed.read_bytes()) == plain.read_bytes()


async def test_a_stream_is_what_a_file_would_be(full: Store, tmp_path: Path) -> None:
    path = await save(full, tmp_path / "x", TWO)
    async with full.lease() as lease:
        saving = await prepare(full, [TWO], lease=lease)
        pieces = [piece async for piece in save_stream(full, saving)]
    assert b"".join(pieces) == path.read_bytes()


async def test_a_reference_is_saved_alone_and_a_digest_with_all_names(
    full: Store, tmp_path: Path
) -> None:
    digest = full.find_image(ONE).digest
    await full.tag_image(digest, "q.io/other:1")
    tags = []
    for name in (ONE, digest):
        with tarfile.open(await save(full, tmp_path / "x", name)) as archive:
            file = archive.extractfile("manifest.json")
            assert file
            tags.append(json.load(file)[0]["RepoTags"])
    assert tags == [[ONE], ["q.io/other:1", ONE]]


async def test_a_layer_of_another_form_stands_in_for_one_never_fetched(
    full: Store, tmp_path: Path
) -> None:
    packed = gzip.compress(A)
    made = Oci()
    entry = made.image(A, name="q.io/packed:1", author="x")
    manifest = made.blobs.pop(entry["digest"])
    manifest = manifest.replace(digest_of(A).encode(), digest_of(packed).encode())
    manifest = manifest.replace(b'"size": %d' % len(A), b'"size": %d' % len(packed))
    made.entries = [
        {**made.blob(manifest, entry["mediaType"]), "annotations": entry["annotations"]}
    ]
    made.blobs[digest_of(packed)] = packed
    (tmp_path / "in").write_bytes(made.tar())
    await load(full, tmp_path / "in")
    full.layout.blob(digest_of(packed)).unlink()
    path = await save(full, tmp_path / "out", "q.io/packed:1", format_="oci-archive")
    async with Store.open(tmp_path / "other", privileged=True, idmap="root") as other:
        (loaded,) = await load(other, path)
        assert other.image(loaded.digest).layers[0].digest == digest_of(A)


async def test_a_file_that_is_there_is_replaced_only_by_a_whole_one(
    full: Store, tmp_path: Path
) -> None:
    path = tmp_path / "x"
    path.write_text("before")
    full.layout.blob(digest_of(B)).write_bytes(B[:-1] + b"\1")
    with pytest.raises(Corrupt, match="the store's blob is damaged"):
        await save(full, path, TWO)
    assert path.read_text() == "before"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["data", "in.tar", "x"]
    await save(full, path, ONE)
    assert tarfile.is_tarfile(path)


async def test_what_cannot_be_saved_is_told(full: Store, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, error, match in (
        (tmp_path / "none" / "x", NotFound, "no such folder"),
        (tmp_path / "pipe", InvalidInput, "not a regular file"),
        (tmp_path, InvalidInput, "not a regular file"),
    ):
        with pytest.raises(error, match=match):
            await save(full, path, ONE)
    with pytest.raises(Conflict, match="is there already"):
        await save(full, tmp_path, ONE, format_="oci-dir")
    with pytest.raises(NotFound):
        await save(full, tmp_path / "x", "q.io/none:1")
    with pytest.raises(InvalidInput, match="holds one image only"):
        await save(full, tmp_path / "x", ONE, TWO, format_="docker-dir")
    with pytest.raises(InvalidInput, match="not compressed"):
        await save(full, tmp_path / "x", ONE, format_="oci-dir", compression="gzip")
    full.layout.blob(digest_of(A)).unlink()
    with pytest.raises(Corrupt, match="the blob is not in the store"):
        await save(full, tmp_path / "x", ONE)
    assert not (tmp_path / "x").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


async def test_a_full_disk_leaves_nothing(full: Store, small_disk: Path) -> None:
    for format_ in ("docker-archive", "oci-dir"):
        with pytest.raises(NoSpace, match=f"{small_disk}/x: no space left"):
            await save(full, small_disk / "x", TWO, format_=format_)
        assert not list(small_disk.iterdir())


async def test_a_full_disk_while_loading_leaves_nothing_visible(
    small_disk: Path, tmp_path: Path
) -> None:
    made = Docker.of(layer_tar("a", os.urandom(4_000_000)))
    for body in (made.tar(), gzip.compress(made.tar(), 1)):
        (tmp_path / "x").write_bytes(body)
        async with Store.open(small_disk / "s", privileged=True, idmap="root") as store:
            with pytest.raises(NoSpace):
                await load(store, tmp_path / "x")
            assert untouched(store)


async def test_folders_above_members_are_in_it_before_them(full: Store, tmp_path: Path) -> None:
    path = await save(full, tmp_path / "x", ONE, format_="oci-archive")
    with tarfile.open(path) as archive:
        names = archive.getnames()
    assert names[:4] == ["oci-layout", "index.json", "blobs", "blobs/sha256"]
    whole = path.read_bytes()
    assert len(whole) % tarfile.RECORDSIZE == 0
    assert io.BytesIO(whole).getvalue().endswith(bytes(1024))
