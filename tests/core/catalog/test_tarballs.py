from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.catalog.tarballs import parse_sums, read
from core.catalog.wire import Document
from core.config import SourceSettings
from core.errors import Hostile, NotFound, Unsupported

if TYPE_CHECKING:
    from pathlib import Path

    from core.domain import CatalogEntry

BASE = "https://files.example/rootfs/"
SUM = "ab" * 32


def entries(*names: str, architecture: str = "amd64") -> list[CatalogEntry]:
    body = "".join(f"{SUM}  {name}\n" for name in names).encode()
    document = Document(url=f"{BASE}SHA256SUMS", body=body)
    return list(parse_sums(document, BASE, "files", architecture))


@pytest.mark.parametrize(
    ("file", "name", "version", "architecture"),
    [
        ("debian-12-amd64.tar.xz", "debian-12", "12", "amd64"),
        ("alpine-minirootfs-3.20.1-x86_64.tar.gz", "alpine-minirootfs-3.20.1", "3.20.1", "amd64"),
        ("void-x86_64-ROOTFS-20250202.tar.xz", "void-rootfs-20250202", "20250202", "amd64"),
        ("amd64.tar", "amd64", "", "amd64"),
        ("mine.tgz", "mine", "", ""),
    ],
)
def test_name_version_and_architecture_are_read_from_the_file_name(
    file: str, name: str, version: str, architecture: str
) -> None:
    (entry,) = entries(file)
    assert (entry.name, entry.version, entry.architecture) == (name, version, architecture)
    assert (entry.source, entry.checksum) == (BASE + file, f"sha256:{SUM}")


def test_of_one_tree_packed_several_ways_the_quickest_comes_first() -> None:
    found = entries("a.tar.xz", "a.tar.zst", "a.tar.gz", "a.wsl")
    assert found[0].source == f"{BASE}a.tar.zst"


def test_other_architectures_and_other_files_are_left_out() -> None:
    assert entries("debian-arm64.tar.xz", "x-aarch64.tar", "notes.txt", "kernel-amd64") == []
    assert [entry.name for entry in entries("x-aarch64.tar", architecture="arm64")] == ["x"]


def test_binary_mode_lines_are_read_and_odd_ones_ignored() -> None:
    body = f"# made today\n{SUM} *a.tar\nzz  b.tar\n\\{SUM}  c\\nd.tar\n\xff\n".encode("latin-1")
    document = Document(url=f"{BASE}SHA256SUMS", body=body)
    assert [entry.name for entry in parse_sums(document, BASE, "files", "amd64")] == ["a"]


def test_page_that_is_no_list_of_sums_is_told() -> None:
    with pytest.raises(Unsupported, match="not a SHA256SUMS"):
        list(parse_sums(Document(url=BASE, body=b"<html>\n</html>"), BASE, "files", "amd64"))


@pytest.mark.parametrize("name", ["../../etc/x.tar", "/etc/x.tar", "a/../../x.tar"])
def test_name_out_of_the_folder_refuses_the_list(name: str) -> None:
    with pytest.raises(Hostile, match="leads out"):
        entries(name)


async def get_nothing(url: str) -> Document:
    raise AssertionError(url)


async def test_local_folder_is_read_without_a_network(tmp_path: Path) -> None:
    source = SourceSettings(name="local", kind="tarballs", url=str(tmp_path))
    with pytest.raises(NotFound, match="SHA256SUMS: no such file"):
        await read(source, get_nothing, "amd64")
    (tmp_path / "SHA256SUMS").write_text(f"{SUM}  a-1.tar\n")
    (entry,) = await read(source, get_nothing, "amd64")
    assert entry.source == f"{tmp_path}/a-1.tar"


async def test_local_name_out_of_the_folder_refuses_the_list(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text(f"{SUM}  ../x.tar\n")
    source = SourceSettings(name="local", kind="tarballs", url=f"{tmp_path}/SHA256SUMS")
    with pytest.raises(Hostile, match="leads out"):
        await read(source, get_nothing, "amd64")
