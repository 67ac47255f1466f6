"""A registry in a thread, for commands that run as processes of their own."""

from __future__ import annotations

import asyncio
import gzip
import io
import ssl
import subprocess
import tarfile
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.images.manifest import OCI_LAYER
from tests.core.images.serving import Served, digest_of, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def registry(tls: ssl.SSLContext | None = None) -> Iterator[Served]:
    """An empty registry whose content and faults the test decides."""
    ready: Future[tuple[Served, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def work() -> None:
        async with serve(tls) as served:
            end = asyncio.Event()
            ready.set_result((served, asyncio.get_running_loop(), end))
            await end.wait()

    thread = threading.Thread(target=asyncio.run, args=(work(),))
    thread.start()
    served, loop, end = ready.result(10)
    try:
        yield served
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()


def self_signed(folder: Path) -> ssl.SSLContext:
    """A certificate that nobody vouches for."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def archive(*members: tarfile.TarInfo, data: bytes = b"evil\n") -> bytes:
    """An uncompressed tar; every regular file in it holds ``data``."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as made:
        for member in members:
            if member.isreg():
                member.size = len(data)
            made.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return out.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, to: str = "") -> tarfile.TarInfo:
    """A member of an :func:`archive`; ``to`` is what a link refers to."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, to
    made.mode = 0o755
    return made


def add_blob(served: Served, blob: bytes, diff_id: str, *, size: int = 0) -> str:
    """Serve an image of one gzip layer with just these bytes; gives the layer's digest."""
    digest = digest_of(blob)
    served.blobs[digest] = blob
    layer = {"mediaType": f"{OCI_LAYER}+gzip", "digest": digest, "size": size or len(blob)}
    served.add_image(diff_ids=[diff_id], manifest={"layers": [layer]})
    return digest


def packed(data: bytes) -> bytes:
    """``data`` as gzip, the same every time."""
    return gzip.compress(data, 1, mtime=0)
