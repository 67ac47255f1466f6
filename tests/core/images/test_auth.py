"""Logging in: challenges, tokens, and who may see a password."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from core.domain import Credentials
from core.errors import Corrupt, Hostile, LoginNeeded, Unreachable
from core.images.auth import Authorizer, Challenge, belongs, parse_challenges
from core.images.pull import pull_image
from core.images.reference import parse_reference
from core.images.registry import Registry
from core.images.transport import Transport
from tests.core.images.serving import tar

if TYPE_CHECKING:
    from core.images.transport import Patience
    from core.store.store import Store
    from tests.core.images.serving import Served

SECRET = "canary-7f3a"
ALICE = Credentials(username="alice", password="s3cret")
CANARY = Credentials(username="canary", password=SECRET)


async def fetch(text: str, credentials: Credentials | None = None) -> str:
    reference = parse_reference(text)
    async with Registry(reference.api_host, credentials=credentials) as registry:
        return (await registry.manifest(reference)).digest


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        ('Basic realm="x"', [Challenge(scheme="basic", realm="x")]),
        (
            'Bearer realm="https://a/t?x=1,2",service="s v",scope="repository:a/b:pull,push"',
            [
                Challenge(
                    scheme="bearer",
                    realm="https://a/t?x=1,2",
                    service="s v",
                    scope="repository:a/b:pull,push",
                )
            ],
        ),
        (
            'Negotiate, BEARER realm=plain , Basic realm="a\\"b"',
            [
                Challenge(scheme="bearer", realm="plain"),
                Challenge(scheme="basic", realm='a"b'),
            ],
        ),
        ("", []),
        ('"', []),
    ],
)
def test_challenges_are_read_as_rfc_9110_writes_them(
    header: str, challenges: list[Challenge]
) -> None:
    found = [one for one in parse_challenges((header,)) if one.realm]
    assert found == challenges


@pytest.mark.parametrize(
    ("realm", "registry", "may"),
    [
        ("auth.docker.io", "registry-1.docker.io", True),
        ("gitlab.com", "registry.gitlab.com", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("evil.io", "docker.io", False),
        ("docker.io.evil.io", "registry-1.docker.io", False),
        ("10.0.0.1", "10.1.0.1", False),
        ("evil.co.uk", "registry.co.uk", False),
        ("auth.shop.co.uk", "registry.shop.co.uk", True),
        ("com", "a.com", False),
    ],
)
def test_a_token_server_must_belong_to_the_registry(realm: str, registry: str, may: bool) -> None:
    assert belongs(realm, registry) is may


async def test_basic_and_bearer_registries_let_the_right_user_in(fix: dict[str, Any]) -> None:
    for kind in ("basic", "token"):
        host = fix["registries"][kind]["host"]
        digest = await fetch(f"{host}/private/busybox", ALICE)
        assert digest == fix["images"]["busybox"]["digest"]


async def test_a_token_registry_lets_anybody_read_what_is_public(fix: dict[str, Any]) -> None:
    host = fix["registries"]["token"]["host"]
    assert await fetch(f"{host}/lib/dev") == fix["images"]["dev"]["digest"]


@pytest.mark.parametrize("kind", ["basic", "token"])
@pytest.mark.parametrize("credentials", [None, CANARY])
async def test_without_the_right_password_a_login_is_asked_for(
    fix: dict[str, Any], kind: str, credentials: Credentials | None
) -> None:
    host = fix["registries"][kind]["host"]
    with pytest.raises(LoginNeeded) as caught:
        await fetch(f"{host}/private/busybox", credentials)
    assert host in caught.value.what
    assert SECRET not in f"{caught.value!r} {caught.value.hint} {caught.value.__context__!r}"


async def test_one_token_serves_all_requests_of_a_pull(fix: dict[str, Any], store: Store) -> None:
    token = fix["registries"]["token"]
    log = Path(fix["dir"]) / token["log"]
    before = log.stat().st_size if log.exists() else 0
    async with store.lease() as lease:
        await pull_image(store, parse_reference(f"{token['host']}/lib/many"), lease=lease)
    lines = log.read_bytes()[before:].splitlines()
    asked = [line for line in lines if "repository:lib/many:pull" in json.loads(line)["scope"]]
    assert len(asked) == 1


async def test_a_token_that_ended_is_fetched_anew(served: Served, elsewhere: Served) -> None:
    served.add_image(tar({"a": b"x"}))
    token = web.json_response({"token": "fresh"})
    elsewhere.answers = [web.json_response({"token": "stale"}), token]
    challenge = f'Bearer realm="http://{elsewhere.host}/token",service="s"'
    served.answers = [
        web.Response(),
        web.Response(status=401, headers={"WWW-Authenticate": challenge}),
        web.Response(status=401, headers={"WWW-Authenticate": challenge}),
    ]
    await fetch(f"{served.host}/t/x")
    assert [r.headers.get("Authorization") for r in served.requests[1:]] == [
        None,
        "Bearer stale",
        "Bearer fresh",
    ]


async def test_a_password_is_shown_only_after_a_challenge(served: Served) -> None:
    served.add_image(tar({"a": b"x"}))
    await fetch(f"{served.host}/t/x", CANARY)
    assert not any("Authorization" in request.headers for request in served.requests)


async def test_a_redirect_to_another_host_takes_no_password_along(
    served: Served, elsewhere: Served, store: Store, patience: Patience
) -> None:
    served.add_image(tar({"a": b"x"}))
    elsewhere.blobs = served.blobs
    served.redirect = f"http://{elsewhere.host}"
    served.answers = [
        web.Response(),
        web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'}),
    ]
    async with store.lease() as lease:
        await pull_image(
            store,
            parse_reference(f"{served.host}/t/x"),
            lease=lease,
            credentials=CANARY,
            patience=patience,
        )
    basic = base64.b64encode(f"canary:{SECRET}".encode()).decode()
    assert served.requests[-1].headers["Authorization"] == f"Basic {basic}"
    assert len(elsewhere.requests) == 2
    assert not any("Authorization" in request.headers for request in elsewhere.requests)


@pytest.mark.parametrize(
    "realm",
    ["http://169.254.169.254/token", "file:///etc/passwd", "http://u:p@127.0.0.1/t", "//x", "x"],
)
async def test_a_challenge_that_points_elsewhere_gets_no_password(
    served: Served, realm: str
) -> None:
    challenge = f'Bearer realm="{realm}",service="s"'
    served.answers = [
        web.Response(),
        web.Response(status=401, headers={"WWW-Authenticate": challenge}),
    ]
    with pytest.raises(Hostile) as caught:
        await fetch(f"{served.host}/t/x", CANARY)
    assert SECRET not in caught.value.message


@pytest.mark.parametrize("body", ["{}", "[]", '{"token": "a\\nb"}', "x" * 999_999, "{" * 9999])
async def test_an_answer_that_is_no_token_is_refused(
    served: Served, elsewhere: Served, body: str
) -> None:
    elsewhere.answers = [web.Response(text=body)]
    challenge = f'Bearer realm="http://{elsewhere.host}/token"'
    served.answers = [
        web.Response(),
        web.Response(status=401, headers={"WWW-Authenticate": challenge}),
    ]
    with pytest.raises((Corrupt, Hostile)):
        await fetch(f"{served.host}/t/x")


async def test_a_registry_that_takes_no_token_does_not_ask_for_ever(
    served: Served, elsewhere: Served
) -> None:
    elsewhere.answers = [web.json_response({"token": "t"}) for _ in range(9)]
    challenge = f'Bearer realm="http://{elsewhere.host}/token"'
    served.answers = [web.Response()] + [
        web.Response(status=401, headers={"WWW-Authenticate": challenge}) for _ in range(9)
    ]
    with pytest.raises(LoginNeeded):
        await fetch(f"{served.host}/t/x")
    assert len(served.requests) <= 4


async def test_an_identity_token_is_renewed_as_oauth2_says(
    served: Served, elsewhere: Served
) -> None:
    served.add_image(tar({"a": b"x"}))
    elsewhere.answers = [web.json_response({"access_token": "fresh", "expires_in": 300})]
    challenge = f'Bearer realm="http://{elsewhere.host}/token",service="s v"'
    served.answers = [
        web.Response(),
        web.Response(status=401, headers={"WWW-Authenticate": challenge}),
    ]
    identity = Credentials(username="canary", password="unused", identity_token=SECRET)
    await fetch(f"{served.host}/t/x", identity)
    (asked,) = elsewhere.requests
    assert asked.method == "POST"
    assert SECRET not in str(asked.url)
    assert "Authorization" not in asked.headers
    form = dict(parse_qsl(elsewhere.bodies[0].decode()))
    assert (form["grant_type"], form["refresh_token"]) == ("refresh_token", SECRET)
    assert (form["service"], form["scope"]) == ("s v", "repository:t/x:pull")
    assert served.requests[-1].headers["Authorization"] == "Bearer fresh"


async def test_an_identity_token_opens_a_real_token_registry(fix: dict[str, Any]) -> None:
    host = fix["registries"]["token"]["host"]
    token = Credentials(username="", identity_token="fixture-refresh-token")
    assert await fetch(f"{host}/private/busybox", token) == fix["images"]["busybox"]["digest"]


async def test_an_identity_token_is_not_sent_to_somebody_else(served: Served) -> None:
    challenge = 'Bearer realm="http://169.254.169.254/token"'
    served.answers = [
        web.Response(),
        web.Response(status=401, headers={"WWW-Authenticate": challenge}),
    ]
    with pytest.raises(Hostile) as caught:
        await fetch(f"{served.host}/t/x", Credentials(username="", identity_token=SECRET))
    assert SECRET not in caught.value.message


async def test_a_token_server_cannot_pass_an_identity_token_on(
    served: Served, elsewhere: Served
) -> None:
    away = web.Response(status=307, headers={"Location": f"http://{elsewhere.host}/token"})
    challenge = f'Bearer realm="http://{served.host}/token",service="s"'
    served.answers = [
        web.Response(),
        web.Response(status=401, headers={"WWW-Authenticate": challenge}),
        away,
    ]
    with pytest.raises(Hostile, match="wants a secret sent to"):
        await fetch(f"{served.host}/t/x", Credentials(username="", identity_token=SECRET))
    assert elsewhere.requests == []


async def test_a_registry_token_is_shown_once_it_is_asked_for(served: Served) -> None:
    served.add_image(tar({"a": b"x"}))
    refuse = {"WWW-Authenticate": 'Bearer realm="http://169.254.169.254/token"'}
    served.answers = [web.Response(), web.Response(status=401, headers=refuse)]
    token = Credentials(username="", registry_token=SECRET)
    await fetch(f"{served.host}/t/x", token)
    shown = [request.headers.get("Authorization") for request in served.requests]
    assert shown == [None, None, f"Bearer {SECRET}"]
    served.answers = [web.Response()] + [
        web.Response(status=401, headers={"WWW-Authenticate": 'Bearer realm=""'}) for _ in range(9)
    ]
    with pytest.raises(LoginNeeded) as caught:
        await fetch(f"{served.host}/t/x", token)
    assert SECRET not in f"{caught.value!r} {caught.value.hint}"


async def test_a_token_that_ends_between_two_layers_is_fetched_anew(
    served: Served, elsewhere: Served, store: Store, patience: Patience
) -> None:
    served.add_image(tar({"a": b"x"}), tar({"b": b"y" * 9999}))
    challenge = {"WWW-Authenticate": f'Bearer realm="http://{elsewhere.host}/token"'}
    elsewhere.answers = [web.json_response({"token": token}) for token in ("one", "two")]
    served.answers = [web.Response(), web.Response(status=401, headers=challenge)]
    last = served.layers()[1]
    served.answers_for[last] = [web.Response(status=401, headers=challenge)]
    async with store.lease() as lease:
        reference = parse_reference(f"{served.host}/t/x")
        await pull_image(store, reference, lease=lease, at_once=1, patience=patience)
    shown = [
        request.headers["Authorization"]
        for request in served.requests
        if request.path.endswith(last)
    ]
    assert shown == ["Bearer one", "Bearer two"]


async def test_a_login_is_tried_before_it_is_believed(fix: dict[str, Any]) -> None:
    for kind, credentials, asked in (
        ("basic", ALICE, True),
        ("token", ALICE, True),
        ("plain", CANARY, False),
    ):
        host = fix["registries"][kind]["host"]
        async with Registry(host, credentials=credentials) as registry:
            assert await registry.check_login() is asked
    for kind in ("basic", "token"):
        host = fix["registries"][kind]["host"]
        async with Registry(host, credentials=CANARY) as registry:
            with pytest.raises(LoginNeeded):
                await registry.check_login()


async def test_what_is_no_registry_takes_no_login(served: Served) -> None:
    served.answers = [web.Response(), web.Response(status=404)]
    async with Registry(served.host, credentials=ALICE) as registry:
        with pytest.raises(Unreachable, match="no registry"):
            await registry.check_login()


async def test_a_token_server_on_this_machine_is_for_registries_on_it() -> None:
    async with Transport() as transport:
        authorizer = Authorizer("lab.example", transport)
        with pytest.raises(Hostile, match="this machine"):
            await authorizer.answer(
                ('Bearer realm="http://127.0.0.1:8080/token"',), "repository:x:pull", rejected=""
            )
