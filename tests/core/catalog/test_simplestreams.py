from __future__ import annotations

import json
from typing import Any

import pytest

from core.catalog.simplestreams import parse_index, parse_products
from core.catalog.wire import Document
from core.errors import Hostile, Unsupported

BASE = "https://images.example/"
SUM = "ab" * 32


def index(*streams: dict[str, str]) -> Document:
    body = {"format": "index:1.0", "index": {str(at): each for at, each in enumerate(streams)}}
    return Document(url=f"{BASE}streams/v1/index.json", body=json.dumps(body).encode())


def products(**fields: Any) -> Document:
    """A list with one product, its fields replaced by those given."""
    product = {
        "aliases": "debian/trixie/default,debian/trixie,debian/13/default,debian/13",
        "arch": "amd64",
        "os": "Debian",
        "release": "trixie",
        "release_title": "trixie",
        "version": "13",
        "variant": "default",
        "versions": {
            "20250101_05:24": {"items": {"root.tar.xz": root("old/rootfs.tar.xz")}},
            "20250301_05:24": {"items": {"root.tar.xz": root("new/rootfs.tar.xz", size=1234)}},
            "20250401_05:24": {"items": {"squash": root("new/rootfs.squashfs", ftype="squashfs")}},
        },
    }
    body = {"format": "products:1.0", "products": {"x": product | fields}}
    return Document(url=f"{BASE}streams/v1/images.json", body=json.dumps(body).encode())


def root(path: str, **fields: Any) -> dict[str, Any]:
    return {"ftype": "root.tar.xz", "path": path, "sha256": SUM} | fields


def versions(**fields: Any) -> dict[str, Any]:
    return {"20250101": {"items": {"r": root("rootfs.tar.xz") | fields}}}


def test_index_names_its_product_lists() -> None:
    images = {"datatype": "image-downloads", "format": "products:1.0", "path": "streams/v1/i.json"}
    other = images | {"datatype": "image-ids", "path": "x"}
    assert parse_index(index(images, other)) == ["streams/v1/i.json"]


def test_newest_version_with_a_root_tarball_is_offered() -> None:
    (entry,) = parse_products(products(), BASE, "images", "amd64")
    assert entry.name == "debian/13"
    assert entry.aliases == ("debian/trixie",)
    assert entry.source == f"{BASE}new/rootfs.tar.xz"
    assert (entry.version, entry.architecture, entry.size) == ("13", "amd64", 1234)
    assert entry.title == "Debian trixie, 2025-03-01"
    assert (entry.checksum, entry.kind, entry.catalog) == (f"sha256:{SUM}", "rootfs", "images")


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"version": ""}, "debian/trixie"),
        ({"aliases": ""}, "debian/trixie"),
        ({"aliases": "", "variant": "cloud"}, "debian/trixie/cloud"),
        ({"aliases": "debian/trixie/cloud,debian/13/cloud", "variant": "cloud"}, "debian/13/cloud"),
        ({"aliases": "bad name,\x1b[2J,deb"}, "deb"),
    ],
)
def test_name_is_the_number_of_the_release_where_there_is_one(
    fields: dict[str, str], name: str
) -> None:
    (entry,) = parse_products(products(**fields), BASE, "images", "amd64")
    assert entry.name == name


@pytest.mark.parametrize(
    "fields",
    [
        {"arch": "arm64"},
        {"versions": {}},
        {"versions": versions(ftype="squashfs")},
        {"versions": versions(sha256="not a sum")},
    ],
)
def test_product_that_cannot_be_installed_is_left_out(fields: dict[str, Any]) -> None:
    assert list(parse_products(products(**fields), BASE, "images", "amd64")) == []


def test_title_is_cleaned() -> None:
    (entry,) = parse_products(products(os="D\x1b]52;c;eA\x07"), BASE, "images", "amd64")
    assert "\x1b" not in entry.title
    assert "\x07" not in entry.title


@pytest.mark.parametrize("path", ["../../etc/passwd", "https://evil.example/x", "//evil.example/x"])
def test_path_out_of_the_server_refuses_the_list(path: str) -> None:
    with pytest.raises(Hostile, match="leads out"):
        list(parse_products(products(versions=versions(path=path)), BASE, "images", "amd64"))


@pytest.mark.parametrize("fields", [{"versions": versions(size=-1)}, {"versions": 3}, {"arch": []}])
def test_wrong_value_is_told_with_its_place(fields: dict[str, Any]) -> None:
    with pytest.raises(Unsupported, match=r"product list: .*\$\.products"):
        list(parse_products(products(**fields), BASE, "images", "amd64"))


def test_index_of_endless_lists_is_refused() -> None:
    with pytest.raises(Hostile, match="product lists"):
        parse_index(index(*({"path": str(number)} for number in range(100))))
