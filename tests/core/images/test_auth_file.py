"""The credentials files: which, what is in them, and how they are replaced."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from core.domain import Credentials
from core.errors import InvalidInput, Refused
from core.images.auth_file import (
    change_auth_file,
    credentials_of,
    find_auth_files,
    matching,
    normal_key,
    read_auth_file,
    scopes_of,
)

SECRET = "canary-55ab"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def auth(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_files_are_those_of_podman_and_docker_in_their_order(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    files = find_auth_files()
    assert files.read == (
        Path("/run/user/7/containers/auth.json"),
        home / ".config/containers/auth.json",
        home / ".docker/config.json",
    )
    assert files.write == files.read[0]


def test_without_a_session_root_and_others_have_a_place(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert find_auth_files().write == Path("/run/containers/0/auth.json")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert find_auth_files().write == home / ".config/containers/auth.json"


def test_a_named_file_is_the_only_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_AUTH_FILE", "/x/env.json")
    assert find_auth_files().read == (Path("/x/env.json"),)
    assert find_auth_files("/x/flag.json").read == (Path("/x/flag.json"),)


@pytest.mark.parametrize(
    ("key", "normal"),
    [
        ("https://index.docker.io/v1/", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("http://lab:5000/v2/", "lab:5000"),
        ("quay.io/team/", "quay.io/team"),
        ("lab/v1box", "lab/v1box"),
    ],
)
def test_keys_of_all_ages_mean_the_same(key: str, normal: str) -> None:
    assert normal_key(key) == normal


def test_the_nearest_key_comes_first() -> None:
    keys = ["lab:5000", "https://lab:5000/", "lab:5000/team", "lab", "lab:5000/team/box/x"]
    assert matching(keys, scopes_of("lab:5000", "team/box")) == [
        "lab:5000/team",
        "lab:5000",
        "https://lab:5000/",
    ]


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"auth": auth("a:b:c")}, Credentials(username="a", password="b:c")),
        ({"auth": auth("a:b\0\0")}, Credentials(username="a", password="b")),
        ({"username": "a", "password": "b"}, Credentials(username="a", password="b")),
        ({"identitytoken": "t"}, Credentials(username="", identity_token="t")),
        ({"registrytoken": "t"}, Credentials(username="", registry_token="t")),
        (
            {"auth": auth("a:"), "identitytoken": "t"},
            Credentials(username="a", identity_token="t"),
        ),
        ({}, None),
        ({"auth": "%%%"}, None),
        ({"auth": auth("a:")}, None),
        ("x", None),
        ({"auth": 7}, None),
    ],
)
def test_an_entry_is_a_password_a_token_or_nothing(
    entry: object, found: Credentials | None
) -> None:
    assert credentials_of(entry) == found


@pytest.mark.parametrize("text", ["{", "[]", '{"auths": 7}', "[" * 99_999, "\xff"])
def test_a_broken_file_is_told_and_nothing_of_it_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "auth.json"
    path.write_bytes(f"{text}{SECRET if text == '{' else ''}".encode("latin-1"))
    with pytest.raises(InvalidInput) as caught:
        read_auth_file(path)
    assert str(path) in caught.value.what
    assert SECRET not in caught.value.message + caught.value.hint


def test_no_file_and_an_empty_one_hold_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert read_auth_file(tmp_path / "none").auths == {}
    assert read_auth_file(tmp_path / "empty").auths == {}


def test_a_change_keeps_what_it_does_not_know_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles.json", tmp_path / "a/b/auth.json"
    before: dict[str, Any] = {"psFormat": "x", "auths": {"https://lab/v1/": {}, "other": {"n": 1}}}
    real.write_text(json.dumps(before))
    real.chmod(0o644)
    link.parent.mkdir(parents=True)
    link.symlink_to(real)
    told = Credentials(username="u", password="p")
    change_auth_file(link, lambda file: file.put("lab", told))
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    after = json.loads(real.read_text())
    assert after == {
        "psFormat": "x",
        "auths": {"other": {"n": 1}, "lab": {"auth": auth("u:p")}},
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "dotfiles.json"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "auth.json"
    with pytest.raises(Refused):
        change_auth_file(path, lambda file: file.put("lab", None))
