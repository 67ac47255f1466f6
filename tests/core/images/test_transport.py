"""HTTP: redirects, retries, and errors a person understands."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import shlex
import ssl
import subprocess
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from core.errors import Hostile, InvalidInput, LoginNeeded, NotFound, Unreachable
from core.images.failures import host_of, refusal
from core.images.reference import parse_reference
from core.images.registry import Registry
from core.images.transport import Patience, Transport
from tests.core.images.accepting import accept

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.core.images.serving import Served


async def fetch(url: str, patience: Patience, **options: Any) -> bytes:
    async with Transport(patience=patience) as transport:
        return (await transport.fetch(url, cap=1 << 20, **options)).body


async def test_a_refused_connection_says_so_at_once(patience: Patience) -> None:
    started = time.monotonic()
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1: connection refused") as caught:
        await fetch("http://127.0.0.1:1/", Patience(attempts=5, base=5))
    assert time.monotonic() - started < 4
    assert caught.value.hint


async def test_an_unknown_host_says_so(patience: Patience) -> None:
    with pytest.raises(Unreachable, match=r"nowhere\.invalid: no such host"):
        await fetch("https://nowhere.invalid/x?secret=1", patience)


@asynccontextmanager
async def tls_server(folder: Path) -> AsyncIterator[int]:
    """An HTTPS server with a certificate nobody vouches for."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        shlex.split(
            "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
            f" -addext subjectAltName=DNS:localhost -keyout {key} -out {certificate}"
        ),
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="hello")

    server = web.Server(handle)
    runner = web.ServerRunner(server)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_an_unknown_authority_is_told_and_can_be_named(
    tmp_path: Path, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tls_server(tmp_path) as port:
        url = f"https://localhost:{port}/"
        with pytest.raises(Unreachable, match="certificate not trusted") as caught:
            await fetch(url, patience)
        assert "SSL_CERT_FILE" in caught.value.hint
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        assert await fetch(url, patience) == b"hello"


async def test_a_loopback_registry_with_tls_is_found_out(
    tmp_path: Path, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tls_server(tmp_path) as port:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        reference = parse_reference(f"localhost:{port}/a/b")
        async with Registry(reference.api_host, patience=patience) as registry:
            assert (await registry.manifest(reference)).body == b"hello"


async def test_a_proxy_of_the_environment_is_used_but_not_for_loopback(
    served: Served, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://{served.host}")
    served.answers = [web.Response(text="by proxy")]
    async with Transport(plain_http=True, patience=patience) as transport:
        answer = await transport.fetch("http://example.invalid/x", cap=100)
        assert answer.body == b"by proxy"
        assert str(served.requests[0].url) == "http://example.invalid/x"
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        served.answers = [web.Response(text="directly")]
        assert (await transport.fetch(f"http://{served.host}/", cap=100)).body == b"directly"


async def test_tls_to_a_server_without_it_is_told(served: Served, patience: Patience) -> None:
    with pytest.raises(Unreachable, match="does not speak TLS"):
        await fetch(f"https://{served.host}/", patience)


async def test_plain_http_is_for_loopback_unless_allowed(patience: Patience) -> None:
    with pytest.raises(InvalidInput, match="plain http"):
        await fetch("http://example.invalid/", patience)
    async with Transport(plain_http=True, patience=patience) as transport:
        with pytest.raises(Unreachable, match="no such host"):
            await transport.fetch("http://example.invalid/", cap=10)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http:///x", "x"])
async def test_other_schemes_are_refused(patience: Patience, url: str) -> None:
    with pytest.raises(InvalidInput):
        await fetch(url, patience)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_passing_refusal_is_tried_again(
    served: Served, patience: Patience, status: int
) -> None:
    served.answers = [web.Response(status=status), web.Response(text="ok")]
    assert await fetch(f"http://{served.host}/", patience) == b"ok"


async def test_attempts_are_bounded(served: Served, patience: Patience) -> None:
    served.answers = [web.Response(status=503) for _ in range(9)]
    with pytest.raises(Unreachable, match="answered 503"):
        await fetch(f"http://{served.host}/", patience)
    assert len(served.requests) == patience.attempts


async def test_a_short_retry_after_is_waited_for(served: Served) -> None:
    served.answers = [
        web.Response(status=429, headers={"Retry-After": "1"}),
        web.Response(text="ok"),
    ]
    started = time.monotonic()
    await fetch(f"http://{served.host}/", Patience(attempts=2, base=0.01))
    assert time.monotonic() - started >= 1.0


async def test_a_long_retry_after_is_told_at_once(served: Served, patience: Patience) -> None:
    served.answers = [web.Response(status=429, headers={"Retry-After": "3600"})]
    with pytest.raises(Unreachable) as caught:
        await fetch(f"http://{served.host}/", patience)
    assert caught.value.retry_after == 3600
    assert "3600" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, LoginNeeded), (403, LoginNeeded), (404, NotFound), (410, NotFound), (418, Unreachable)],
)
def test_a_status_means_an_error(status: int, error: type[Exception]) -> None:
    assert isinstance(refusal("x", status, {}, b"\x1b]0;evil\x07"), error)
    assert "\x1b" not in refusal("x", status, {}, b"\x1b]0;evil\x07").message


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("file:///etc/passwd", Hostile),
        ("ftp://127.0.0.1/", Hostile),
        ("http://example.invalid/", InvalidInput),
        ("/", Hostile),
    ],
)
async def test_a_bad_redirect_is_not_followed(
    served: Served, patience: Patience, target: str, error: type[Exception]
) -> None:
    served.answers = [web.Response(status=302, headers={"Location": target}) for _ in range(20)]
    with pytest.raises(error):
        await fetch(f"http://{served.host}/", patience)


