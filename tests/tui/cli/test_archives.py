"""``save``, ``load`` and ``import`` by the command line, on the real engine."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.tui.cli.test_end_to_end import Deck

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(params=["root", "ordinary user", "single uid"])
def real(request: pytest.FixtureRequest, make_root: Any, as_user: Any) -> Deck:
    if request.param == "root":
        return Deck([], make_root())
    kind = "single_uid_user" if request.param == "single uid" else "ordinary_user"
    user = request.getfixturevalue(kind)
    return Deck(as_user(user), make_root(user))


@pytest.fixture
def name(fix: dict[str, Any]) -> str:
    return f"{fix['registries']['plain']['host']}/lib/busybox:latest"


def rootfs() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("etc/hostname")
        archive.addfile(member)
    return out.getvalue()


def test_images_go_out_and_come_back(real: Deck, name: str) -> None:
    real.done("pull", "--image-only", name)
    (before,) = real.items("images")
    path = str(real.root / "x.tar")
    assert real.done("save", "-o", path, name).text == f"{path}\n"
    (saved,) = real.items("save", "-o", path, "--format", "oci-archive", name)
    assert (saved["path"], saved["format"]) == (path, "oci-archive")
    assert saved["size"] > 1_000_000
    if real.prefix:
        ended = real("save", "-o", "/root/x.tar", name)
        assert (ended.code, "/root/x.tar: permission denied" in ended.talk) == (2, True)
    piped = real.done("save", name).out
    assert tarfile.is_tarfile(io.BytesIO(piped))
    real.done("rmi", "--yes", name)
    assert real.done("load", "-i", path).text == f"{name}\n"
    (after,) = real.items("images")
    assert after["digest"] == before["digest"]
    (loaded,) = json.loads(real.done("load", "--format", "json", given=piped).out)["items"]
    assert loaded["config_digest"] == before["config_digest"]
    assert real.done("import", "-", "made:1", "-c", "CMD sh", given=rootfs()).text == (
        "docker.io/library/made:1\n"
    )


def test_what_goes_wrong_ends_as_the_list_of_exit_codes_says(
    deck_root: Path, tmp_path: Path, name: str
) -> None:
    real = Deck([], deck_root)
    (tmp_path / "bad.tar").write_bytes(b"no archive" * 1000)
    (tmp_path / "root.tar").write_bytes(rootfs())
    for words, code, told in (
        (("load", "-i", str(tmp_path / "none")), 3, "no such file"),
        (("load", "-i", str(tmp_path / "bad.tar")), 7, "bad.tar"),
        (("load", "-i", str(tmp_path / "root.tar")), 1, "distrodeck import"),
        (("load", "-i", str(tmp_path / "root.tar"), "--platform", "x"), 2, "platform"),
        (("save", name, "-o", "/x"), 3, name),
        (("save",), 2, "NAME"),
        (("import", str(tmp_path / "root.tar"), "x:1", "-c", "RUN make"), 2, "RUN"),
        (("import", str(tmp_path / "none")), 3, "no such file"),
    ):
        ended = real(*words)
        assert ended.code == code, (words, ended.talk)
        assert told in ended.talk


def test_a_relative_path_is_the_callers(deck_root: Path, tmp_path: Path) -> None:
    (tmp_path / "root.tar").write_bytes(rootfs())
    real = Deck(["env", "-C", str(tmp_path)], deck_root)
    real.done("import", "root.tar", "made:1")
    real.done("save", "made:1", "-o", "out.tar")
    assert tarfile.is_tarfile(tmp_path / "out.tar")


def test_bytes_are_neither_written_to_nor_read_from_a_terminal(
    deck_tty: Callable[..., Any],
) -> None:
    for words, hint in ((("save", "x"), b"-o FILE"), (("load",), b"-i FILE")):
        tty = deck_tty(*words)
        tty.until(hint)
        assert tty.wait() == 9
