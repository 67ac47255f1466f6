"""Answer a registry's authentication challenges.

RFC 7617 (Basic) and the CNCF "Token Authentication Specification" (Bearer), with its OAuth2 form
for identity tokens. A password is sent only after a challenge, only over TLS (or where plain HTTP
was allowed), and to a token server only when that belongs to the registry.
"""

from __future__ import annotations

import asyncio
import base64
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import msgspec

from core.errors import Corrupt, Hostile, LoginNeeded
from core.images.failures import host_of, refusal
from core.text import clean
from core.urls import is_loopback

if TYPE_CHECKING:
    from core.domain import Credentials
    from core.images.transport import Answer, Transport

_ANSWER_CAP = 256 << 10
_SPARE = 10.0
"""Seconds before its end from which a token is no longer used."""
_CHALLENGE = re.compile(
    r'([A-Za-z0-9._~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([A-Za-z][A-Za-z0-9-]*)(?=\s|$)'
)
_TOKEN = re.compile(r"[\x21-\x7e]{1,65536}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One ``WWW-Authenticate`` challenge."""

    scheme: str
    """Lower case."""
    realm: str = ""
    service: str = ""
    scope: str = ""


class _TokenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    token: str = ""
    access_token: str = ""
    expires_in: float = 60


def parse_challenges(headers: tuple[str, ...]) -> list[Challenge]:
    """The challenges of all ``WWW-Authenticate`` headers, in order."""
    found: list[Challenge] = []
    for header in headers:
        scheme, fields = "", dict[str, str]()
        for match in _CHALLENGE.finditer(header[:8192]):
            if match[4]:
                if scheme:
                    found.append(_challenge(scheme, fields))
                scheme, fields = match[4].lower(), {}
            elif match[2] is not None:
                fields[match[1].lower()] = re.sub(r"\\(.)", r"\1", match[2])
            else:
                fields[match[1].lower()] = match[3]
        if scheme:
            found.append(_challenge(scheme, fields))
    return found


def _challenge(scheme: str, fields: dict[str, str]) -> Challenge:
    return Challenge(
        scheme=scheme,
        realm=fields.get("realm", ""),
        service=fields.get("service", ""),
        scope=fields.get("scope", ""),
    )


class Authorizer:
    """What one client may show to one registry; tokens are kept per scope and fetched once."""

    def __init__(
        self, host: str, transport: Transport, credentials: Credentials | None = None
    ) -> None:
        self._host = host
        self._transport = transport
        self._credentials = credentials
        self._headers: dict[str, tuple[str, float]] = {}
        self._bearer: Challenge | None = None
        self.asked = False
        """Whether the registry wanted a login."""
        self._lock = asyncio.Lock()

    async def header(self, scope: str) -> str:
        """The ``Authorization`` to send for ``scope``; empty where nothing was asked for yet."""
        async with self._lock:
            value, ends = self._headers.get(scope, ("", 0.0))
            if value and time.monotonic() < ends:
                return value
            if self._credentials and self._credentials.registry_token and self.asked:
                return f"Bearer {self._credentials.registry_token}"
            if self._bearer:
                return await self._fetch_token(self._bearer, scope)
            return ""

    async def answer(self, challenges: tuple[str, ...], scope: str, *, rejected: str) -> str:
        """Another ``Authorization`` after a 401 to ``rejected``.

        Raises:
            LoginNeeded: nothing more can be shown.
            Hostile: the challenge would hand the password to somebody else.
        """
        async with self._lock:
            value, ends = self._headers.get(scope, ("", 0.0))
            if value and value != rejected and time.monotonic() < ends:
                return value
            self.asked = True
            for challenge in parse_challenges(challenges):
                if challenge.scheme == "bearer" and self._token_at_hand(rejected):
                    return self._token_at_hand(rejected)
                if challenge.scheme == "bearer" and challenge.realm:
                    self._bearer = challenge
                    return await self._fetch_token(challenge, scope)
                if challenge.scheme == "basic":
                    if rejected or self._credentials is None or not self._credentials.password:
                        raise self.refused()
                    value = self._basic(self._credentials)
                    self._headers[scope] = (value, float("inf"))
                    return value
            raise self.refused()

    def _token_at_hand(self, rejected: str) -> str:
        """The bearer token that the credentials hold, unless it was shown already."""
        token = self._credentials.registry_token if self._credentials else ""
        if not _TOKEN.fullmatch(token) or rejected == f"Bearer {token}":
            return ""
        return f"Bearer {token}"

    async def _fetch_token(self, challenge: Challenge, scope: str) -> str:
        credentials = self._credentials
        parts = urlsplit(challenge.realm)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise Hostile(self._host, f"sends to a token server at {clean(challenge.realm, 80)}")
        host = urlsplit(f"//{self._host}").hostname or ""
        if is_loopback(parts.hostname) and not is_loopback(host):
            raise Hostile(self._host, "sends to a token server on this machine")
        if credentials and not belongs(parts.hostname, host):
            raise Hostile(
                self._host,
                f"wants the password sent to {clean(parts.hostname, 80)}",
                hint="pull without a password, or ask who runs that registry",
            )
        if credentials and credentials.identity_token:
            answer = await self._renew(challenge, scope, credentials.identity_token)
        else:
            query = [("service", challenge.service)] if challenge.service else []
            query += [("scope", one) for one in scope.split()]
            join = "&" if parts.query else "?"
            url = f"{challenge.realm}{join}{urlencode(query)}" if query else challenge.realm
            authorization = self._basic(credentials) if credentials and credentials.password else ""
            answer = await self._transport.fetch(url, cap=_ANSWER_CAP, authorization=authorization)
        if answer.status in (400, 401, 403):
            raise self.refused()
        if answer.status != 200:
            raise refusal(challenge.realm, answer.status, answer.headers, answer.body)
        return self._keep(scope, answer.body, challenge.realm)

    async def _renew(self, challenge: Challenge, scope: str, identity_token: str) -> Answer:
        """Ask the token server as an OAuth2 client does (RFC 6749, "Refreshing")."""
        form = {
            "grant_type": "refresh_token",
            "service": challenge.service,
            "client_id": "distrodeck",
            "refresh_token": identity_token,
        }
        if scope:
            form["scope"] = scope
        return await self._transport.fetch(
            challenge.realm,
            cap=_ANSWER_CAP,
            method="POST",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
            secret=True,
        )

    def _keep(self, scope: str, body: bytes, url: str) -> str:
        try:
            told = msgspec.json.decode(body, type=_TokenAnswer)
        except (msgspec.MsgspecError, RecursionError):
            raise Corrupt(host_of(url), "answered with no token") from None
        token = told.token or told.access_token
        if not _TOKEN.fullmatch(token):
            raise Corrupt(host_of(url), "answered with no token")
        value = f"Bearer {token}"
        ends = time.monotonic() + max(told.expires_in - _SPARE, _SPARE)
        self._headers[scope] = (value, ends)
        return value

    def _basic(self, credentials: Credentials) -> str:
        pair = f"{credentials.username}:{credentials.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    def refused(self) -> LoginNeeded:
        """The error for a registry that takes nothing we can show."""
        if self._credentials is None:
            return LoginNeeded(
                self._host,
                "wants a login",
                hint=f"distrodeck login {self._host} (or --creds USER), and check the name",
            )
        return LoginNeeded(
            self._host, "user name or password not accepted, or no right to this repository"
        )


def belongs(realm: str, registry: str) -> bool:
    """Whether a token server may see the password for a registry: same host or same domain.

    >>> belongs("auth.docker.io", "registry-1.docker.io"), belongs("evil.io", "docker.io")
    (True, False)
    """
    if realm == registry:
        return True
    ours, theirs = registry.lower().split("."), realm.lower().split(".")
    if ours[-1].isdigit() or theirs[-1].isdigit() or ":" in registry + realm:
        return False
    # a domain under a country's second level (co.uk) has three labels
    need = 3 if len(ours[-1]) == 2 and len(ours) > 2 and len(ours[-2]) <= 3 else 2
    return len(ours) >= need and len(theirs) >= need and ours[-need:] == theirs[-need:]
