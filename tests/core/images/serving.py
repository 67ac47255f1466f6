"""A small real registry whose content and faults a test decides."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from core.images.manifest import (
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
)

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

__all__ = ["DOCKER_MANIFEST", "Served", "digest_of", "serve", "tar"]


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def tar(files: dict[str, bytes]) -> bytes:
    """An uncompressed tar of regular files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


@dataclass
class Served:
    """What is served, what goes wrong, and what was asked for."""

    port: int = 0
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    """Tag or digest -> body, media type."""
    blobs: dict[str, bytes] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    """Digest -> for each of the next requests how many bytes to send before cutting."""
    answers: list[web.Response] = field(default_factory=list)
    """Answers given first, whatever was asked."""
    answers_for: dict[str, list[web.Response]] = field(default_factory=dict)
    """Digest -> answers given first to requests for that blob."""
    claims: dict[str, int] = field(default_factory=dict)
    """Digest -> Content-Length told for the whole blob in place of the true one."""
    redirect: str = ""
    """Where blobs are, if not here."""
    ranges: bool = True
    digests: bool = False
    """Whether it tells the digests of manifests."""
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    """Digest -> it stops after its first half until this is set."""
    arrived: Callable[[str, int], Awaitable[None]] | None = None
    """Waits until so many bytes of a blob have come where they go; used before a cut."""
    sent: Counter[str] = field(default_factory=Counter)
    """Bytes of each blob that were sent."""
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    """What came with requests that are no GET."""

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def asked(self, digest: str) -> list[str]:
        """The Range header of every request for a blob."""
        return [r.headers.get("Range", "") for r in self.requests if r.path.endswith(digest)]

    def add_image(
        self,
        *layers: bytes,
        tag: str = "latest",
        diff_ids: list[str] | None = None,
        compress: bool = True,
        config: dict[str, Any] | None = None,
        manifest: dict[str, Any] | None = None,
    ) -> str:
        """Serve an image of tars; gives the digest of its manifest."""
        described = []
        for layer in layers:
            blob = gzip.compress(layer, 1, mtime=0) if compress else layer
            self.blobs[digest_of(blob)] = blob
            kind = f"{OCI_LAYER}+gzip" if compress else OCI_LAYER
            described.append({"mediaType": kind, "digest": digest_of(blob), "size": len(blob)})
        rootfs = {"type": "layers", "diff_ids": diff_ids or [digest_of(one) for one in layers]}
        body = json.dumps(
            {"os": "linux", "architecture": "amd64", "rootfs": rootfs, **(config or {})}
        ).encode()
        self.blobs[digest_of(body)] = body
        return self.add_manifest(
            {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": {
                    "mediaType": OCI_CONFIG,
                    "digest": digest_of(body),
                    "size": len(body),
                },
                "layers": described,
                **(manifest or {}),
            },
            tag=tag,
        )

    def add_manifest(self, document: dict[str, Any], *, tag: str = "latest") -> str:
        body = json.dumps(document).encode()
        for name in (tag, digest_of(body)):
            self.manifests[name] = (body, document.get("mediaType", OCI_MANIFEST))
        return digest_of(body)

    def add_index(self, *architectures: str, mark: str = "") -> list[dict[str, Any]]:
        """Serve an index of small images as ``latest``; gives its entries."""
        entries = []
        for architecture in architectures:
            digest = self.add_image(
                tar({"a": (architecture + mark).encode()}),
                tag=architecture,
                config={"architecture": architecture},
            )
            body, kind = self.manifests[digest]
            platform = {"os": "linux", "architecture": architecture}
            entries.append(
                {"mediaType": kind, "digest": digest, "size": len(body), "platform": platform}
            )
        self.add_manifest({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
        return entries

    def layers(self, tag: str = "latest") -> list[str]:
        """Digests of the layers of an image."""
        return [one["digest"] for one in json.loads(self.manifests[tag][0])["layers"]]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if request.method not in ("GET", "HEAD"):
            self.bodies.append(await request.read())
        if self.answers:
            return self.answers.pop(0)
        kind, _, name = request.path.rpartition("/")
        if request.path == "/v2/":
            return web.Response()
        if kind.endswith("/manifests") and name in self.manifests:
            body, media_type = self.manifests[name]
            told = {"Docker-Content-Digest": digest_of(body)} if self.digests else {}
            return web.Response(body=body, headers={"Content-Type": media_type, **told})
        if kind.endswith("/blobs") and self.redirect:
            return web.Response(status=307, headers={"Location": f"{self.redirect}{request.path}"})
        if kind.endswith("/blobs") and name in self.blobs:
            return await self._blob(request, name)
        return web.json_response({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, status=404)

    async def _blob(self, request: web.Request, digest: str) -> web.StreamResponse:
        if self.answers_for.get(digest):
            return self.answers_for[digest].pop(0)
        body, start, status = self.blobs[digest], 0, 200
        found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if found and self.ranges:
            start, status = int(found[1]), 206
        length = self.claims.get(digest, len(body)) - start
        headers = {"Content-Length": str(length)}
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        response = web.StreamResponse(status=status, headers=headers)
        await response.prepare(request)
        rest, cuts = body[start : start + length], self.cuts.get(digest)
        if cuts:
            rest = rest[: cuts.pop(0)]
        if gate := self.gates.get(digest):
            half = len(rest) // 2
            await self._write(response, digest, rest[:half])
            rest = rest[half:]
            await gate.wait()
        await self._write(response, digest, rest)
        if cuts is not None and request.transport and len(rest) < len(body) - start:
            if self.arrived:
                await self.arrived(digest, start + len(rest))
            request.transport.close()
        return response

    async def _write(self, response: web.StreamResponse, digest: str, data: bytes) -> None:
        await response.write(data)
        self.sent[digest] += len(data)


@asynccontextmanager
async def serve(tls: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    """An empty registry on a free loopback port."""
    served = Served()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", served.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        served.port = runner.addresses[0][1]
        yield served
    finally:
        await runner.cleanup()
