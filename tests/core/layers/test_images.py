"""Real images come out exactly as the fixture's own merger says."""

from __future__ import annotations

import difflib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.core.layers import drive
from tests.core.layers.overlay import ONE_UID, SUBIDS, listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.host import User

IMAGES = [
    "busybox", "busybox-plain", "busybox-v2s2", "minbase", "minbase-v2s2", "minbase-zstd",
    "dev", "app1", "edge", "edge-odd", "many",
]  # fmt: skip
IN_SHORT = ["busybox", "dev", "edge", "edge-odd", "many"]


def blobs_of(fix: dict[str, Any], name: str) -> list[Path]:
    image = fix["images"][name]
    store = Path(fix["dir"]) / image["oci_layout"] / "blobs" / "sha256"
    return [store / layer["digest"].removeprefix("sha256:") for layer in image["layers"]]


def expected(fix: dict[str, Any], name: str) -> str:
    return (Path(fix["dir"]) / fix["images"][name]["tree"]["listing"]).read_text()


def assert_same(found: str, wanted: str) -> None:
    if found != wanted:
        lines = difflib.unified_diff(
            wanted.splitlines(), found.splitlines(), "wanted", "found", n=0
        )
        pytest.fail("\n".join(list(lines)[:20]))


def unpack_as(
    as_user: Callable[[User], list[str]], user: User, *, enter: tuple[str, ...], **arguments: Any
) -> list[dict[str, Any]]:
    done = subprocess.run(
        [
            *as_user(user),
            sys.executable,
            "-P",
            drive.__file__,
            json.dumps({**arguments, "enter": enter}),
        ],
        cwd="/",
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


@pytest.mark.parametrize("name", IMAGES)
async def test_root_gets_every_image_exactly(
    fix: dict[str, Any], make_root: Callable[..., Path], name: str
) -> None:
    blobs = blobs_of(fix, name)
    folder = make_root()
    results = await drive.unpack_all(folder, blobs)
    facts = fix["images"][name]["layers"]
    assert [done.diff_id for done in results] == [layer["diff_id"] for layer in facts]
    assert [done.tar_size for done in results] == [layer["tar_size"] for layer in facts]
    assert_same(listing([folder / str(n) for n in range(len(blobs))]), expected(fix, name))


def test_an_image_without_layers_has_nothing_to_unpack(fix: dict[str, Any]) -> None:
    assert blobs_of(fix, "empty") == []
    assert expected(fix, "empty") == ""


@pytest.mark.parametrize("name", IN_SHORT)
def test_a_user_with_subuids_gets_the_owners_as_its_namespace_sees_them(
    fix: dict[str, Any],
    make_root: Callable[..., Path],
    ordinary_user: User,
    as_user: Callable[[User], list[str]],
    name: str,
) -> None:
    folder = make_root(ordinary_user)
    blobs = blobs_of(fix, name)
    results = unpack_as(
        as_user,
        ordinary_user,
        folder=str(folder),
        blobs=[str(blob) for blob in blobs],
        enter=SUBIDS,
        privileged=True,
    )
    found = listing(
        [folder / str(n) for n in range(len(blobs))], before=[*as_user(ordinary_user), *SUBIDS]
    )
    rows = [line.split("\t") for line in expected(fix, name).splitlines()]
    for row in rows:
        row[3:5] = ["65534" if int(number) > 65535 else number for number in row[3:5]]
    without_devices = [row for row in rows if row[1] not in "cb"]
    assert_same(found, "".join("\t".join(row) + "\n" for row in without_devices))
    warnings = [line for done in results for line in done["warnings"]]
    if name == "edge":
        assert warnings == ["owner not mapped here, now nobody: biguid"]
    if name == "edge-odd":
        assert warnings == ["device left out, not permitted here: node"]


@pytest.mark.parametrize("name", IN_SHORT)
def test_a_user_with_one_uid_gets_contents_modes_and_links(
    fix: dict[str, Any],
    make_root: Callable[..., Path],
    single_uid_user: User,
    as_user: Callable[[User], list[str]],
    name: str,
) -> None:
    folder = make_root(single_uid_user)
    blobs = blobs_of(fix, name)
    unpack_as(
        as_user,
        single_uid_user,
        folder=str(folder),
        blobs=[str(blob) for blob in blobs],
        enter=(),
        privileged=False,
    )
    found = listing(
        [folder / str(n) for n in range(len(blobs))], before=[*as_user(single_uid_user), *ONE_UID]
    )
    assert_same(_ownerless(found), _ownerless(expected(fix, name)))


def _ownerless(text: str) -> str:
    """Without owners, devices and capabilities, which one uid cannot have."""
    kept = []
    for line in text.splitlines():
        row = line.split("\t")
        if row[1] in "cb":
            continue
        attributes = [pair for pair in row[9].split(",") if not pair.startswith("security.")]
        kept.append("\t".join([*row[:3], *row[5:9], ",".join(attributes) or "-"]) + "\n")
    return "".join(kept)


async def test_times_keep_their_nanoseconds(
    fix: dict[str, Any], make_root: Callable[..., Path]
) -> None:
    folder = make_root()
    await drive.unpack_all(folder, blobs_of(fix, "edge"))
    wanted = fix["images"]["edge"]["expect"]["mtime_ns"]
    assert {name: (folder / "1" / name).stat().st_mtime_ns for name in wanted} == wanted
