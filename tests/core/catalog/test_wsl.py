from __future__ import annotations

import json
from typing import Any

import pytest

from core.catalog.wire import Document
from core.catalog.wsl import parse_list
from core.errors import Unsupported

SUM = "ab" * 32


def listed(*distributions: dict[str, Any], flavour: str = "Ubuntu") -> Document:
    body = {"ModernDistributions": {flavour: distributions}, "Default": flavour}
    return Document(url="https://list.example/D.json", body=json.dumps(body).encode())


def ubuntu(name: str = "Ubuntu-24.04", **fields: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "FriendlyName": "Ubuntu 24.04 LTS",
        "Default": False,
        "Amd64Url": {"Url": "https://files.example/u.wsl", "Sha256": f"0x{SUM.upper()}"},
    } | fields


def test_distribution_has_its_name_version_and_checksum() -> None:
    (entry,) = parse_list(listed(ubuntu()), "wsl", "amd64")
    assert (entry.name, entry.aliases, entry.version) == ("ubuntu-24.04", (), "24.04")
    assert (entry.source, entry.checksum) == ("https://files.example/u.wsl", f"sha256:{SUM}")
    assert (entry.title, entry.architecture, entry.kind) == ("Ubuntu 24.04 LTS", "amd64", "rootfs")


def test_flavour_stands_for_its_default() -> None:
    document = listed(ubuntu("Ubuntu-22.04"), ubuntu(Default=True))
    assert [entry.aliases for entry in parse_list(document, "wsl", "amd64")] == [(), ("ubuntu",)]


@pytest.mark.parametrize(
    "fields",
    [
        {"Amd64Url": None},
        {"Amd64Url": {"Url": "file:///etc/shadow", "Sha256": SUM}},
        {"Amd64Url": {"Url": "http://files.example/u.wsl"}},
        {"Amd64Url": {"Url": "https://files.example/u.wsl", "Sha256": "0x12"}},
    ],
)
def test_file_that_cannot_be_trusted_or_is_not_there_is_left_out(fields: dict[str, Any]) -> None:
    assert list(parse_list(listed(ubuntu(**fields)), "wsl", "amd64")) == []


def test_plain_http_will_do_where_the_checksum_tells() -> None:
    file = {"Url": "http://files.example/u.wsl", "Sha256": SUM}
    assert list(parse_list(listed(ubuntu(Amd64Url=file)), "wsl", "amd64"))


def test_other_architecture_has_its_own_file() -> None:
    file = {"Url": "https://files.example/arm.wsl", "Sha256": SUM}
    document = listed(ubuntu(Arm64Url=file))
    assert [entry.source for entry in parse_list(document, "wsl", "arm64")] == [file["Url"]]
    assert list(parse_list(document, "wsl", "riscv64")) == []


def test_other_document_is_told_for_what_it_is_not() -> None:
    with pytest.raises(Unsupported, match="not a list of WSL distributions"):
        list(parse_list(Document(url="https://x/", body=b'{"Distributions":[]}'), "wsl", "amd64"))
