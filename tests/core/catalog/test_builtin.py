from __future__ import annotations

import re
import tomllib
from importlib.resources import files

from core.catalog.builtin import distros, this_host
from core.catalog.wire import host_architecture, is_name

LISTED = tomllib.loads(files("core.catalog").joinpath("builtin.toml").read_text())["distro"]
REFERENCE = re.compile(r"[a-z0-9.-]+\.[a-z]+(/[a-z0-9._-]+)+:[a-zA-Z0-9._-]+")


def test_every_line_of_the_list_is_whole() -> None:
    for distro in LISTED:
        assert set(distro) - {"aliases"} == {"name", "reference", "title", "architectures"}
        assert all(is_name(name) for name in (distro["name"], *distro.get("aliases", ())))
        assert REFERENCE.fullmatch(distro["reference"]), distro["reference"]
        assert distro["architectures"] == sorted(distro["architectures"])


def test_no_two_distros_share_a_name() -> None:
    names = [name for distro in LISTED for name in (distro["name"], *distro.get("aliases", ()))]
    assert len(names) == len(set(names))
    families = [distro["name"].partition("/")[0] for distro in LISTED]
    assert families == sorted(families)


def test_list_has_the_well_known_for_each_architecture() -> None:
    assert {"alpine/latest", "debian/12", "ubuntu/24.04", "fedora/latest", "archlinux/latest"} <= {
        entry.name for entry in distros("amd64")
    }
    assert "archlinux/latest" not in {entry.name for entry in distros("arm64")}
    assert distros("riscv64")


def test_this_host_is_an_entry_of_its_own_kind() -> None:
    entry = this_host()
    assert (entry.name, entry.source, entry.kind) == ("host", "host:", "host")
    assert entry.title.startswith("this host")
    assert entry.architecture == host_architecture()
