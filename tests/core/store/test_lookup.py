"""Looking into a stack of layers: whiteouts hide, links stay inside."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from core.store.lookup import read_file


@pytest.fixture
def layers(tmp_path: Path) -> list[Path]:
    made = [tmp_path / "layers" / name for name in ("low", "middle", "top")]
    for path in made:
        (path / "etc").mkdir(parents=True)
    (tmp_path / "secret").write_text("outside")
    (tmp_path / "layers" / "secret").write_text("outside")
    return made


def whiteout(path: Path) -> None:
    os.mknod(path, stat.S_IFCHR, os.makedev(0, 0))


def test_the_topmost_file_is_read(layers: list[Path]) -> None:
    for layer in layers:
        (layer / "etc" / "x").write_text(layer.name)
    assert read_file(layers, "etc/x") == b"top"
    assert read_file(layers, "/etc//./x") == b"top"


def test_a_lower_file_shines_through(layers: list[Path]) -> None:
    (layers[0] / "etc" / "x").write_text("low")
    assert read_file(layers, "etc/x") == b"low"


def test_a_whiteout_hides_what_is_below(layers: list[Path]) -> None:
    (layers[0] / "etc" / "x").write_text("low")
    whiteout(layers[1] / "etc" / "x")
    assert read_file(layers, "etc/x") is None
    (layers[2] / "etc" / "x").write_text("again")
    assert read_file(layers, "etc/x") == b"again"


def test_a_whiteout_by_attribute_hides_too(layers: list[Path]) -> None:
    (layers[0] / "etc" / "x").write_text("low")
    (layers[1] / "etc" / "x").touch()
    os.setxattr(layers[1] / "etc" / "x", "user.overlay.whiteout", b"y")
    assert read_file(layers, "etc/x") is None


def test_an_opaque_directory_hides_the_one_below(layers: list[Path]) -> None:
    (layers[0] / "etc" / "x").write_text("low")
    os.setxattr(layers[1] / "etc", "user.overlay.opaque", b"y")
    assert read_file(layers, "etc/x") is None


def test_a_file_hides_a_directory_of_the_same_name(layers: list[Path]) -> None:
    (layers[0] / "d").mkdir()
    (layers[0] / "d" / "x").write_text("low")
    (layers[1] / "d").write_text("file")
    (layers[2] / "d").mkdir()
    assert read_file(layers, "d/x") is None


def test_links_are_followed_across_layers(layers: list[Path]) -> None:
    (layers[2] / "etc" / "x").symlink_to("../usr/lib/x")
    (layers[0] / "usr" / "lib").mkdir(parents=True)
    (layers[0] / "usr" / "lib" / "x").write_text("found")
    assert read_file(layers, "etc/x") == b"found"


@pytest.mark.parametrize(
    "target",
    [
        "../secret",
        "../../secret",
        "../../../../../../../../../../{outside}",
        "{outside}",
        "/proc/self/root{outside}",
    ],
)
def test_no_link_leads_out(layers: list[Path], tmp_path: Path, target: str) -> None:
    (layers[2] / "etc" / "x").symlink_to(target.format(outside=tmp_path / "secret"))
    assert read_file(layers, "etc/x") is None


def test_a_directory_that_is_a_link_does_not_lead_out(layers: list[Path], tmp_path: Path) -> None:
    (layers[2] / "d").symlink_to(tmp_path)
    assert read_file(layers, "d/secret") is None


def test_loops_and_what_is_no_regular_file_give_nothing(layers: list[Path]) -> None:
    (layers[0] / "a").symlink_to("b")
    (layers[0] / "b").symlink_to("a")
    os.mkfifo(layers[0] / "pipe")
    os.mknod(layers[0] / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    for name in ("a", "pipe", "null", "etc", "", "..", "missing", "x" * 300, "a\0b"):
        assert read_file(layers, name) is None


def test_no_more_is_read_than_the_cap(layers: list[Path]) -> None:
    (layers[0] / "x").write_bytes(b"0123456789")
    assert read_file(layers, "x", cap=4) == b"0123"


def test_every_descriptor_is_closed(layers: list[Path]) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in ("etc/x", "etc/../etc", "missing/x"):
        read_file(layers, name)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
