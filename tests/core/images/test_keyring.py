"""Credentials found, kept and forgotten, by us and by the tools we share them with."""

from __future__ import annotations

import base64
import json
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from core.domain import Credentials
from core.errors import Conflict, InvalidInput, NotFound, Refused
from core.images.keyring import Keyring
from tests.core.images.peers import podman, skopeo
from tests.core.images.test_credential_helper import KEEPER

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "canary-31ee"
ALICE = Credentials(username="alice", password="s3cret")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A credentials file that is named, so that no other is looked at."""
    return tmp_path / "auth.json"


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "data" / "logins.json")


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a credential helper called ``keeper``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "docker-credential-keeper").write_text(KEEPER)
    (folder / "docker-credential-keeper").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def write(file: Path, **fields: Any) -> None:
    file.write_text(json.dumps(fields))


def entry(username: str, password: str = "p") -> dict[str, str]:
    return {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}


async def test_the_login_of_a_repository_comes_before_that_of_its_registry(
    keyring: Keyring, file: Path
) -> None:
    write(file, auths={"lab": entry("all"), "lab/team": entry("team"), "lab/team/x": entry("x")})
    for repository, username in (("other", "all"), ("team/y", "team"), ("team/x", "x")):
        found = await keyring.find("lab", repository, auth_file=str(file))
        assert found
        assert found.username == username
    assert await keyring.find("lab:5000", "x", auth_file=str(file)) is None


async def test_a_helper_is_asked_for_its_hosts_and_the_store_for_all_others(
    keyring: Keyring, file: Path, helper: Path
) -> None:
    kept = {
        host: {"ServerURL": host, "Username": host, "Secret": "s"}
        for host in ("one", "two", "https://index.docker.io/v1/")
    }
    (helper / "kept.json").write_text(json.dumps(kept))
    write(file, auths={"two": {}, "three": entry("three")}, credHelpers={"one": "keeper"})
    assert (await keyring.find("one", auth_file=str(file))) is not None
    assert (await keyring.find("two", auth_file=str(file))) is None
    write(file, auths={"two": {}, "three": entry("three")}, credsStore="keeper")
    for host, username in (
        ("two", "two"),
        ("three", "three"),
        ("docker.io", "https://index.docker.io/v1/"),
    ):
        found = await keyring.find(host, auth_file=str(file))
        assert found
        assert found.username == username
    assert {login.host for login in await keyring.all(auth_file=str(file))} == {
        *("docker.io", "one", "three", "two")
    }


async def test_a_login_goes_to_the_helper_that_the_file_names(
    keyring: Keyring, file: Path, helper: Path
) -> None:
    write(file, credsStore="keeper", other=1)
    login = await keyring.keep("lab", ALICE, auth_file=str(file))
    assert login.kept == "docker-credential-keeper"
    assert "s3cret" not in file.read_text()
    assert json.loads(file.read_text()) == {
        "auths": {"lab": {}},
        "credsStore": "keeper",
        "other": 1,
    }
    assert await keyring.find("lab", auth_file=str(file)) == ALICE
    assert [one.host for one in await keyring.forget("lab", auth_file=str(file))] == ["lab"]
    assert json.loads((helper / "kept.json").read_text()) == {}
    assert await keyring.find("lab", auth_file=str(file)) is None


async def test_a_login_replaces_the_one_before_and_can_be_forgotten(
    keyring: Keyring, file: Path
) -> None:
    write(file, auths={"https://lab/v2/": entry("old"), "other": entry("o")})
    await keyring.keep("lab", ALICE, auth_file=str(file))
    assert await keyring.find("lab", auth_file=str(file)) == ALICE
    assert [one.host for one in await keyring.all(auth_file=str(file))] == ["lab", "other"]
    await keyring.forget("lab", auth_file=str(file))
    assert [one.host for one in await keyring.all(auth_file=str(file))] == ["other"]
    with pytest.raises(NotFound):
        await keyring.forget("lab", auth_file=str(file))


async def test_what_another_tool_keeps_is_left_to_it(
    keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    write(tmp_path / "config.json", auths={"lab": entry("d")})
    with pytest.raises(Conflict, match=r"config\.json"):
        await keyring.forget("lab")
    assert (await keyring.find("lab")) == Credentials(username="d", password="p")
    await keyring.keep("lab", ALICE)
    assert (await keyring.find("lab")) == ALICE
    await keyring.forget("lab")
    assert (await keyring.find("lab")) == Credentials(username="d", password="p")


async def test_named_logins_are_the_engines_own_and_for_their_registry_only(
    keyring: Keyring, tmp_path: Path
) -> None:
    await keyring.keep("lab/team", ALICE, name="ci")
    path = tmp_path / "data" / "logins.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await keyring.named("ci", "lab", "team/x") == ALICE
    for registry, repository in (("lab", "other"), ("evil", "team/x"), ("lab", "")):
        with pytest.raises(Refused, match="is for lab/team"):
            await keyring.named("ci", registry, repository)
    with pytest.raises(NotFound):
        await keyring.named("nope", "lab")
    for name in ("", "-x", "a/b", "x" * 64):
        if name:
            with pytest.raises(InvalidInput):
                await keyring.keep("lab", ALICE, name=name)
    (gone,) = await keyring.forget_named("ci")
    assert (gone.name, gone.host, gone.username) == ("ci", "lab/team", "alice")
    with pytest.raises(NotFound):
        await keyring.forget_named("ci")


async def test_everything_can_be_forgotten_at_once(keyring: Keyring, file: Path) -> None:
    await keyring.keep("lab", ALICE, name="ci")
    await keyring.keep("one", ALICE, auth_file=str(file))
    await keyring.keep("docker.io", ALICE, auth_file=str(file))
    gone = await keyring.forget_all(auth_file=str(file))
    assert {login.name or login.host for login in gone} == {"ci", "one", "docker.io"}
    assert await keyring.all(auth_file=str(file)) == []


async def test_no_login_shows_a_secret(keyring: Keyring, file: Path) -> None:
    secret = Credentials(username="u", password=SECRET, identity_token=SECRET)
    told = [
        await keyring.keep("lab", secret, auth_file=str(file)),
        await keyring.keep("lab", secret, name="x"),
        *await keyring.all(auth_file=str(file)),
        *await keyring.forget_all(auth_file=str(file)),
    ]
    assert SECRET not in repr(told)


async def test_skopeo_and_podman_read_what_we_write(
    fix: dict[str, Any], keyring: Keyring, file: Path
) -> None:
    hosts = [fix["registries"][kind]["host"] for kind in ("basic", "token")]
    for host in hosts:
        await keyring.keep(host, ALICE, auth_file=str(file))
    environment = {"REGISTRY_AUTH_FILE": str(file)}
    for host in hosts:
        skopeo("inspect", "--tls-verify=false", f"docker://{host}/private/busybox", env=environment)
        assert skopeo("login", "--get-login", host, env=environment).strip() == "alice"
    with podman() as referee:
        referee("logout", hosts[0], env=environment)
        assert referee("login", "--get-login", hosts[1], env=environment).strip() == "alice"
    assert [login.host for login in await keyring.all(auth_file=str(file))] == hosts[1:]


async def test_we_read_what_skopeo_and_podman_write(
    fix: dict[str, Any], keyring: Keyring, file: Path
) -> None:
    basic, token = (fix["registries"][kind]["host"] for kind in ("basic", "token"))
    words = ("--username", "alice", "--password", "s3cret", "--tls-verify=false")
    environment = {"REGISTRY_AUTH_FILE": str(file)}
    skopeo("login", *words, basic, env=environment)
    with podman() as referee:
        referee("login", *words, f"{token}/private", env=environment)
    assert await keyring.find(basic, "private/busybox", auth_file=str(file)) == ALICE
    assert await keyring.find(token, "private/busybox", auth_file=str(file)) == ALICE
    assert await keyring.find(token, "lib/busybox", auth_file=str(file)) is None
    await keyring.forget(basic, auth_file=str(file))
    assert "not logged in" in _failure(skopeo, "login", "--get-login", basic, env=environment)


def _failure(tool: Any, *words: str, **options: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        tool(*words, **options)
    return str(caught.value)
