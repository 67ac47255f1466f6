"""Send blobs and manifests to a registry.

Distribution specification v1.1, "Push": a blob that is there is left alone, one in another
repository of the registry is mounted, the rest goes up in chunks. An upload that broke off goes
on from what the registry says it has; a registry that takes no chunks gets the whole in one.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from core.errors import Corrupt, DeckError, LoginNeeded, NotFound, Unreachable
from core.images.failures import PASSING, Final, Lost, refusal
from core.images.registry import told_by

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    import aiohttp

    from core.images.reference import Reference
    from core.images.registry import Registry
    from core.images.transport import Answer

    Told = Callable[[int], None]
    """Takes the bytes sent so far."""

CHUNK = 64 << 20
"""Bytes of one request; few registries like small ones, and a cut costs at most one."""
PIECE = 256 << 10
"""Bytes handed to the connection at a time."""
_SENDS = 12
"""Times an upload is begun, gone on with, or begun again."""
_CAP = 256 << 10
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")
_NO_CHUNKS = frozenset({404, 405, 411, 415, 501})
_ANEW = frozenset({404, 416, 400, 410})
"""Statuses after which an upload cannot be gone on with, but begun again."""


class Uploader:
    """Sends the parts of one image to one repository."""

    def __init__(self, registry: Registry, reference: Reference, *, chunk: int = CHUNK) -> None:
        self._registry = registry
        self._reference = reference
        self._chunk = chunk
        self._whole = False
        self._scope = registry.scope(reference, "pull,push")

    async def has(self, digest: str) -> bool:
        """Whether the repository has a blob.

        Raises:
            LoginNeeded, Unreachable: from the registry.
        """
        return (await self._ask("HEAD", f"blobs/{digest}")).status == 200

    async def mount(self, digest: str, repositories: Iterable[str]) -> bool:
        """Whether the blob could be taken over from one of the other repositories there."""
        for repository in repositories:
            scope = f"{self._scope} repository:{repository}:pull"
            path = self._path(f"blobs/uploads/?mount={digest}&from={repository}")
            try:
                answer = await self._registry.ask("POST", path, scope=scope, cap=_CAP, body=b"")
            except (LoginNeeded, NotFound):
                continue
            if answer.status == 201:
                return True
            if answer.status == 202:  # an upload was begun instead, which nobody needs
                base = await self._registry.find_base()
                await self._abandon(self.located(base, answer.headers.get("Location", "")))
        return False

    async def blob(self, path: Path, digest: str, size: int, tell: Told) -> None:
        """Send a file as the blob ``digest``.

        Raises:
            LoginNeeded: no right to push here.
            Corrupt: the registry got something else, or the file changed.
            Unreachable: after the last attempt.
        """
        upload = _Upload(self, path, digest, size, tell)
        attempt = 0
        for _ in range(_SENDS):
            before = upload.offset
            try:
                return await upload.go_on()
            except Unreachable as error:
                if isinstance(error, Final) and not upload.location:
                    raise
                attempt = 1 if upload.offset > before else attempt + 1
                pause = self._registry.patience.pause(attempt, error)
                if pause is None:
                    raise
                await asyncio.sleep(pause)
        raise Unreachable(str(self._reference), "the upload breaks off again and again")

    async def manifest(self, body: bytes, media_type: str, digest: str, *, tag: str = "") -> None:
        """Put a manifest or index, under its digest or a tag.

        Raises:
            LoginNeeded, Unreachable, NotFound: from the registry.
            Corrupt: it says that it got another one.
        """
        answer = await self._ask(
            "PUT", f"manifests/{tag or digest}", headers={"Content-Type": media_type}, body=body
        )
        if answer.status not in (200, 201, 202):
            raise self._refused(answer)
        told = answer.headers.get("Docker-Content-Digest", digest)
        if told.startswith("sha256:") and told != digest:
            raise Corrupt(str(self._reference), "the registry stored another manifest")

    async def begin(self) -> str:
        """Start an upload; its URL."""
        answer = await self._ask("POST", "blobs/uploads/", body=b"")
        if answer.status != 202 or not answer.headers.get("Location"):
            raise self._refused(answer)
        return self.located(await self._registry.find_base(), answer.headers["Location"])

    async def received(self, location: str) -> tuple[str, int] | None:
        """Where an upload goes on and how many bytes it has; None: it is gone."""
        answer = await self._registry.ask("GET", location, scope=self._scope, cap=_CAP)
        if answer.status != 204:
            return None
        match = _RANGE.fullmatch(answer.headers.get("Range", ""))
        following = answer.headers.get("Location", "")
        # nothing and one byte are told alike ("0-0"): the last byte is sent again with the rest
        end = int(match[1]) if match else 0
        return self.located(location, following), end + 1 if end else 0

    async def send(
        self,
        method: str,
        location: str,
        pieces: Callable[[], AsyncIterator[bytes]] | None,
        size: int,
        content_range: str = "",
    ) -> tuple[int, str]:
        """One PATCH or PUT; its status, and where the upload goes on."""
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        if content_range:
            headers["Content-Range"] = content_range
        async with self._registry.request(
            method, location, scope=self._scope, headers=headers, body=pieces or b""
        ) as response:
            if response.status in (401, 403) or response.status in PASSING:
                raise refusal(str(self._reference), response.status, response.headers)
            return response.status, self._following(location, response)

    @property
    def chunk(self) -> int:
        """Bytes of one PATCH; 0: the registry takes none."""
        return 0 if self._whole else self._chunk

    def take_no_chunks(self) -> None:
        """Remember that this registry wants blobs whole."""
        self._whole = True

    def take_smaller_chunks(self) -> bool:
        """Something in between has a limit; whether there is a smaller size to try."""
        self._chunk //= 4
        return self._chunk >= PIECE

    def located(self, base: str, location: str) -> str:
        """An upload's URL. Raises: Hostile, where a redirect there would be."""
        url = urljoin(base, location) if location else base
        here, there = urlsplit(base), urlsplit(url)
        if (here.scheme, there.scheme) == ("https", "http") and here.hostname == there.hostname:
            # behind a proxy that it does not know of, a registry thinks that it speaks plain HTTP
            url = f"https{url.removeprefix('http')}"
        self._registry.transport.check_following(base, base, url)
        return url

    async def _abandon(self, location: str) -> None:
        await self._registry.ask("DELETE", location, scope=self._scope, cap=_CAP)

    def _following(self, location: str, response: aiohttp.ClientResponse) -> str:
        return self.located(location, response.headers.get("Location", ""))

    async def _ask(
        self,
        method: str,
        rest: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        return await self._registry.ask(
            method, self._path(rest), scope=self._scope, cap=_CAP, headers=headers, body=body
        )

    def _path(self, rest: str) -> str:
        return self._registry.path(self._reference, rest)

    def _refused(self, answer: Answer) -> DeckError:
        told = told_by(answer.body)
        if answer.status == 404:
            return NotFound(self._reference.name, told or "cannot be pushed to", hint="check it")
        return refusal(
            self._reference.name, answer.status, answer.headers, answer.body, detail=told
        )


class _Upload:
    """One blob on its way up."""

    def __init__(self, uploader: Uploader, path: Path, digest: str, size: int, tell: Told) -> None:
        self._uploader = uploader
        self._path = path
        self._digest = digest
        self._size = size
        self._tell = tell
        self.location = ""
        self.offset = 0
        self._broken = False

    async def go_on(self) -> None:
        """Send what the registry does not have yet; raises Unreachable where it breaks off."""
        if self._broken:
            await self._find_out()
            if not self.location and await self._uploader.has(self._digest):
                self._tell(self._size)
                return
        if not self.location:
            self.location, self.offset = await self._uploader.begin(), 0
        self._broken = True
        while self._uploader.chunk and self.offset < self._size:
            await self._patch()
        rest = self._size - self.offset
        closing = f"{self.location}{_join(self.location)}digest={self._digest}"
        pieces = self._part(rest) if rest else None
        status, _ = await self._uploader.send("PUT", closing, pieces, rest)
        if status not in (201, 204):
            self._begin_again(status)
        self._tell(self._size)

    async def _patch(self) -> None:
        count = min(self._uploader.chunk, self._size - self.offset)
        last = self.offset + count - 1
        # one chunk needs no range, and some registries take none
        told = "" if count == self._size else f"{self.offset}-{last}"
        status, location = await self._uploader.send(
            "PATCH", self.location, self._part(count), count, told
        )
        if status in _NO_CHUNKS and not self.offset:
            self._uploader.take_no_chunks()
            self.location = await self._uploader.begin()
            return
        if status == 413 and self._uploader.take_smaller_chunks():
            self._begin_again(416)
        if status not in (201, 202, 204):
            self._begin_again(status)
        self.location, self.offset = location, self.offset + count

    async def _find_out(self) -> None:
        """Ask what arrived before it broke off."""
        found = await self._uploader.received(self.location) if self._uploader.chunk else None
        self.location, self.offset = found or ("", 0)
        if self.offset > self._size:
            self.location, self.offset = "", 0
        self._tell(self.offset)

    def _begin_again(self, status: int) -> None:
        if status not in _ANEW:
            raise Final(self._digest[:19], f"the upload was answered with {status}")
        if status == 400 and self.offset >= self._size:
            raise Corrupt(self._digest[:19], "the registry got something else")
        self.location, self.offset, self._broken = "", 0, False
        raise Lost(self._digest[:19], f"the upload was dropped ({status})")

    def _part(self, count: int) -> Callable[[], AsyncIterator[bytes]]:
        """A function that reads ``count`` bytes of the file from the offset on, each time anew."""
        start = self.offset

        async def pieces() -> AsyncIterator[bytes]:
            done = 0
            with await asyncio.to_thread(self._path.open, "rb") as file:
                file.seek(start)
                while done < count:
                    piece = await asyncio.to_thread(file.read, min(PIECE, count - done))
                    if not piece:
                        raise Corrupt(self._digest[:19], "shorter in the store than it should be")
                    yield piece
                    done += len(piece)
                    self._tell(start + done)

        return pieces


def _join(url: str) -> str:
    return "&" if urlsplit(url).query else "?"
