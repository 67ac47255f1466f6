"""A small registry that takes pushes, with the faults that a test wants."""

from __future__ import annotations

import itertools
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from tests.core.images.serving import digest_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator


@dataclass
class Accepting:
    """What has arrived, and what goes wrong."""

    port: int = 0
    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """Repository and digest -> bytes."""
    manifests: dict[tuple[str, str], tuple[bytes, str]] = field(default_factory=dict)
    """Repository and tag or digest -> body, media type."""
    uploads: dict[str, bytearray] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    """For each of the next PATCH requests how many bytes to take before hanging up; -1: all."""
    keeps: bool = True
    """Whether it still knows an upload that was cut."""
    chunks: bool = True
    limit: int = 0
    """Largest body taken; 0: any."""
    elsewhere: str = ""
    """Origin that uploads are sent to, if not this one."""
    tokens: list[str] = field(default_factory=list)
    """Bearer tokens taken, each for one request; empty: everything is."""
    realm: str = ""
    stuck: asyncio.Event | None = None
    """Bodies are not read before this is set."""
    requests: list[web.Request] = field(default_factory=list)
    _ids: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def asked(self, method: str) -> list[str]:
        """The Content-Range (or nothing) of every request of a kind."""
        return [r.headers.get("Content-Range", "") for r in self.requests if r.method == method]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if request.path == "/v2/":
            return web.Response()
        if self.realm:
            shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not self.tokens or shown != self.tokens[0]:
                challenge = f'Bearer realm="{self.realm}",service="s"'
                return web.Response(status=401, headers={"WWW-Authenticate": challenge})
            if request.method == "PATCH":
                self.tokens.pop(0)
        found = re.fullmatch(r"/v2/(.+)/(blobs/uploads|blobs|manifests)/([^/]*)", request.path)
        assert found, request.path
        repository, kind, name = found.groups()
        if kind == "manifests":
            return await self._manifest(request, repository, name)
        if kind == "blobs":
            return web.Response(status=200 if (repository, name) in self.blobs else 404)
        return await self._upload(request, repository, name)

    async def _manifest(self, request: web.Request, repository: str, name: str) -> web.Response:
        body = await request.read()
        for key in (name, digest_of(body)):
            self.manifests[repository, key] = (body, request.headers["Content-Type"])
        return web.Response(status=201, headers={"Docker-Content-Digest": digest_of(body)})

    async def _upload(self, request: web.Request, repository: str, name: str) -> web.Response:
        if request.method == "POST":
            return self._begin(request, repository)
        if name not in self.uploads:
            return web.Response(status=404)
        if request.method == "DELETE":
            del self.uploads[name]
            return web.Response(status=204)
        if request.method == "PATCH":
            return await self._patch(request, repository, name)
        if request.method == "PUT":
            return await self._close(request, repository, name)
        return self._state(repository, name, 204)

    def _begin(self, request: web.Request, repository: str) -> web.Response:
        digest, source = request.query.get("mount", ""), request.query.get("from", "")
        if (source, digest) in self.blobs:
            self.blobs[repository, digest] = self.blobs[source, digest]
            return web.Response(status=201)
        name = f"u{next(self._ids)}"
        self.uploads[name] = bytearray()
        return self._state(repository, name, 202)

    async def _patch(self, request: web.Request, repository: str, name: str) -> web.Response:
        if not self.chunks:
            return web.Response(status=405)
        if self.limit and int(request.headers["Content-Length"]) > self.limit:
            return web.Response(status=413)
        upload = self.uploads[name]
        match = re.fullmatch(r"(\d+)-\d+", request.headers.get("Content-Range", ""))
        if match and int(match[1]) != len(upload):
            return web.Response(status=416)
        if self.stuck:
            await self.stuck.wait()
        cut = self.cuts.pop(0) if self.cuts else -1
        taken = 0
        async for data in request.content.iter_any():
            upload += data[: cut - taken] if cut >= 0 else data
            taken += len(data)
            if 0 <= cut <= taken:
                if not self.keeps:
                    del self.uploads[name]
                assert request.transport
                request.transport.abort()
                return web.Response(status=500)
        return self._state(repository, name, 202)

    async def _close(self, request: web.Request, repository: str, name: str) -> web.Response:
        upload = self.uploads.pop(name)
        upload += await request.read()
        digest = request.query["digest"]
        if digest_of(bytes(upload)) != digest:
            return web.json_response({"errors": [{"code": "DIGEST_INVALID"}]}, status=400)
        self.blobs[repository, digest] = bytes(upload)
        return web.Response(status=201)

    def _state(self, repository: str, name: str, status: int) -> web.Response:
        end = max(len(self.uploads[name]) - 1, 0)
        location = f"{self.elsewhere}/v2/{repository}/blobs/uploads/{name}?state=x%2Fy"
        return web.Response(status=status, headers={"Location": location, "Range": f"0-{end}"})


@asynccontextmanager
async def accept() -> AsyncIterator[Accepting]:
    """An empty registry on a free loopback port."""
    accepting = Accepting()
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", accepting.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        accepting.port = runner.addresses[0][1]
        yield accepting
    finally:
        await runner.cleanup()
