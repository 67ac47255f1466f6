"""Importing root file systems: every published form gives the same tree, and the same image."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import (
    Corrupt,
    DeckError,
    Hostile,
    InvalidInput,
    NotFound,
    Unreachable,
    Unsupported,
)
from core.images.tarball import import_tarball, parse_checksum
from tests.core.images.serving import Served, tar

if TYPE_CHECKING:
    from core.images.pull import Pulled
    from core.images.transport import Patience
    from core.store.store import Store

BUSYBOX = "busybox-amd64.tar.xz"


async def bring(store: Store, source: str | Path, **options: Any) -> Pulled:
    async with store.lease() as lease:
        return await import_tarball(store, str(source), lease=lease, pinned=True, **options)


def tree_of(store: Store, pulled: Pulled) -> Path:
    (layer,) = store.layer_paths(pulled.digest)
    return layer


@pytest.mark.parametrize(
    "name", ["busybox-amd64.tar.gz", BUSYBOX, "busybox-amd64.tar.zst", "busybox-amd64.wsl"]
)
async def test_a_published_tarball_becomes_an_image_of_one_layer(
    fix: dict[str, Any], store: Store, name: str
) -> None:
    facts = fix["http"]["files"][name]
    pulled = await bring(store, facts["url"], checksum=f"sha256:{facts['sha256']}")
    image = store.image(pulled.digest)
    assert image.layers[0].diff_id == fix["images"]["busybox"]["layers"][0]["diff_id"]
    assert (tree_of(store, pulled) / "bin/busybox").exists()
    assert not list(store.layout.ingest.iterdir())


async def test_the_blob_that_is_kept_is_one_that_registries_take(
    fix: dict[str, Any], store: Store
) -> None:
    pulled = await bring(store, fix["http"]["files"][BUSYBOX]["url"])
    layer = store.image(pulled.digest).layers[0]
    assert layer.media_type.endswith("+zstd")
    blob = store.layout.blob(layer.digest).read_bytes()
    assert layer.digest == f"sha256:{hashlib.sha256(blob).hexdigest()}"
    assert len(blob) == layer.size


async def test_the_version_is_that_of_os_release_else_of_the_file_name(
    fix: dict[str, Any], store: Store, tmp_path: Path
) -> None:
    for name, version in (
        ("alpine-minirootfs-3.20.1-x86_64.tar", "3.20.1"),
        ("debian-12-amd64.tar", "12"),
        ("busybox-amd64.tar", ""),
    ):
        (tmp_path / name).write_bytes(tar({"etc/x": name.encode()}))
        assert (await bring(store, tmp_path / name)).version == version
    async with store.lease() as lease:
        url = fix["http"]["files"][BUSYBOX]["url"]
        pulled = await import_tarball(store, url, lease=lease)
        made = await store.create_distro("b", pulled.digest, url=url, version="other")
    assert made.version == "1"


async def test_the_same_file_again_is_the_same_image(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(tar({"a": b"x"}))
    first = await bring(store, path)
    second = await bring(store, f"file://{path}")
    assert first.digest == second.digest
    assert len(store.images()) == 1


@pytest.mark.parametrize("source", ["url", "path"])
async def test_a_wrong_checksum_is_refused_and_the_file_deleted(
    fix: dict[str, Any], store: Store, tmp_path: Path, source: str
) -> None:
    where: str | Path = fix["http"]["files"][BUSYBOX]["url"]
    if source == "path":
        where = tmp_path / BUSYBOX
        where.write_bytes(tar({"a": b"x"}))
    with pytest.raises(Corrupt, match=f"{BUSYBOX}: differs from its checksum"):
        await bring(store, where, checksum=f"sha256:{'0' * 64}")
    assert store.images() == []
    assert not list(store.layout.ingest.iterdir())


@pytest.mark.parametrize("text", ["AB" * 32, f"0x{'ab' * 32}", f"sha256:{'ab' * 32}"])
def test_checksums_are_read_as_lists_write_them(text: str) -> None:
    assert parse_checksum(text) == f"sha256:{'ab' * 32}"


@pytest.mark.parametrize("text", ["", "md5:1", "sha256:xyz", "ab" * 31])
def test_a_malformed_checksum_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_checksum(text)


async def test_a_cut_download_is_carried_on(
    fix: dict[str, Any], store: Store, patience: Patience
) -> None:
    base = fix["http"]["url"]
    with pytest.raises(Unreachable) as caught:
        await bring(store, f"{base}/cut/0/rootfs/{BUSYBOX}", patience=patience)
    assert caught.value.kept == ""
    pulled = await bring(store, f"{base}/cut/400000/rootfs/{BUSYBOX}", patience=patience)
    assert store.image(pulled.digest)


async def test_a_tarball_cancelled_while_it_is_unpacked_is_not_fetched_again(
    served: Served, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = gzip.compress(tar({"etc/x": os.urandom(500_000)}))
    served.blobs["sha256:root"] = body
    url = f"http://{served.host}/v2/t/x/blobs/sha256:root"
    whole = f"sha256:{hashlib.sha256(body).hexdigest()}"
    unpacking = asyncio.Event()

    def hold(*_: Any, **__: Any) -> Any:
        unpacking.set()
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr("core.images.tarball.open_unpacker", hold)
        with pytest.raises(asyncio.CancelledError):
            await bring(store, url, checksum=whole)
    assert unpacking.is_set()
    sent = served.sent["sha256:root"]
    pulled = await bring(store, url, checksum=whole)
    assert served.sent["sha256:root"] - sent <= 1
    assert (tree_of(store, pulled) / "etc/x").exists()
    assert not list(store.layout.ingest.iterdir())


async def test_a_server_without_ranges_starts_anew(
    fix: dict[str, Any], store: Store, patience: Patience
) -> None:
    url = f"{fix['http']['url']}/cut/400000/norange/rootfs/{BUSYBOX}"
    with pytest.raises(Unreachable) as caught:
        await bring(store, url, patience=patience)
    assert "kB of busybox-amd64.tar.xz" in caught.value.kept
    assert store.images() == []


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/rootfs/none.tar.xz", NotFound),
        (f"/status/500/rootfs/{BUSYBOX}", Unreachable),
        (f"/status/429/rootfs/{BUSYBOX}", Unreachable),
        ("/rootfs/SHA256SUMS", DeckError),
        ("/rootfs/", DeckError),
    ],
)
async def test_what_a_server_does_wrong_is_told(
    fix: dict[str, Any], store: Store, patience: Patience, path: str, error: type[DeckError]
) -> None:
    with pytest.raises(error):
        await bring(store, fix["http"]["url"] + path, patience=patience)
    assert store.images() == []
    assert not list(store.layout.staging.iterdir())


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", DeckError),
        (b"not a tarball at all" * 100, DeckError),
        (b"hsqs" + bytes(1000), Unsupported),
        (b"PK\x03\x04" + bytes(1000), Unsupported),
        (gzip.compress(tar({"a": b"x" * 9999}))[:-20], Corrupt),
        (b"\xfd7zXZ\x00" + bytes(100), Corrupt),
        (tar({"oci-layout": b"{}", "index.json": b"{}"}), Unsupported),
        (tar({"manifest.json": b"[]", "x.tar": b""}), Unsupported),
        (tar({"../../escape": b"x"}), Hostile),
    ],
)
async def test_what_is_no_root_file_system_is_refused(
    store: Store, tmp_path: Path, data: bytes, error: type[DeckError]
) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(data)
    with pytest.raises(error, match=r"x\.tar"):
        await bring(store, path)
    assert store.images() == []
    for folder in ("ingest", "staging", "layers"):
        assert not list((store.layout.data / folder).iterdir())


async def test_a_link_to_a_file_that_is_not_in_it_is_refused(store: Store, tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("a")
        member.type, member.linkname = tarfile.LNKTYPE, "missing"
        archive.addfile(member)
    (tmp_path / "x.tar").write_bytes(out.getvalue())
    with pytest.raises(Corrupt, match=r"x\.tar"):
        await bring(store, tmp_path / "x.tar")


async def test_only_regular_files_are_opened(store: Store, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(InvalidInput, match="not a regular file"):
            await bring(store, path)
    with pytest.raises(NotFound, match="no such file"):
        await bring(store, tmp_path / "none")
