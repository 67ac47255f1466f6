"""Import a root file system tarball, from a URL or a path, as an image of one layer.

The compressions that distributions publish: gzip, zstd, xz, bzip2 or none (a ``.wsl`` file is a
tarball too). What OCI layers may not be compressed with is kept as zstd.
"""

from __future__ import annotations

import asyncio
import errno
import re
import stat
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from backports import zstd

from core.domain import Layer
from core.errors import Corrupt, DeckError, Hostile, InvalidInput, NotFound, Unsupported
from core.images.assemble import ImageLayer, assemble, digest_of, platform_fields
from core.images.changes import apply_changes
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
    from collections.abc import AsyncIterator, Callable

    from core.domain import Platform
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The tarball as it came, whole."""

    path: Path
    digest: str
    forget: Callable[[], None]
    """Deletes it, if it is still there."""
    gone: str = ""
    """What to say when it was deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What to say of an image that a tarball says nothing of."""

    references: tuple[str, ...] = ()
    comment: str = ""
    changes: tuple[str, ...] = ()
    """Lines of a Dockerfile that change its config."""
    platform: Platform | None = None
    """None: this host's."""


async def import_tarball(
    store: Store,
    source: str | AsyncIterator[bytes],
    *,
    lease: Lease,
    checksum: str = "",
    plain_http: bool = False,
    about: About | None = None,
    pinned: bool = False,
    report: Report = ignore,
    patience: Patience | None = None,
) -> Pulled:
    """Bring a tarball into the store; the same bytes again give the same image.

    ``source`` is a URL, a path, or the bytes themselves. ``checksum`` is ``sha256:…`` of the file
    as it is published. A cut download goes on from what it has, and a whole one that was not made
    an image is not fetched again. Lease, pin and cancel as for
    :func:`core.images.pull.pull_image`.

    Raises:
        InvalidInput: malformed checksum, source or change.
        NotFound: no such file.
        LoginNeeded, Unreachable: from the server; ``kept`` says what a retry saves.
        Corrupt: the checksum differs, or it is no intact tarball.
        Hostile, Unsupported: not a root file system that can be trusted, or handled.
        NoSpace: the disk is full.
    """
    wanted = parse_checksum(checksum) if checksum else ""
    work = _Import(store, source, lease, Progress(report), about or About())
    async with AsyncExitStack() as stack:
        if isinstance(source, str) and source.startswith(("http://", "https://")):
            await stack.enter_async_context(store.intake.lock(work.key))
            transport = await stack.enter_async_context(
                Transport(plain_http=plain_http, patience=patience)
            )
            file = await work.download(source, transport, trusted=bool(wanted))
        else:
            file = await work.copy(source)
            stack.callback(file.forget)
        if wanted and wanted != file.digest:
            file.forget()
            raise Corrupt(work.name, "differs from its checksum", hint=file.gone)
        try:
            pulled = await work.run(file, pinned=pinned)
        except (Corrupt, Hostile, Unsupported):
            file.forget()  # it will be no better the next time
            raise
        file.forget()
        return pulled


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
    def __init__(
        self,
        store: Store,
        source: str | AsyncIterator[bytes],
        lease: Lease,
        progress: Progress,
        about: About,
    ) -> None:
        self.name = file_name(source) if isinstance(source, str) else "standard input"
        self.key = digest_of((source if isinstance(source, str) else self.name).encode())
        self._config: dict[str, Any] = {}
        apply_changes(self._config, about.changes)
        self._store = store
        self._lease = lease
        self._progress = progress
        self._about = about
        progress.expect([(self.key, 0)])
        progress.enter("fetch")

    def fetched(self, done: int, total: int) -> None:
        """Tell how much of the file has come."""
        self._progress.layer(self.key, "fetch", done, total=total)

    async def download(self, url: str, transport: Transport, *, trusted: bool) -> _File:
        """The file from its URL; it stays for another try until it is forgotten."""
        folder = self._store.layout.ingest
        job = Download(url, folder, transport=transport, trusted=trusted)
        digest = await job.run(self.fetched)
        gone = "what was received is deleted"
        return _File(path=job.path, digest=digest, forget=job.forget, gone=gone)

    async def copy(self, source: str | AsyncIterator[bytes]) -> _File:
        """A copy of what is here, so that what was hashed is what is unpacked."""
        path = self._store.layout.passing()
        try:
            with ExitStack() as opened:
                chunks, size = source, 0
                if isinstance(chunks, str):
                    where = Path(chunks.removeprefix("file://"))
                    file, size = _open_regular(where, self.name)
                    opened.callback(file.close)
                    chunks = _chunks(file)
                async with Ingest(path, name=self.name) as ingest:
                    async for chunk in chunks:
                        await ingest.write(chunk)
                        self.fetched(ingest.offset, size)
                    forget = partial(path.unlink, missing_ok=True)
                    return _File(path=path, digest=ingest.digest, forget=forget)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise _explain(error, self.name) from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    async def run(self, file: _File, *, pinned: bool) -> Pulled:
        """Unpack the verified file, and commit it as an image; its blob may be the file itself."""
        path, digest = file.path, file.digest
        with ExitStack() as passing:
            kind, size = self._sniff(path)
            if kind in ("none", "gzip", "zstd"):
                suffix = "" if kind == "none" else f"+{kind}"
                blob = _Blob(path=path, digest=digest, size=size, media_type=OCI_LAYER + suffix)
                staged = await self._unpack(_read(path))
            else:
                again = self._store.layout.passing()
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
        step = {"created_by": f"import {self.name}"}
        if self._about.comment:
            step["comment"] = self._about.comment
        config = {
            **platform_fields(self._about.platform or host_platform()),
            "config": self._config,
            "rootfs": {"type": "layers", "diff_ids": [staged.diff_id]},
            "history": [step],
        }
        self._progress.layer(self.key, "done", blob.size, total=blob.size)
        self._progress.enter("commit")
        made = await assemble(
            self._store,
            config,
            [ImageLayer(layer=layer, key=staged.key, staged=staged, blob=blob.path)],
            lease=self._lease,
            name=self.name,
            references=self._about.references,
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
        async for chunk in _chunks(file):
            yield chunk


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
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
