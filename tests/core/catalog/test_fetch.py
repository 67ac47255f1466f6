from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from core.catalog import fetch
from core.catalog.fetch import Fetcher, open_session, save
from core.errors import DeckError, Hostile, LoginNeeded, NotFound, Unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from core.catalog.wire import Document

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """The URL of a server whose every path ``handler`` answers."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


async def fetch_one(url: str, folder: Path) -> Document:
    async with open_session() as session:
        return await Fetcher(session, folder, plain_http=False)(url)


async def test_unchanged_document_is_not_sent_again(tmp_path: Path) -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers.get("If-None-Match"))
        if seen[-1] == '"v1"':
            return web.Response(status=304)
        return web.Response(body=b"[1]", headers={"ETag": '"v1"', "Link": "<x>"})

    async with serving(handler) as url:
        first = await fetch_one(url, tmp_path)
        assert await fetch_one(url, tmp_path) == first
    assert (first.body, first.link) == (b"[1]", "<x>")
    assert seen == [None, '"v1"']


async def test_damaged_cache_is_as_good_as_none(fix: dict[str, Any], tmp_path: Path) -> None:
    url = fix["http"]["wsl"]
    first = await fetch_one(url, tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    assert await fetch_one(url, tmp_path) == first


async def test_cache_that_cannot_be_written_is_no_error(
    fix: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    assert (await fetch_one(fix["http"]["wsl"], tmp_path / "file")).body
    assert "is not kept" in caplog.text


def test_saving_leaves_no_parts(tmp_path: Path) -> None:
    save(tmp_path / "a" / "b", b"1")
    save(tmp_path / "a" / "b", b"2")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "a").iterdir()] == [("b", b"2")]


@pytest.mark.parametrize(
    ("status", "error", "why"),
    [
        (401, LoginNeeded, "answered 401"),
        (403, LoginNeeded, "answered 403"),
        (404, NotFound, "answered 404"),
        (429, Unreachable, "answered 429"),
        (500, Unreachable, "answered 500"),
        (451, Unreachable, "answered 451"),
    ],
)
async def test_status_is_told(
    fix: dict[str, Any], tmp_path: Path, status: int, error: type[DeckError], why: str
) -> None:
    with pytest.raises(error, match=why) as caught:
        await fetch_one(f"{fix['http']['url']}/status/{status}/x", tmp_path)
    assert caught.value.retry_after == (1 if status == 429 else None)


async def test_cut_connection_is_told_and_not_kept(fix: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="ended in the middle"):
        await fetch_one(f"{fix['http']['url']}/cut/50/wsl/DistributionInfo.json", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:{port}/", "connection refused"),
        ("https://no-such-host.invalid/", "no such host"),
    ],
)
async def test_missing_server_is_told(tmp_path: Path, url: str, why: str) -> None:
    with pytest.raises(Unreachable, match=why):
        await fetch_one(url.format(port=unused_port()), tmp_path)


async def test_server_without_tls_is_told(fix: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="TLS: "):
        await fetch_one(fix["http"]["wsl"].replace("http:", "https:"), tmp_path)


async def test_silent_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "SILENCE_SECONDS", 0.1)
    given_up = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"[")
        await given_up.wait()
        return response

    async with serving(handler) as url:
        with pytest.raises(Unreachable, match="silent"):
            await fetch_one(url, tmp_path)
        given_up.set()


async def test_endless_body_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "DOCUMENT_LIMIT", 1 << 20)

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_compression(web.ContentCoding.gzip)
        await response.prepare(request)
        while request.transport and not request.transport.is_closing():
            await response.write(bytes(1 << 16))
        return response

    async with serving(handler) as url:
        with pytest.raises(Hostile, match="larger than 1 MiB"):
            await fetch_one(url, tmp_path)


async def test_redirect_is_followed(fix: dict[str, Any], tmp_path: Path) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": fix["http"]["wsl"]})

    async with serving(handler) as url:
        assert b"ModernDistributions" in (await fetch_one(url, tmp_path)).body


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "ftp://x/", "http://images.example/", "//[", "/round", "http://a@x/"],
)
async def test_redirect_to_where_it_should_not_lead_is_refused(tmp_path: Path, target: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": target})

    async with serving(handler) as url:
        with pytest.raises(Hostile):
            await fetch_one(url, tmp_path)


async def test_redirect_from_elsewhere_into_this_machine_is_refused() -> None:
    with pytest.raises(Hostile, match="into this machine"):
        fetch._redirect("https://images.example/", "https://cdn.example/", "http://127.0.0.1:1/x")