async def test_an_endless_short_answer_is_cut_off(served: Served, patience: Patience) -> None:
    served.answers = [web.Response(body=b"x" * 5000)]
    async with Transport(patience=patience) as transport:
        with pytest.raises(Hostile, match="more than"):
            await transport.fetch(f"http://{served.host}/", cap=4096)


async def test_a_silent_server_is_given_up(served: Served) -> None:
    served.blobs["sha256:x"] = b"0123456789"
    served.gates["sha256:x"] = gate = asyncio.Event()
    with pytest.raises(Unreachable):
        await fetch(
            f"http://{served.host}/v2/x/blobs/sha256:x",
            Patience(attempts=1, connect=0.2, silence=0.2),
        )
    gate.set()


async def test_a_dripping_server_is_given_up(fix: dict[str, Any]) -> None:
    url = f"{fix['http']['url']}/slow/1/rootfs/debian-12-amd64.tar.xz"
    slow = Patience(attempts=1, silence=0.5, slowest=100_000)
    async with Transport(patience=slow) as transport, transport.get(url) as response:
        with pytest.raises(Unreachable, match="next to nothing"):
            async for _ in transport.chunks(response):
                pass


def test_errors_name_the_host_and_not_the_secrets_in_a_url() -> None:
    assert host_of("https://user:pw@h.example:8443/p?token=t") == "h.example:8443"
    assert host_of("https://[::1]:5000/") == "[::1]:5000"


@asynccontextmanager
async def connect_proxy(asked: list[str], to: int) -> AsyncIterator[int]:
    """A proxy for TLS that wants a password and leads to a port of this machine."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        there_reader, there = await asyncio.open_connection("127.0.0.1", to)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        async with asyncio.TaskGroup() as both:
            both.create_task(carry(reader, there))
            both.create_task(carry(there_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_tls_goes_through_a_proxy_with_a_password_and_is_still_checked(
    tmp_path: Path, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    async with tls_server(tmp_path) as port, connect_proxy(asked, port) as proxy:
        monkeypatch.setenv("https_proxy", f"http://me:canary@127.0.0.1:{proxy}")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        with pytest.raises(Unreachable, match="certificate not trusted") as caught:
            await fetch("https://registry.example:5000/", patience)
        assert "canary" not in f"{caught.value!r} {caught.value.hint}"
        assert asked[0].startswith("CONNECT registry.example:5000 ")
        assert f"Proxy-Authorization: Basic {base64.b64encode(b'me:canary').decode()}" in asked[0]
        monkeypatch.setenv("no_proxy", "registry.example")
        with pytest.raises(Unreachable, match="no such host"):
            await fetch("https://registry.example:5000/", patience)


async def test_a_body_that_nobody_takes_is_given_up(tmp_path: Path) -> None:
    async with accept() as target:
        target.stuck = asyncio.Event()
        target.uploads["u"] = bytearray()

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(64):
                yield bytes(1 << 20)

        async with Transport(patience=Patience(attempts=1, silence=0.5)) as transport:
            with pytest.raises(Unreachable, match="takes nothing more"):
                async with transport.request(
                    "PATCH",
                    f"http://{target.host}/v2/t/x/blobs/uploads/u",
                    headers={"Content-Length": str(64 << 20)},
                    body=pieces,
                ):
                    pass
        target.stuck.set()


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_body_follows_no_redirect_that_would_change_it(
    served: Served, patience: Patience, status: int
) -> None:
    served.answers = [web.Response(status=status, headers={"Location": "/elsewhere"})]
    async with Transport(patience=patience) as transport:
        answer = await transport.fetch(f"http://{served.host}/", cap=9, method="POST", body=b"x")
    assert (answer.status, len(served.requests)) == (status, 1)


async def test_a_body_is_sent_again_to_where_a_redirect_leads(
    served: Served, elsewhere: Served, patience: Patience
) -> None:
    target = f"http://{elsewhere.host}/there"
    served.answers = [web.Response(status=307, headers={"Location": target})]
    elsewhere.answers = [web.Response(text="ok")]
    async with Transport(patience=patience) as transport:
        answer = await transport.fetch(
            f"http://{served.host}/", cap=9, method="POST", body=b"x", authorization="Basic eA=="
        )
    assert answer.body == b"ok"
    assert elsewhere.bodies == [b"x"]
    assert "Authorization" not in elsewhere.requests[0].headers
