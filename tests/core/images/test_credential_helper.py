"""Credential helpers: real programs, good and bad."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.domain import Credentials
from core.errors import DeckError, InvalidInput, NotFound, TimedOut
from core.images.credential_helper import CredentialHelper

if TYPE_CHECKING:
    from collections.abc import Callable

    Install = Callable[[str, str], Path]

SECRET = "canary-77cd"

KEEPER = """#!/usr/bin/python3
import json, pathlib, sys
path = pathlib.Path(__file__).with_name("kept.json")
kept = json.loads(path.read_text()) if path.exists() else {}
verb, given = sys.argv[1], sys.stdin.read()
with path.with_name("argv").open("a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if verb == "store":
    entry = json.loads(given)
    kept[entry["ServerURL"]] = entry
elif verb == "erase":
    kept.pop(given, None)
elif verb == "list":
    print(json.dumps({key: entry["Username"] for key, entry in kept.items()}))
elif given in kept:
    print(json.dumps(kept[given]))
else:
    print("credentials not found in native keychain")
    sys.exit(1)
path.write_text(json.dumps(kept))
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a helper of that name into the search path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def put(name: str, script: str) -> Path:
        path = folder / f"docker-credential-{name}"
        path.write_text(script)
        path.chmod(0o755)
        return folder

    return put


async def test_what_is_stored_comes_back_and_is_in_no_argument(install: Install) -> None:
    folder = install("keeper", KEEPER)
    helper = CredentialHelper("keeper")
    told = Credentials(username="alice", password=SECRET)
    assert await helper.get("lab:5000") is None
    await helper.store("lab:5000", told)
    assert await helper.get("lab:5000") == told
    assert await helper.list() == {"lab:5000": "alice"}
    await helper.erase("lab:5000")
    assert await helper.get("lab:5000") is None
    assert (folder / "argv").read_text().split() == ["get", "store", "get", "list", "erase", "get"]


async def test_an_identity_token_is_told_by_its_user_name(install: Install) -> None:
    folder = install("keeper", KEEPER)
    helper = CredentialHelper("keeper")
    token = Credentials(username="", identity_token=SECRET)
    await helper.store("lab", token)
    assert json.loads((folder / "kept.json").read_text())["lab"]["Username"] == "<token>"
    assert await helper.get("lab") == token


async def test_a_helper_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFound, match="docker-credential-nosuch"):
        await CredentialHelper("nosuch").get("lab")


async def test_a_helper_that_hangs_is_ended_with_its_children(
    install: Install, tmp_path: Path
) -> None:
    install("stuck", f"#!/bin/sh\nsleep 1000 & echo $! > {tmp_path}/pid; wait\n")
    with pytest.raises(TimedOut, match="docker-credential-stuck"):
        await CredentialHelper("stuck", seconds=1.0).get("lab")
    pid = (tmp_path / "pid").read_text().strip() if (tmp_path / "pid").exists() else ""
    async with asyncio.timeout(20):
        while pid and runs(pid):
            await asyncio.sleep(0.02)


def runs(pid: str) -> bool:
    """Whether a process is there and no mere zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    "script",
    [
        f"echo {SECRET}; echo {SECRET} >&2; exit 3",
        f"echo {SECRET}",
        "echo '[]'",
        f'echo \'{{"Username": 1, "Secret": "{SECRET}"}}\'',
        "exec head -c 6000000 /dev/zero",
    ],
)
async def test_nothing_that_a_helper_says_is_in_an_error(install: Install, script: str) -> None:
    install("bad", f"#!/bin/sh\n{script}\n")
    with pytest.raises(DeckError) as caught:
        await CredentialHelper("bad").get("lab")
    assert SECRET not in f"{caught.value!r} {caught.value.hint} {caught.value.__context__!r}"


@pytest.mark.parametrize("name", ["", "../x", "a/b", "-x", "a b", "x" * 200])
def test_a_name_that_could_be_a_path_or_an_option_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        CredentialHelper(name)
