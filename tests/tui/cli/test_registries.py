"""``login``, ``logout``, ``logins``, ``push``, ``search``, ``tags`` for real."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest

from tests.core.images.peers import raw
from tests.tui.cli.test_end_to_end import Deck

SECRET = "canary-8c02"


@pytest.fixture(params=["root", "ordinary user"])
def real(request: pytest.FixtureRequest, make_root, as_user) -> Deck:
    if request.param == "root":
        return Deck([], make_root())
    user = request.getfixturevalue("ordinary_user")
    return Deck(as_user(user), make_root(user))


@pytest.fixture
def file(real: Deck) -> str:
    return str(real.root / "auth.json")


def test_who_is_logged_in_may_pull_and_push(real: Deck, fix, file: str) -> None:
    basic, token = (fix["registries"][kind]["host"] for kind in ("basic", "token"))
    private = f"{basic}/private/busybox"
    auth = ("--authfile", file)
    assert real("pull", private, "--image-only", *auth).code == 5
    password = fix["credentials"]["password"].encode()
    words = ("login", basic, "-u", "alice", "--password-stdin", *auth)
    assert real(*words, given=SECRET.encode()).code == 5
    assert not Path(file).exists()
    ended = real.done(*words, given=password)
    assert (ended.text, f"logged in to {basic} as alice" in ended.talk) == ("", True)
    words = ("login", token, "-u", "alice", "--password-stdin", "--name", "ci")
    (login,) = real.done(*words, "--format", "json", given=password).document["items"]
    assert (login["name"], login["checked"]) == ("ci", True)
    found = real.items("logins", *auth)
    assert [(one["host"], one["name"]) for one in found] == [(basic, ""), (token, "ci")]
    assert real.done("logins", *auth, "-q").text.split() == [basic, token]

    digest = real.done("pull", private, "--image-only", *auth, "-q").text.strip()
    to = f"{basic}/t/cli-{secrets.token_hex(6)}/x:1"
    ended = real.done("push", private, to, *auth)
    assert ended.text == f"{to.removesuffix(':1')}@{digest}\n"
    assert raw(to, "--authfile", file)["config"]["digest"]
    (pushed,) = real.items("push", digest, to.replace(basic, token), "--login", "ci")
    assert pushed["digest"] == digest
    assert real.done("tags", to, *auth).text == "1\n"
    assert real.items("search", "--tags", to, *auth)[0]["reference"] == to
    assert real("push", digest, to.replace(":1", ":2"), "--authfile", f"{file}-none").code == 5

    assert real.done("logout", basic, *auth).text == f"{basic}\n"
    assert real("logout", basic, *auth).code == 3
    assert real.done("logout", "--all", *auth).text == "ci\n"
    assert real("tags", to, *auth).code == 5
    assert real.items("logins", *auth) == []


def test_what_can_be_pulled_is_found(deck_root, fix) -> None:
    real, plain = Deck([], deck_root), fix["registries"]["plain"]["host"]
    names = real.done("pull", f"{plain}/lib/busybox", "--all-tags").text.split()
    assert names == [f"{plain}/lib/busybox:{tag}" for tag in ("1", "latest", "stable")]
    items = real.items("pull", f"{plain}/lib/busybox", "-a")
    assert [one["references"] for one in items] == [names]
    (hit,) = real.items("search", "many", "--registry", plain)
    assert real.items("search", f"{plain}/many") == [hit]
    assert (hit["name"], hit["found_in"], hit["stars"]) == (f"{plain}/lib/many", "registry", None)
    assert real.done("search", "busybox:stable", "-q").text.split() == [names[2]]
    ended = real.done("search", "debian", "12", "--catalog", "builtin")
    assert ended.text.splitlines()[0].split() == [
        *("NAME", "STARS", "OFFICIAL", "FOUND", "IN", "DESCRIPTION")
    ]
    assert ended.text.splitlines()[1].startswith("debian/12 ")
    ended = real.done("search", "nosuchthing")
    assert "nothing found" in ended.talk
    assert sorted(real.done("tags", f"{plain}/lib/busybox").text.split()) == [
        *("1", "latest", "stable")
    ]


def test_errors_end_as_the_list_of_exit_codes_says(deck_root, fix) -> None:
    real, plain = Deck([], deck_root), fix["registries"]["plain"]["host"]
    for words, code in (
        (("push", "nothing"), 3),
        (("push",), 2),
        (("tags", f"{plain}/lib/nothing"), 3),
        (("tags", "UPPER//x"), 2),
        (("search", "x", "--registry", "127.0.0.1:1"), 6),
        (("search", "x", "--registry", plain, "--catalog", "y"), 2),
        (("search", "x", "--catalog", "nope"), 3),
        (("search",), 2),
        (("login", plain, "-u", "x", "-p", "y"), 2),
        (("logout",), 2),
        (("logout", "x", "--all"), 2),
        (("logout", "--name", "nope"), 3),
        (("login", "127.0.0.1:1", "-u", "x", "--password-stdin"), 6),
        (("login", plain), 9),
        (("login", plain, "-u", "x"), 9),
        (("login", "a b", "-u", "x", "--password-stdin"), 2),
        (("tags", "x/y", "--login", "nope"), 3),
    ):
        ended = real("--format", "json", *words)
        assert ended.code == code, (words, ended.talk)
        assert json.loads(ended.err)["error"]["message"]


def test_a_password_is_asked_for_on_a_terminal_and_not_shown(deck_tty, tmp_path) -> None:
    tty = deck_tty("login", "lab:5000")
    tty.until(rb"Username: ")
    tty.type(b"alice\n")
    tty.until(rb"Password of alice: ")
    tty.type(f"{SECRET}\n".encode())
    told = tty.until(rb"kept in [^\n]*\n")
    assert SECRET.encode() not in told
    assert b"lets everybody in" in told, "an unchecked password is told"
    assert tty.wait() == 0
