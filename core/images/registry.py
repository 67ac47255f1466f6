"""A client of one OCI registry; fetches manifests and blobs.

Distribution specification v1.1, "Pulling manifests" and "Pulling blobs".
"""

from __future__ import annotations

import difflib
import hashlib
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin

import msgspec

from core.errors import Corrupt, DeckError, NotFound
from core.images.auth import Authorizer
from core.images.failures import Final, Lost, host_of, refusal
from core.images.manifest import ACCEPT, MANIFEST_CAP
from core.images.transport import Answer, Patience, Transport, challenges_of, same_origin
from core.text import clean
from core.urls import is_loopback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType

    import aiohttp

    from core.domain import Credentials
    from core.images.reference import Reference
    from core.images.transport import Body
    from core.images.trust import Trust

_TAGS_CAP = 1 << 20
_LOGINS = 3
"""Times that one request answers a challenge."""
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


class _ErrorLine(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Errors(msgspec.Struct, frozen=True):
    errors: list[_ErrorLine] = []


class _Tags(msgspec.Struct, frozen=True):
    tags: list[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A manifest or index as the registry sent it."""

    digest: str
    """Computed from the body."""
    media_type: str
    body: bytes


class Registry:
    """A client of one registry; an async context manager.

    Gives up what it holds when left. Errors name the reference, never an URL with its query.
    """

    def __init__(
        self,
        host: str,
        *,
        prefix: str = "",
        credentials: Credentials | None = None,
        plain_http: bool = False,
        trust: Trust | None = None,
        patience: Patience | None = None,
    ) -> None:
        """``host`` is the API's ``host[:port]`` (:attr:`Reference.api_host`).

        ``prefix`` stands before every repository's name there; mirrors may have one.
        """
        self.host = host
        self.transport = Transport(plain_http=plain_http, patience=patience, trust=trust)
        self._prefix = f"{prefix}/" if prefix else ""
        self._auth = Authorizer(host, self.transport, credentials)
        name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
        self._may_be_plain = plain_http or is_loopback(name.strip("[]"))
        self._base = "" if self._may_be_plain else f"https://{host}"

    async def __aenter__(self) -> Self:
        await self.transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.transport.__aexit__(kind, error, trace)

    async def manifest(self, reference: Reference, digest: str = "") -> Document:
        """The manifest or index of a reference, or ``digest`` in its repository.

        Raises:
            NotFound: no such tag or repository.
            LoginNeeded: 401 or 403.
            Unreachable: no answer, or no useful one.
            Corrupt: the body is not what its digest says.
        """
        wanted = digest or reference.target
        path = self.path(reference, f"manifests/{wanted}")
        answer = await self.get(path, scope=self.scope(reference), accept=ACCEPT, cap=MANIFEST_CAP)
        if answer.status != 200:
            raise await self._refused(reference, answer, digest)
        computed = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        told = wanted if ":" in wanted else answer.headers.get("Docker-Content-Digest", "")
        if told.startswith("sha256:") and told != computed:
            raise Corrupt(str(reference), "the manifest differs from its digest")
        media_type = answer.headers.get("Content-Type", "")
        return Document(digest=computed, media_type=media_type, body=answer.body)

    async def digest(self, reference: Reference) -> str:
        """The digest that a reference has now; of its manifest nothing is transferred.

        Registries that do not tell it in an answer to HEAD are asked for the manifest.

        Raises:
            NotFound, LoginNeeded, Unreachable: as :meth:`manifest`.
        """
        path = self.path(reference, f"manifests/{reference.target}")
        answer = await self.ask(
            "HEAD",
            path,
            scope=self.scope(reference),
            cap=MANIFEST_CAP,
            headers={"Accept": ACCEPT},
        )
        told = answer.headers.get("Docker-Content-Digest", "")
        if answer.status == 200 and _SHA256.fullmatch(told):
            return told
        return (await self.manifest(reference)).digest

    @property
    def patience(self) -> Patience:
        """How long it is waited for."""
        return self.transport.patience

    def path(self, reference: Reference, rest: str) -> str:
        """The API path of something in a repository."""
        return f"/v2/{self._prefix}{reference.repository}/{rest}"

    def scope(self, reference: Reference, actions: str = "pull") -> str:
        """What a token must be good for."""
        return f"repository:{self._prefix}{reference.repository}:{actions}"

    async def get(self, path: str, *, scope: str, accept: str, cap: int) -> Answer:
        """A short answer to a GET of an API path; see :meth:`ask`."""
        return await self.ask("GET", path, scope=scope, cap=cap, headers={"Accept": accept})

    async def ask(
        self,
        method: str,
        path: str,
        *,
        scope: str,
        cap: int,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """A short answer, logged in as far as the registry asks.

        ``path`` is one of the API, or a URL that the registry gave.

        Raises:
            LoginNeeded: the challenge cannot be answered.
            Unreachable: no answer after the last attempt.
        """
        url = urljoin(await self.find_base(), path)
        authorization = await self._authorization(url, scope)
        for _ in range(_LOGINS):
            answer = await self.transport.fetch(
                url, cap=cap, method=method, headers=headers, authorization=authorization, body=body
            )
            if answer.status != 401 or not self._is_own(url):
                return answer
            authorization = await self._auth.answer(
                answer.challenges, scope, rejected=authorization
            )
        raise self._auth.refused()

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        *,
        scope: str,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One attempt, logged in as far as the registry asks; the answer is still to be read.

        ``path`` as for :meth:`ask`: a URL on another host gets no ``Authorization``.

        Raises:
            LoginNeeded, Unreachable: as for :meth:`ask`.
        """
        url = urljoin(await self.find_base(), path)
        authorization = await self._authorization(url, scope)
        for _ in range(_LOGINS):
            async with self.transport.request(
                method, url, headers=headers, authorization=authorization, body=body
            ) as response:
                if response.status != 401 or not self._is_own(url):
                    yield response
                    return
                challenges = challenges_of(response)
            authorization = await self._auth.answer(challenges, scope, rejected=authorization)
        raise self._auth.refused()

    async def _authorization(self, url: str, scope: str) -> str:
        return await self._auth.header(scope) if self._is_own(url) else ""

    def _is_own(self, url: str) -> bool:
        return same_origin(url, self._base)

    @asynccontextmanager
    async def blob(
        self, reference: Reference, digest: str, *, offset: int = 0
    ) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """A blob's bytes from ``offset`` on, or from 0 if the registry ignores ranges.

        Gives the offset it starts at, and the chunks. What a blob's bytes are is fixed by its
        digest, so no ``If-Range`` is needed. One attempt; the caller retries.

        Raises:
            NotFound, LoginNeeded, Unreachable: as for manifests.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        path = self.path(reference, f"blobs/{digest}")
        async with self.request(
            "GET", path, scope=self.scope(reference), headers=headers
        ) as response:
            start = start_of(response, offset, str(reference))
            yield start, self.transport.chunks(response)

    async def check_login(self) -> bool:
        """Whether the registry asked for a login, and took it; False: it lets everybody in.

        Raises:
            LoginNeeded: it does not take it.
            Unreachable: it cannot be asked, or is no registry.
        """
        answer = await self.ask("GET", "/v2/", scope="", cap=_TAGS_CAP)
        if answer.status != 200:
            error = refusal(self.host, answer.status, answer.headers, answer.body)
            if isinstance(error, NotFound):
                raise Final(self.host, "is no registry", hint="check host and port")
            raise error
        return self._auth.asked

    def distrust(self, digest: str) -> bool:
        """That what came under ``digest`` was something else; whether it is worth asking again."""
        del digest
        return False

    async def _refused(self, reference: Reference, answer: Answer, digest: str) -> DeckError:
        shown = f"{reference.name}@{digest}" if digest else str(reference)
        if answer.status != 404:
            told = told_by(answer.body)
            return refusal(shown, answer.status, answer.headers, answer.body, detail=told)
        if digest or reference.digest:
            return NotFound(shown, "no such digest", hint="pull by its tag to see what is there")
        try:
            path = self.path(reference, "tags/list?n=1000")
            scope = self.scope(reference)
            listed = await self.get(path, scope=scope, accept="*/*", cap=_TAGS_CAP)
            tags = msgspec.json.decode(listed.body, type=_Tags).tags or []
        except (DeckError, msgspec.MsgspecError, RecursionError):
            return NotFound(shown, "no such tag", hint="check the tag")
        if listed.status == 404:
            return NotFound(shown, "no such repository", hint="check the name")
        near = difflib.get_close_matches(reference.tag, tags, n=5, cutoff=0.3) or tags[-5:]
        some = clean(", ".join(near), 120)
        return NotFound(shown, "no such tag", hint=f"it has {some}" if some else "it has no tags")

    async def find_base(self) -> str:
        """``https``, but for a loopback or allowed host ``http`` if that is what it speaks."""
        if self._base:
            return self._base
        try:
            async with self.transport.get(f"http://{self.host}/v2/") as response:
                # what a TLS server answers to plain HTTP
                plain = response.status != 400
        except Lost:
            plain = False
        self._base = f"http://{self.host}" if plain else f"https://{self.host}"
        return self._base


def start_of(response: aiohttp.ClientResponse, offset: int, of: str) -> int:
    """Where a 200 or 206 body starts.

    Raises:
        DeckError: for any other status, see :func:`core.images.transport.refusal`.
    """
    if response.status == 200:
        return 0
    if response.status == 206:
        match = _RANGE.match(response.headers.get("Content-Range", ""))
        if match and int(match[1]) == offset:
            return offset
        raise Corrupt(of, "the server sent another range than it was asked for")
    if response.status == 416:
        raise Corrupt(of, "the kept part is longer than the whole")
    error = refusal(str(response.url), response.status, response.headers)
    error.what = f"{of} ({host_of(str(response.url))})"
    raise error


def told_by(body: bytes) -> str:
    """What a registry's error answer says, if it is one."""
    try:
        lines = msgspec.json.decode(body, type=_Errors).errors
    except (msgspec.MsgspecError, RecursionError):
        return ""
    return clean("; ".join(line.message for line in lines if line.message), 200)
