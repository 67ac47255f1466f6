"""Uploads: in chunks, over cuts, to registries with their own ideas."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from core.domain import Credentials
from core.errors import Corrupt, Hostile, LoginNeeded, Unreachable
from core.images.reference import parse_reference
from core.images.registry import Registry
from core.images.upload import Uploader
from tests.core.images.accepting import Accepting, accept
from tests.core.images.serving import digest_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.images.transport import Patience
    from tests.core.images.serving import Served

DATA = os.urandom(1_000_000)
DIGEST = digest_of(DATA)
ALICE = Credentials(username="alice", password="s3cret")


@pytest.fixture
async def target() -> AsyncIterator[Accepting]:
    async with accept() as registry:
        yield registry


@pytest.fixture
def blob(tmp_path: Path) -> Path:
    path = tmp_path / "blob"
    path.write_bytes(DATA)
    return path


@asynccontextmanager
async def uploader(
    target: Accepting,
    patience: Patience,
    *,
    chunk: int = 64 << 20,
    credentials: Credentials | None = None,
) -> AsyncIterator[Uploader]:
    reference = parse_reference(f"{target.host}/t/x:1")
    async with Registry(reference.api_host, credentials=credentials, patience=patience) as client:
        yield Uploader(client, reference, chunk=chunk)


async def send(up: Uploader, path: Path, digest: str = DIGEST, size: int = len(DATA)) -> list[int]:
    told: list[int] = []
    await up.blob(path, digest, size, told.append)
    return told


async def test_a_blob_goes_up_in_one_request_that_tells_no_range(
    target: Accepting, patience: Patience, blob: Path
) -> None:
    async with uploader(target, patience) as up:
        told = await send(up, blob)
        assert await up.has(DIGEST)
        assert not await up.has(f"sha256:{'0' * 64}")
    assert target.blobs["t/x", DIGEST] == DATA
    assert target.asked("PATCH") == [""]
    assert told == sorted(told)
    assert told[-1] == len(DATA)


async def test_a_large_blob_goes_up_in_chunks(
    target: Accepting, patience: Patience, blob: Path
) -> None:
    async with uploader(target, patience, chunk=400_000) as up:
        await send(up, blob)
    assert target.asked("PATCH") == ["0-399999", "400000-799999", "800000-999999"]
    assert target.blobs["t/x", DIGEST] == DATA


async def test_an_empty_blob_is_a_blob(
    target: Accepting, patience: Patience, tmp_path: Path
) -> None:
    (tmp_path / "empty").touch()
    async with uploader(target, patience) as up:
        await send(up, tmp_path / "empty", digest_of(b""), 0)
    assert target.blobs["t/x", digest_of(b"")] == b""


async def test_a_cut_upload_goes_on_from_what_the_registry_has(
    target: Accepting, patience: Patience, blob: Path
) -> None:
    target.cuts = [-1, 150_000]
    async with uploader(target, patience, chunk=400_000) as up:
        await send(up, blob)
    assert target.asked("PATCH")[:2] == ["0-399999", "400000-799999"]
    assert target.asked("PATCH")[2] == "550000-949999"
    assert target.asked("POST") == [""]
    assert target.blobs["t/x", DIGEST] == DATA


async def test_an_upload_that_the_registry_forgot_begins_anew(
    target: Accepting, patience: Patience, blob: Path
) -> None:
    target.cuts, target.keeps = [-1, 150_000], False
    async with uploader(target, patience, chunk=400_000) as up:
        await send(up, blob)
    assert len(target.asked("POST")) == 2
    assert target.blobs["t/x", DIGEST] == DATA


async def test_cuts_without_end_are_given_up(
    target: Accepting, patience: Patience, blob: Path
) -> None:
    target.cuts = [0] * 50
    async with uploader(target, patience) as up:
        with pytest.raises(Unreachable):
            await send(up, blob)
    assert len(target.asked("PATCH")) == patience.attempts


async def test_a_registry_that_takes_no_chunks_gets_the_whole(
    target: Accepting, patience: Patience, blob: Path
) -> None:
    target.chunks = False
    async with uploader(target, patience, chunk=400_000) as up:
        await send(up, blob)
    assert len(target.asked("PATCH")) == 1
    assert target.blobs["t/x", DIGEST] == DATA


async def test_a_limit_on_the_way_makes_chunks_smaller(
    target: Accepting, patience: Patience, tmp_path: Path
) -> None:
    data = os.urandom(5 << 20)
    (tmp_path / "large").write_bytes(data)
    target.limit = 2 << 20
    async with uploader(target, patience, chunk=8 << 20) as up:
        await send(up, tmp_path / "large", digest_of(data), len(data))
    assert target.blobs["t/x", digest_of(data)] == data


async def test_a_blob_of_another_repository_is_taken_over(
    target: Accepting, patience: Patience
) -> None:
    target.blobs["t/other", DIGEST] = DATA
    async with uploader(target, patience) as up:
        assert not await up.mount(DIGEST, ["t/nothing"])
        assert await up.mount(DIGEST, ["t/nothing", "t/other"])
    assert target.blobs["t/x", DIGEST] == DATA
    assert not target.uploads, "the uploads begun in place of a mount were not taken back"


async def test_an_upload_on_another_host_gets_no_password(
    target: Accepting, served: Served, patience: Patience, blob: Path
) -> None:
    served.answers = [web.Response(text='{"token": "secret-token"}')]
    target.realm = f"http://{served.host}/token"
    target.tokens = ["secret-token"]
    async with accept() as storage:
        target.elsewhere = f"http://{storage.host}"
        storage.uploads["u0"] = bytearray()
        async with uploader(target, patience, credentials=ALICE) as up:
            await send(up, blob)
        assert storage.blobs["t/x", DIGEST] == DATA
        assert not any("Authorization" in request.headers for request in storage.requests)


async def test_a_token_that_ends_in_the_middle_of_an_upload_is_fetched_anew(
    target: Accepting, served: Served, patience: Patience, blob: Path
) -> None:
    target.tokens = ["one", "two", "three", "four"]
    served.answers = [web.json_response({"token": token}) for token in target.tokens]
    target.realm = f"http://{served.host}/token"
    async with uploader(target, patience, chunk=400_000, credentials=ALICE) as up:
        await send(up, blob)
    assert target.tokens == ["four"]
    assert target.blobs["t/x", DIGEST] == DATA


async def test_without_the_right_to_push_a_login_is_asked_for(
    target: Accepting, served: Served, patience: Patience, blob: Path
) -> None:
    target.realm = f"http://{served.host}/token"
    served.answers = [web.Response(status=403)]
    async with uploader(target, patience) as up:
        with pytest.raises(LoginNeeded):
            await send(up, blob)


async def test_a_file_that_is_not_what_its_digest_says_is_refused(
    target: Accepting, patience: Patience, blob: Path
) -> None:
    async with uploader(target, patience) as up:
        with pytest.raises(Corrupt, match="something else"):
            await send(up, blob, f"sha256:{'0' * 64}")
    assert not target.blobs


async def test_a_registry_that_stores_another_manifest_is_not_believed(
    served: Served, patience: Patience
) -> None:
    headers = {"Docker-Content-Digest": f"sha256:{'0' * 64}"}
    served.answers = [web.Response(), web.Response(status=201, headers=headers)]
    reference = parse_reference(f"{served.host}/t/x:1")
    async with Registry(reference.api_host, patience=patience) as client:
        with pytest.raises(Corrupt, match="another manifest"):
            await Uploader(client, reference).manifest(b"{}", "x", digest_of(b"{}"), tag="1")


async def test_a_short_retry_after_is_waited_for_also_in_an_upload(
    served: Served, patience: Patience
) -> None:
    served.answers = [
        web.Response(),
        web.Response(status=429, headers={"Retry-After": "0"}),
        web.Response(status=201),
    ]
    reference = parse_reference(f"{served.host}/t/x:1")
    async with Registry(reference.api_host, patience=patience) as client:
        await Uploader(client, reference).manifest(b"{}", "x", digest_of(b"{}"), tag="1")
    assert [request.method for request in served.requests] == ["GET", "PUT", "PUT"]


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/v2/x?a=b", "https://lab.example/v2/x?a=b"),
        ("http://lab.example/v2/x", "https://lab.example/v2/x"),
        ("https://storage.example/x", "https://storage.example/x"),
        ("http://127.0.0.1:8080/admin", ""),
        ("https://localhost/x", ""),
        ("http://storage.example/x", ""),
        ("file:///etc/passwd", ""),
    ],
)
def test_an_upload_is_not_led_to_where_a_redirect_would_not_be(location: str, url: str) -> None:
    reference = parse_reference("lab.example/t/x:1")
    up = Uploader(Registry(reference.api_host), reference)
    if url:
        assert up.located("https://lab.example/v2/", location) == url
    else:
        with pytest.raises(Hostile):
            up.located("https://lab.example/v2/", location)
