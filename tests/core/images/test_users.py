"""Ordinary users pull too: with subordinate ids the owners are right, with one id all is theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import FIXTURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.host import User

DRIVER = """
import asyncio, json, pathlib, sys
from core.images.pull import pull_image
from core.images.reference import parse_reference
from core.runtimes.idmap import find_idmap
from core.store.store import Store

async def main(data, text, keep):
    idmap = await find_idmap()
    async with Store.open(
        pathlib.Path(data), enter=idmap.enter, privileged=idmap.privileged, idmap=idmap.kind
    ) as store:
        async with store.lease() as lease:
            pulled = await pull_image(store, parse_reference(text), lease=lease)
            made = await store.create_distro("d", pulled.digest, url=text)
        size = await store.measure_distro("d")
        layers = [str(path) for path in store.layer_paths(pulled.digest)]
        if keep != "keep":
            await store.remove_distro("d", now=True)
            await store.empty_trash()
    print(json.dumps({
        "kind": idmap.kind, "enter": idmap.enter, "layers": layers, "version": made.version,
        "size": size,
    }))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(params=["subuid", "single"])
def user(request: pytest.FixtureRequest, ordinary_user: User, single_uid_user: User) -> User:
    return ordinary_user if request.param == "subuid" else single_uid_user


def drive(user: User, prefix: list[str], *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [*prefix, sys.executable, "-P", "-c", DRIVER, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_an_ordinary_user_gets_the_files_of_the_image(
    fix: dict[str, Any],
    user: User,
    as_user: Callable[[User], list[str]],
    make_root: Callable[..., Path],
) -> None:
    data, text = make_root(user) / "data", f"{fix['registries']['plain']['host']}/lib/busybox"
    found = drive(user, as_user(user), str(data), text, "keep")
    tree = subprocess.run(
        [
            *as_user(user),
            *found["enter"],
            sys.executable,
            FIXTURES.with_name("tree.py"),
            "list",
            f"{found['layers'][0]}/",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    ).stdout
    expected = Path(fix["dir"], fix["images"]["busybox"]["tree"]["listing"]).read_text()
    own = str(user.uid), str(user.gid)

    def rows(text: str) -> list[list[str]]:
        lines = [line.split("\t") for line in text.splitlines()]
        if found["kind"] == "single":
            lines = [[*line[:3], *own, *line[5:]] for line in lines]
        return lines

    assert rows(tree) == rows(expected)
    assert found["version"] == "1"


def test_an_ordinary_user_can_remove_what_was_pulled(
    fix: dict[str, Any],
    user: User,
    as_user: Callable[[User], list[str]],
    make_root: Callable[..., Path],
) -> None:
    data, text = make_root(user) / "data", f"{fix['registries']['plain']['host']}/lib/edge"
    drive(user, as_user(user), str(data), text, "remove")
    for folder in ("layers", "l", "distros", "trash", "staging"):
        assert not list((data / folder).iterdir())


def test_a_store_of_subordinate_ids_is_not_opened_without_them(
    fix: dict[str, Any],
    ordinary_user: User,
    as_user: Callable[[User], list[str]],
    make_root: Callable[..., Path],
) -> None:
    data = make_root(ordinary_user) / "data"
    text = f"{fix['registries']['plain']['host']}/lib/busybox"
    drive(ordinary_user, as_user(ordinary_user), str(data), text, "keep")
    driver = DRIVER.replace("idmap=idmap.kind", "idmap='single'")
    done = subprocess.run(
        [*as_user(ordinary_user), sys.executable, "-P", "-c", driver, str(data), text, "keep"],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert "'subuid', now it is 'single'" in done.stderr
