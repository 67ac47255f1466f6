"""Import a root file system tarball, from a URL or a path, as an image of one layer.

The compressions that distributions publish: gzip, zstd, xz, bzip2 or none (a ``.wsl`` file is a
tarball too). What OCI layers may not be compressed with is kept as zstd.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import re
import secrets
import stat
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from backports import zstd

from core.domain import Layer
from core.errors import Corrupt, DeckError, Hostile, InvalidInput, NotFound, Unsupported
from core.images.assemble import ImageLayer, assemble, platform_fields
from core.images.download import Download, file_name
from core.images.manifest import OCI_LAYER
from core.images.platform import host_platform
from core.images.progress import Progress, ignore
from core.images.pull import Pulled
from core.images.transport import Transport
from core.layers.compression import HEAD, compression_of, expand
from core.layers.unpack import open_unpacker, settle
from core.store.chain import settled_key
from core.store.ingest import CHUNK, Ingest
from core.store.records import StagedLayer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.images.progress import Report
    from core.images.transport import Patience
    from core.layers.unpack import Unpacked
    from core.store.lease import Lease
    from core.store.store import Store

_ZSTD_LEVEL = 3
_VERSION = re.compile(r"(?<![A-Za-z0-9_.])\d+(?:\.\d+)*(?![A-Za-z0-9_])")
_FOREIGN = {b"hsqs": "a squashfs image", b"PK\x03\x04": "a zip archive", b"QFI\xfb": "a disk image"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blob:
    """The layer's blob, whole and verified, under a passing name."""

    path: Path
    digest: str
    size: int
    media_type: str


async def import_tarball(
    store: Store,
    source: str,
    *,
    lease: Lease,
    checksum: str = "",
    plain_http: bool = False,
    pinned: bool = False,
    report: Report = ignore,
    patience: Patience | None = None,
) -> Pulled:
    """Bring a tarball into the store; the same bytes again give the same image.

    ``checksum`` is ``sha256:…`` of the file as it is published. A cut download goes on from what
    it has. Lease, pin and cancel as for :func:`core.images.pull.pull_image`.

    Raises:
        InvalidInput: malformed checksum or source.
        NotFound: no such file.
        LoginNeeded, Unreachable: from the server; ``kept`` says what a retry saves.
        Corrupt: the checksum differs, or it is no intact tarball.
        Hostile, Unsupported: not a root file system that can be trusted, or handled.
        NoSpace: the disk is full.
    """
    wanted = parse_checksum(checksum) if checksum else ""
    work = _Import(store, source, lease, Progress(report))
    async with AsyncExitStack() as stack:
        if source.startswith(("http://", "https://")):
            transport = await stack.enter_async_context(
                Transport(plain_http=plain_http, patience=patience)
            )
            path, digest = await work.download(transport, wanted)
        else:
            path, digest = await work.copy(stack)
            if wanted and wanted != digest:
                raise Corrupt(work.name, "differs from its checksum")
        return await work.run(path, digest, pinned=pinned)


def parse_checksum(text: str) -> str:
    """``sha256:`` and 64 hex digits, from that or from the digits alone (``0x`` in front or not).

    Raises:
        InvalidInput: it is something else.
    """
    digits = text.lower().removeprefix("sha256:").removeprefix("0x")
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise InvalidInput("checksum", "malformed", hint="sha256: and 64 hex digits")
    return f"sha256:{digits}"


