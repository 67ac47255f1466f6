"""Distros to open sessions in: busybox for speed, Debian where its bash or apt is the point."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests import host
from tests.core import distros

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from core.shells.launch import HolderSpec
    from core.shells.link import HolderLink


class Person(NamedTuple):
    """Who a test is played as, and where."""

    kind: str
    prefix: list[str]
    root: Path

    def play(self, **plan: Any) -> list[dict[str, Any]]:
        """Carry out a plan; see :func:`tests.core.distros.play`."""
        return distros.play_as(self.prefix, self.root, plan)


@pytest.fixture(scope="session")
def shared_root() -> Iterator[Path]:
    """A folder for unpacked images that everybody may read."""
    root = host.make_root()
    root.chmod(0o755)
    yield root
    host.clear_root(root)


@pytest.fixture(scope="session")
def busybox_archive(fix: dict[str, Any], shared_root: Path) -> Path:
    return distros.fetch(fix, "busybox-amd64.tar.gz", shared_root)


@pytest.fixture(scope="session")
def debian_archive(fix: dict[str, Any]) -> Path:
    digest = fix["images"]["minbase"]["layers"][0]["digest"].removeprefix("sha256:")
    return Path(fix["dir"]) / "oci" / "minbase" / "blobs" / "sha256" / digest


@pytest.fixture(scope="session")
def busybox(busybox_archive: Path, shared_root: Path) -> Path:
    """busybox, unpacked by root."""
    layer = shared_root / "busybox"
    distros.unpack(busybox_archive, layer)
    return layer


@pytest.fixture(scope="session")
def debian(debian_archive: Path, shared_root: Path) -> Path:
    """Debian, unpacked by root."""
    layer = shared_root / "debian"
    distros.unpack(debian_archive, layer)
    return layer


@pytest.fixture
def spec(deck_root: Path, busybox: Path) -> HolderSpec:
    """A busybox distro of root's, not started."""
    return distros.holder_spec(deck_root, [busybox])


@pytest.fixture
async def link(spec: HolderSpec) -> AsyncIterator[HolderLink]:
    """A running busybox distro of root's."""
    async with distros.holding(spec) as link:
        yield link


@pytest.fixture(params=["root", "subuid", "single"])
def person(request: pytest.FixtureRequest, make_root: Callable[..., Path]) -> Person:
    """Each kind of user that may run distros."""
    if request.param == "root":
        return Person("root", [], make_root())
    name = {"subuid": "ordinary_user", "single": "single_uid_user"}[request.param]
    user: host.User = request.getfixturevalue(name)
    return Person(request.param, host.as_user(user), make_root(user))