class _Import:
    def __init__(self, store: Store, source: str, lease: Lease, progress: Progress) -> None:
        self.name = file_name(source)
        self._store = store
        self._source = source
        self._lease = lease
        self._progress = progress
        self._key = f"sha256:{hashlib.sha256(source.encode()).hexdigest()}"
        progress.expect([(self._key, 0)])
        progress.enter("fetch")

    def _fetched(self, done: int, total: int) -> None:
        self._progress.layer(self._key, "fetch", done, total=total)

    async def download(self, transport: Transport, wanted: str) -> tuple[Path, str]:
        """The file from its URL, verified; and its digest."""
        intake = self._store.intake
        async with intake.lock(self._key):
            job = Download(
                self._source, intake.layout.ingest, transport=transport, trusted=bool(wanted)
            )
            digest = await job.run(self._fetched)
            if wanted and digest != wanted:
                job.forget()
                raise Corrupt(
                    self.name, "differs from its checksum", hint="what was received is deleted"
                )
            path = job.path.with_name(f"file-{secrets.token_hex(8)}")
            job.path.rename(path)
            job.forget()
            return path, digest

    async def copy(self, stack: AsyncExitStack) -> tuple[Path, str]:
        """A copy of the local file, so that what was hashed is what is unpacked."""
        path = self._store.layout.ingest / f"file-{secrets.token_hex(8)}"
        stack.callback(path.unlink, missing_ok=True)
        try:
            file, size = _open_regular(Path(self._source.removeprefix("file://")), self.name)
            stack.callback(file.close)
            async with Ingest(path, name=self.name) as ingest:
                while chunk := await asyncio.to_thread(file.read, CHUNK):
                    await ingest.write(chunk)
                    self._fetched(ingest.offset, size)
                return path, ingest.digest
        except OSError as error:
            raise _explain(error, self.name) from error

    async def run(self, path: Path, digest: str, *, pinned: bool) -> Pulled:
        """Unpack the verified file, and commit it as an image."""
        with ExitStack() as passing:
            passing.callback(path.unlink, missing_ok=True)
            kind, size = self._sniff(path)
            if kind in ("none", "gzip", "zstd"):
                suffix = "" if kind == "none" else f"+{kind}"
                blob = _Blob(path=path, digest=digest, size=size, media_type=OCI_LAYER + suffix)
                staged = await self._unpack(_read(path))
            else:
                again = path.with_name(f"{path.name}-zstd")
                passing.callback(again.unlink, missing_ok=True)
                async with Ingest(again, name=self.name) as ingest:
                    staged = await self._unpack(_recompressed(path, ingest))
                    blob = _Blob(
                        path=again,
                        digest=ingest.digest,
                        size=ingest.offset,
                        media_type=f"{OCI_LAYER}+zstd",
                    )
            return await self._commit(blob, staged, pinned=pinned)

    def _sniff(self, path: Path) -> tuple[str, int]:
        """How the file is compressed, and its size."""
        with path.open("rb") as file:
            head = file.read(HEAD)
        for magic, what in _FOREIGN.items():
            if head.startswith(magic):
                raise Unsupported(self.name, what, hint="take its tar.xz or tar.gz")
        return str(compression_of(head)), path.stat().st_size

    async def _unpack(self, chunks: AsyncIterator[bytes]) -> StagedLayer:
        """Unpack into a stage; on error it is gone."""
        self._progress.enter("unpack")
        folder = self._store.intake.new_stage()
        try:
            async with open_unpacker(
                folder / "fs",
                enter=self._store.enter,
                privileged=self._store.owners,
                limits=self._store.limits,
            ) as unpacker:
                async for chunk in chunks:
                    await unpacker.write(chunk)
                unpacked = await unpacker.finish()
            warnings = unpacked.warnings
            if unpacked.needs_lower:
                warnings += await settle(
                    folder / "fs", [], enter=self._store.enter, privileged=self._store.owners
                )
            self._check(folder / "fs", unpacked)
        except (Corrupt, Hostile) as error:
            self._store.layout.discard(folder)
            raise type(error)(
                self.name, error.message, hint="check that it is a whole tarball"
            ) from error
        except BaseException:
            self._store.layout.discard(folder)
            raise
        diff_id = unpacked.diff_id
        return StagedLayer(
            key=settled_key(diff_id) if unpacked.needs_lower else diff_id,
            diff_id=diff_id,
            folder=folder,
            size=unpacked.size,
            entries=unpacked.entries,
            tar_size=unpacked.tar_size,
            warnings=warnings,
        )

    def _check(self, tree: Path, unpacked: Unpacked) -> None:
        names: set[str] = set()
        with suppress(PermissionError):
            names = {entry.name for entry in tree.iterdir()}
        if names & {"oci-layout", "manifest.json"} and not names & {"usr", "bin", "etc"}:
            hint = "push it to a registry and pull it from there"
            raise Unsupported(self.name, "an image archive, not a root file system", hint=hint)
        if unpacked.entries == 0:
            raise Corrupt("archive", "holds nothing")

    async def _commit(self, blob: _Blob, staged: StagedLayer, *, pinned: bool) -> Pulled:
        layer = Layer(
            digest=blob.digest,
            diff_id=staged.diff_id,
            size=blob.size,
            media_type=blob.media_type,
        )
        config = {
            **platform_fields(host_platform()),
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [staged.diff_id]},
            "history": [{"created_by": f"import {self.name}"}],
        }
        self._progress.layer(self._key, "done", blob.size, total=blob.size)
        self._progress.enter("commit")
        made = await assemble(
            self._store,
            config,
            [ImageLayer(layer=layer, key=staged.key, staged=staged, blob=blob.path)],
            lease=self._lease,
            name=self.name,
            origin="import",
            pinned=pinned,
        )
        found = _VERSION.search(self.name)
        return Pulled(
            digest=made.digest,
            platform=made.platform,
            version=found[0] if found else "",
            warnings=made.warnings,
        )


async def _read(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk


async def _recompressed(path: Path, ingest: Ingest) -> AsyncIterator[bytes]:
    """The uncompressed bytes of a file; on the way they go to ``ingest`` as zstd."""
    compressor = zstd.ZstdCompressor(level=_ZSTD_LEVEL)
    with path.open("rb") as file:
        pieces = expand(iter(lambda: file.read(CHUNK), b""))
        while piece := await asyncio.to_thread(next, pieces, b""):
            if packed := await asyncio.to_thread(compressor.compress, piece):
                await ingest.write(packed)
            yield piece
    await ingest.write(compressor.flush())


def _open_regular(source: Path, name: str) -> tuple[BinaryIO, int]:
    """A regular file opened for reading, and its size; a pipe or device could block for ever."""
    found = source.stat()
    if not stat.S_ISREG(found.st_mode):
        raise InvalidInput(name, "not a regular file", hint="name a tarball")
    return source.open("rb"), found.st_size


def _explain(error: OSError, name: str) -> DeckError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return NotFound(name, "no such file", hint="check the path")
    why = (error.strerror or "not readable").lower()
    return InvalidInput(name, why, hint="name a file that you can read")
